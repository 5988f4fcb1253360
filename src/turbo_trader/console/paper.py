"""The simulated exchange as a separate process beside the daemon, behind a socket like the real one."""

from __future__ import annotations

import json
import math
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.console.exit_codes import Failed
from turbo_trader.console.markets import Market, local_market, speed_of
from turbo_trader.console.observer import log_event
from turbo_trader.console.options import FASTEST
from turbo_trader.console.settings import Settings
from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan
from turbo_trader.exchange_server.exchange_host import VenueConfig
from turbo_trader.exchange_server.lockstep import Lockstep, lockstep
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class PaperVenue:
    """Where the simulated venue listens, and what it shows."""

    port: int
    key: str
    secret: str
    facts: dict[str, Any]
    _lines: IO[str] | None = None

    def log_lines(self) -> None:
        """From now on log what it says of itself: an upstream that is lost, a machine too slow for the speed."""
        if self._lines is not None:
            threading.Thread(target=_log, args=(self._lines,), daemon=True).start()

    def __repr__(self) -> str:
        return f"PaperVenue(port={self.port})"


@contextmanager
def paper_venue(settings: Settings) -> Iterator[PaperVenue]:
    """Start `turbo-trader exchange` on a free port, end it afterwards. InputError with its own message when it refuses to start."""
    key, secret = f"sim{secrets.token_hex(8)}", secrets.token_hex(16)
    command = [
        sys.executable, "-m", "turbo_trader.console", "exchange", "--port", "0", "--market", settings.market,
        "--speed", str(speed_of(settings)), "--balance", format(settings.balance, "f"), "--seed", str(settings.seed),
        "--edge", str(settings.edge), "--faults", settings.faults, "--fault-seed", str(settings.fault_seed), "--json",
        *(("--start", settings.market_start) if settings.market_start else ()),
    ]  # fmt: skip
    process = subprocess.Popen(  # noqa: S603 - our own verb
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        facts = _announcement(process, key, secret)
        yield PaperVenue(int(facts["port"]), key, secret, facts, process.stderr)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def lockstep_venue(settings: Settings, policy: Policy) -> Iterator[tuple[Lockstep, Market, Keys]]:
    """The simulated venue in our own process and in our own time, its market, and the keys to it."""
    speed = speed_of(settings)
    market = local_market(settings.model_copy(update={"speed": speed}), policy, log_event)
    keys = Keys(f"sim{secrets.token_hex(8)}", secrets.token_hex(16))
    config = VenueConfig(
        keys.key, keys.secret, settings.balance, faults=FaultPlan.parse(settings.faults), fault_seed=settings.fault_seed
    )  # fmt: skip
    with lockstep(
        market.source, config, seed=settings.seed, speed=math.inf if speed == FASTEST else speed, frames=market.frames
    ) as steps:  # fmt: skip
        yield steps, market, keys


def _log(lines: IO[str]) -> None:
    with suppress(ValueError):  # closed under us: the venue has ended
        for line in lines:
            log_event("paper-venue", "warning", {"said": line.strip()})


def _announcement(process: subprocess.Popen[str], key: str, secret: str) -> dict[str, Any]:
    """Hand over the keys on stdin, where no process list shows them; read the one line the venue says once it listens."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise Failed("the simulated exchange could not be connected to")
    try:
        process.stdin.write(json.dumps({"key": key, "secret": secret}) + "\n")
        process.stdin.flush()  # and left open: the venue ends when it closes, however we end
        line = process.stdout.readline()
        return dict(json.loads(line))
    except (ValueError, OSError):
        said = process.stderr.read().strip().splitlines()
        text = said[-1].removeprefix("turbo-trader: ") if said else f"exit code {process.wait()}"
        raise InputError(text) from None

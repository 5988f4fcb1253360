"""One play: the client's environment, an exchange of its own, the client's driver, the verdict."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from clients.installing import FOLDER, install
from clients.roster import Client
from clients.verdict import Verdict, differences, of_client, of_exchange, refusals

SYMBOLS: Final = "BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,DOGEUSDT,ADAUSDT,LINKUSDT,AVAXUSDT"
BALANCE: Final = "10000"
LONG_S: Final = 3_600
_DRIVERS = Path(__file__).with_name("drivers")
_READY_S, _MORE_S = 120, 600


class PlayFailed(Exception):
    """The exchange did not start, or the driver ended badly: one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A `turbo-trader exchange` that runs, with one account."""

    url: str
    stream: str
    key: str
    secret: str
    record: Path

    def __repr__(self) -> str:
        return f"Exchange({self.url})"

    def account(self) -> dict[str, Any]:
        """The account's books."""
        session = requests.Session()
        session.trust_env = False
        answer = session.get(f"{self.url}/control/accounts", timeout=30)
        found: dict[str, Any] = answer.json()["accounts"][0]
        return found

    def recorded(self) -> list[dict[str, Any]]:
        """What it was asked and what it answered."""
        with self.record.open("rb") as lines:
            return [json.loads(line) for line in lines]


@contextmanager
def running_exchange(folder: Path, speed: float) -> Iterator[Exchange]:
    """An exchange in a process of its own; its record and its log are in `folder`. PlayFailed where it does not start."""
    key, secret, record = f"client{secrets.token_hex(4)}", secrets.token_hex(16), folder / "record.jsonl"
    record.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "turbo_trader.console", "exchange", "--port", "0", "--json", "--control",
        "--market", "synthetic", "--start", "now", "--speed", str(speed), "--balance", BALANCE, "--record", str(record),
    ]  # fmt: skip
    with (folder / "exchange.log").open("w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
            env={**os.environ, "TARGET_ASSETS": SYMBOLS},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"key": key, "secret": secret}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise PlayFailed(f"the exchange did not start: {folder / 'exchange.log'}")
            ready = json.loads(line)
            yield Exchange(url=ready["url"], stream=ready["stream"], key=key, secret=secret, record=record)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.terminate()
            process.wait(_READY_S)


def play(client: Client, *, long: bool = False) -> Verdict:
    """Install and play one client. Whatever goes wrong is in the verdict."""
    installed = install(client)
    if installed.program is None:
        return Verdict(version=client.version, errors=(f"not installed: {installed.why_not}",), played=False)
    if not client.driver:
        return Verdict(
            version=client.version, errors=("installed; there is no play for it yet",), played=False
        )
    folder = FOLDER / "plays" / (f"{client.name}-long" if long else client.name)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        with running_exchange(folder, 1.0 if long else client.speed) as exchange:
            command = [str(installed.program), str(_DRIVERS / client.driver)]
            belief = drive(command, _given(client, exchange, installed.folder, folder, long=long), folder)
            return verdict_of(client, exchange, belief, time.monotonic() - began)
    except (PlayFailed, ValueError) as error:
        seconds = time.monotonic() - began
        return Verdict(version=client.version, errors=(str(error),), seconds=seconds, played=False)


def verdict_of(client: Client, exchange: Exchange, belief: Mapping[str, Any], seconds: float) -> Verdict:
    """What the exchange saw beside what the client believes."""
    held = of_exchange(exchange.account())
    errors = [str(error) for error in belief.get("errors", ())]
    return Verdict(
        version=client.version,
        trades=held.trades,
        orders=held.created,
        errors=(*errors, *refusals(exchange.recorded(), client.refused)),
        differences=differences(held, of_client(belief)),
        seconds=seconds,
    )


def drive(command: list[str], given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run a driver, which reads `given` from its stdin; returns the last JSON object it prints. PlayFailed where there is none."""
    log = folder / "driver.log"
    limit = float(given["seconds"]) + (_MORE_S if given["long"] else 0)
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(json.dumps(given), timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and what it started: the bot itself
            process.communicate()
            raise PlayFailed(f"the play took more than {limit:.0f} s: {log}") from None
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise PlayFailed(f"the driver ended with {process.returncode}: {last[:300]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _given(client: Client, exchange: Exchange, home: Path, folder: Path, *, long: bool) -> dict[str, Any]:
    """What a driver is given: where the exchange is, where the client and its files are, how long it may take."""
    return {
        "url": exchange.url, "stream": exchange.stream, "key": exchange.key, "secret": exchange.secret, "mode": client.mode,
        "home": str(home), "folder": str(folder), "seconds": LONG_S if long else client.seconds, "long": long,
        "speed": 1.0 if long else client.speed, "balance": BALANCE,
    }  # fmt: skip

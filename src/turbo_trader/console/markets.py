"""The paper market that MARKET names: `synthetic`, `tape:PATH`, `bybit`, or `bybit:URL` for another V5 venue."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turbo_trader.bybit.endpoints import Endpoints, endpoints
from turbo_trader.console.settings import MarketKind, Settings
from turbo_trader.console.times import utc_ns
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy

if TYPE_CHECKING:
    from turbo_trader.exchange_server.market_source import Frames, MarketSource
    from turbo_trader.market.instruments import Instrument

SYNTHETIC_START = (
    1_767_603_600_000_000_000  # 2026-01-05 09:00 UTC: the same seed gives the same market, whenever it is run
)
SYNTHETIC_SPEED = 30.0
WARM_UP = (
    26 * 3_600 * 1_000_000_000
)  # of a long tape: given as bars, so that every signal is warm at the start

_EARLIEST, _LATEST = 946_684_800 * 10**9, 4_102_444_800 * 10**9  # 2000 and 2100, ns UTC

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


@dataclass(frozen=True, slots=True)
class Market:
    """A source with what goes with it: how fast its time runs, frames of its own, and its clock where it has one."""

    source: MarketSource
    speed: float
    frames: Frames | None = None
    clock: Callable[[], int] | None = None

    @property
    def lasts_s(self) -> float | None:
        """Wall seconds after which it ends; None: it does not."""
        end: int | None = getattr(self.source, "end", None)
        return None if end is None else (end - self.source.start) / 1e9 / self.speed


def speed_of(settings: Settings) -> float:
    """`run`'s time factor: as asked for, else 30 on the synthetic market and 1 on a tape; 0 where it is the upstream's own."""
    usual: Mapping[str, float] = {MarketKind.SYNTHETIC: SYNTHETIC_SPEED, MarketKind.BYBIT: 0.0}
    return settings.speed or usual.get(_kind(settings), 1.0)


@asynccontextmanager
async def open_market(settings: Settings, policy: Policy, emit: Emit) -> AsyncIterator[Market]:
    """The market, for as long as the context lasts; `emit` reports on an upstream.

    Its time runs like the clock's unless a speed is asked for. InputError when it is no market, or cannot be had.
    """
    if _kind(settings) == MarketKind.BYBIT:
        from turbo_trader.exchange_server.upstream import upstream_market

        require_market(settings, policy)
        where = upstream(settings)
        label = f"{where.rest}, live"
        async with upstream_market(where, label, policy.symbols, emit) as market:
            yield Market(market, market.clock.speed, market, market.clock.now)
    else:
        yield local_market(settings, policy, emit)


def local_market(settings: Settings, policy: Policy, emit: Emit) -> Market:
    """A market that needs no network: synthetic, or a tape. InputError when it is none, or cannot be read."""
    require_market(settings, policy)
    if _kind(settings) == MarketKind.SYNTHETIC:
        return _synthetic(settings, policy)
    return _tape(settings, emit)


def require_market(settings: Settings, policy: Policy) -> None:
    """InputError for anything about the paper venue that is impossible, before anything long begins."""
    from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan
    from turbo_trader.market.tape import require_tape

    FaultPlan.parse(settings.faults)
    kind = _kind(settings)
    if kind == MarketKind.SYNTHETIC:
        _contracts(policy)
        _start(settings, settings.speed)
        return
    if kind not in set(MarketKind):
        raise InputError(f"market {settings.market!r}: must be synthetic, tape:PATH, bybit or bybit:URL")
    if kind == MarketKind.TAPE:
        require_tape(_tape_path(settings))
    elif upstream(settings) and settings.speed:
        raise InputError(f"--speed {settings.speed:g}: {settings.market} has a time of its own; leave it out")
    if settings.market_start:
        raise InputError(
            f"--start {settings.market_start}: {settings.market} has a time of its own; leave it out (MARKET_START too)"
        )


def in_lockstep(settings: Settings) -> bool:
    """Does the paper market wait for its daemon? Made-up and recorded ones do, except at speed 1, which is the wall clock's."""
    return _kind(settings) in (MarketKind.SYNTHETIC, MarketKind.TAPE) and speed_of(settings) != 1.0


def upstream(settings: Settings) -> Endpoints:
    """Where the market `bybit` or `bybit:URL` is; InputError for what is no address."""
    url = settings.market.removeprefix("bybit").removeprefix(":").rstrip("/")
    if not url:
        return endpoints("mainnet", settings.bybit_domain, settings.bybit_tld)
    if not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?", url, re.ASCII):
        raise InputError(f"market {settings.market!r}: give the address as bybit:http://HOST:PORT")
    stream = f"ws{url.removeprefix('http')}/v5"
    return Endpoints("upstream", url, f"{stream}/public/linear", f"{stream}/private")


def _kind(settings: Settings) -> str:
    return settings.market.partition(":")[0]


def _tape_path(settings: Settings) -> Path:
    path = settings.market.removeprefix("tape:")
    if not path:
        raise InputError("market 'tape:': give the recording as tape:PATH; samples/bars is one")
    return Path(path)


def _tape(settings: Settings, emit: Emit) -> Market:
    from turbo_trader.exchange_server.market_source import RecordedFrames, TapeSource
    from turbo_trader.market.recording import is_recording
    from turbo_trader.market.tape import read_tape

    path = _tape_path(settings)
    tape = read_tape(path, seed=settings.seed)
    if tape.left_out:
        emit("tape-left-out", "info", {"tape": str(path), "counts": dict(tape.left_out)})
    source = TapeSource(tape, WARM_UP if tape.end - tape.start > 2 * WARM_UP else 0)
    frames = RecordedFrames(path, source.start) if is_recording(path) else None
    return Market(source, settings.speed or 1.0, frames)


def _synthetic(settings: Settings, policy: Policy) -> Market:
    from turbo_trader.simulation.synthetic import SyntheticMarket

    speed = settings.speed or 1.0
    start, clock = _start(settings, speed)
    return Market(
        SyntheticMarket(_contracts(policy), settings.seed, start, settings.edge), speed, clock=clock
    )


def _contracts(policy: Policy) -> list[Instrument]:
    """Of the synthetic market. InputError for one that it does not have."""
    from turbo_trader.market.names import known_symbol
    from turbo_trader.market.reference import universe

    known = {instrument.symbol: instrument for instrument in universe()}
    return [
        known[known_symbol(symbol, known, "TARGET_ASSETS", "the synthetic market")]
        for symbol in policy.symbols
    ]


def _start(settings: Settings, speed: float) -> tuple[int, Callable[[], int] | None]:
    """When the synthetic market begins (ns UTC), and the clock it keeps to: the wall's where it begins now at speed 1."""
    from turbo_trader.exchange_server.exchange_clock import WallClock

    asked = settings.market_start or ("now" if speed == 1.0 else "")
    if asked == "now":
        wall = WallClock()
        return wall(), wall if speed == 1.0 else None
    start = utc_ns(asked, "--start (MARKET_START)") if asked else SYNTHETIC_START
    if not _EARLIEST <= start < _LATEST:
        raise InputError(f"--start (MARKET_START) {asked!r}: choose a time from 2000 to 2099")
    return start, None

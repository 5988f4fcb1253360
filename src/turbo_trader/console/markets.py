"""The paper market a person asked for: `synthetic` or `tape:PATH`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from turbo_trader.console.settings import Settings
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy

if TYPE_CHECKING:
    from turbo_trader.live.venue import MarketSource

SYNTHETIC_START = (
    1_767_603_600_000_000_000  # 2026-01-05 09:00 UTC: the same seed gives the same market, whenever it is run
)
SYNTHETIC_SPEED = 30.0
WARM_UP = (
    26 * 3_600 * 1_000_000_000
)  # of a long tape: given as bars, so that every signal is warm at the start


def speed_of(settings: Settings) -> float:
    """The time factor: as asked for, else 30 on the synthetic market and 1 on a tape."""
    return settings.speed or (SYNTHETIC_SPEED if settings.market == "synthetic" else 1.0)


def open_market(settings: Settings, policy: Policy) -> MarketSource:
    """The market source; InputError when it is not one, or cannot be read."""
    if settings.market == "synthetic":
        return _synthetic(settings, policy)
    if settings.market.startswith("tape:"):
        from turbo_trader.live.venue_market import TapeSource
        from turbo_trader.market.tape import read_tape

        tape = read_tape(Path(settings.market.removeprefix("tape:")), seed=settings.seed)
        return TapeSource(tape, WARM_UP if tape.end - tape.start > 2 * WARM_UP else 0)
    raise InputError(
        f"market {settings.market!r}: must be synthetic or tape:PATH (bybit's own streams are not built yet)"
    )


def _synthetic(settings: Settings, policy: Policy) -> MarketSource:
    from turbo_trader.market.reference import universe
    from turbo_trader.simulation.synthetic import SyntheticMarket

    known = {instrument.symbol: instrument for instrument in universe()}
    chosen = [known[symbol] for symbol in policy.symbols if symbol in known]
    unknown = [symbol for symbol in policy.symbols if symbol not in known]
    if unknown:
        raise InputError(
            f"TARGET_ASSETS: {unknown[0]} is not in the synthetic market: it has {', '.join(known)}"
        )
    return SyntheticMarket(chosen, settings.seed, SYNTHETIC_START, settings.edge)

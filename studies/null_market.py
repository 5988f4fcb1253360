"""Several seeds of the driftless synthetic market, scanned and played, joined as if one had followed the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import chain
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from studies.played import seed_coins
from studies.scans import EQUITY, Scans
from studies.signals import scan_synthetic
from studies.trades import Trades, drop_forecast, play, without_forecast
from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy

HOURLY: Final = (
    3600 * SECOND,
)  # noise is fitted each hour: the fits' windows hardly overlap, so they count as independent
_BETWEEN: Final = 60  # scans without a price at a seed's end: no return reaches from one seed into the next


@dataclass(frozen=True, slots=True)
class NullMarket:
    """Scans, and the trades of several ways to choose them."""

    scans: Scans
    blind: Trades  # a coin's direction at every moment, judged without a forecast
    candidates: Trades  # every valid forecast
    likely: Trades  # past the pre-filter
    taken: Trades  # past the EV gate


def null_market(symbols: int, days: int, seeds: Sequence[int], processes: int = 2) -> NullMarket:
    """`days` of each seed, a seed per process."""
    one = partial(_play_seed, symbols, days)
    if len(seeds) == 1:
        return _joined([one(seeds[0])])
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return _joined(list(pool.map(one, seeds)))


def _play_seed(symbols: int, days: int, seed: int) -> NullMarket:
    policy = Policy(belief=Belief.WEIGHED)  # the figures that claim to be probabilities
    scans = scan_synthetic(symbols, 24 * days, seed, 0.0, waits=HOURLY, with_book=True, policy=policy)
    f, tier = scans.figures, policy.capital_tier(EQUITY)
    candidate = f["candidate"] > 0
    likely = candidate & (f["snr"] > float(tier.min_snr)) & (f["confidence"] > float(tier.min_confidence))
    coin = np.where(np.random.default_rng(seed).random(candidate.shape) < 0.5, 1, -1)
    seed_coins(seed)
    blind = play(without_forecast(scans, policy), np.ones_like(candidate), coin, policy)
    every, filtered = (play(scans, which, f["direction"], policy) for which in (candidate, likely))
    taken = play(scans, (f["blocker"] < 0) & (f["tier"] > 0), f["direction"], policy)
    f["mid"][:, -_BETWEEN:] = 0.0
    seen = replace(scans, book=scans.book[:, :0])
    return NullMarket(seen, drop_forecast(blind, policy), every, filtered, taken)


def _joined(parts: Sequence[NullMarket]) -> NullMarket:
    first, each = parts[0].scans, parts[0].scans.figures["mid"].shape[1]
    figures = {name: np.concatenate([p.scans.figures[name] for p in parts], axis=1) for name in first.figures}
    fits = list(chain.from_iterable(p.scans.fits for p in parts))

    def trades(name: str) -> Trades:
        mine = [getattr(p, name) for p in parts]
        later = [replace(t, scan=t.scan + n * each) for n, t in enumerate(mine)]
        return Trades(*(_column(later, field.name) for field in fields(Trades)))

    return NullMarket(
        replace(first, figures=figures, fits=fits), *map(trades, ("blind", "candidates", "likely", "taken"))
    )


def _column(trades: Sequence[Trades], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(t, name) for t in trades])

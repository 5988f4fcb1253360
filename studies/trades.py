"""Scans played out as trades on the seconds that followed them: exits as executed, fixed barriers, Monte Carlo of the EV."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.played import play_market, simulate
from studies.scans import EQUITY, Scans
from studies.skill import Estimate, mean
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.expectation import Zones
from turbo_trader.signals.passage import two_barrier_spread

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades in order of time, one entry each. Distances, cost and returns are fractions of the entry price."""

    scan: NDArray[np.int64]
    symbol: NDArray[np.int64]
    direction: NDArray[np.int64]
    take_profit: NDArray[np.float64]
    stop_loss: NDArray[np.float64]
    cost: NDArray[np.float64]
    sigma: NDArray[np.float64]
    p_tp: NDArray[np.float64]
    ev: NDArray[np.float64]
    edge: NDArray[np.float64]  # |forecast|
    net: NDArray[np.float64]  # of the exits as executed, all costs off
    hit: NDArray[np.bool_]  # the target was the first of the fixed barriers to be met

    def chosen(self, which: Array) -> Trades:
        """Some of them."""
        return Trades(*(getattr(self, field.name)[which] for field in fields(self)))


def zones_of(policy: Policy) -> Zones:
    """The policy's zones; an unconfirmed target closes."""
    return Zones(
        float(policy.zone_one), float(policy.zone_two), float(policy.lock_share), float(policy.extension),
        policy.max_extensions, float(policy.extension_share), float(policy.hold_factor), 1, float(policy.backstop_extra),
    )  # fmt: skip


def apart(candidates: NDArray[np.bool_], scans_apart: int) -> NDArray[np.int64]:
    """Indices of the candidates taken one after another, each at least `scans_apart` after the one before."""
    found: list[int] = []
    free = 0
    for i in np.flatnonzero(candidates):
        if i >= free:
            found.append(int(i))
            free = int(i) + scans_apart
    return np.array(found, np.int64)


def play(scans: Scans, entries: NDArray[np.bool_], directions: Array, policy: Policy) -> Trades:
    """Play the scans marked in `entries` [symbol, scan], one trade at a time per symbol; `scans` must have its book.

    Entered at the touch of the scan. Fees and slippage are as the cost says, the spread is paid in the prices.
    """
    hold, step, zones = int(policy.capital_tier(EQUITY).max_hold_s), scans.step_s, zones_of(policy)
    longest = int(zones.hold_factor * hold)
    f = scans.figures
    usable = entries & (f["sigma"] > 0.0) & (f["take_profit"] > 0.0)
    usable[:, max((scans.book.shape[1] - longest) // step - 2, 0) :] = False
    parts: list[Trades] = []
    for s in range(len(scans.instruments)):
        n = apart(usable[s], longest // step)
        d = directions[s, n].astype(np.int64)
        tp, sl, cost, spread = (f[name][s, n] for name in ("take_profit", "stop_loss", "cost", "spread"))
        even, out = np.maximum(float(policy.break_even_min), cost), np.zeros((len(n), 3))
        play_market(scans.book[s], (n + 1) * step - 1, d, tp, sl, even, hold, zones, out)
        sigma, p_tp, ev, edge = (
            f["hold_sigma"][s, n],
            f["p_tp"][s, n],
            f["ev"][s, n],
            np.abs(f["forecast"][s, n]),
        )
        net, hit = out[:, 0] - (cost - spread), out[:, 2] > 0
        parts.append(
            Trades(
                scan=n,
                symbol=np.full(len(n), s),
                direction=d,
                take_profit=tp,
                stop_loss=sl,
                cost=cost,
                sigma=sigma,
                p_tp=p_tp,
                ev=ev,
                edge=edge,
                net=net,
                hit=hit,
            )
        )
    joined = Trades(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Trades)))
    return joined.chosen(np.argsort(joined.scan, kind="stable"))


def without_forecast(scans: Scans, policy: Policy) -> Scans:
    """The scans with the exits and the cost an entry would have had wherever there is no forecast."""
    f = dict(scans.figures)
    h = float(policy.capital_tier(EQUITY).horizon_s)
    tp = np.clip(
        float(policy.tp_sigmas) * f["sigma"] * np.sqrt(h), float(policy.tp_min), float(policy.tp_max)
    )
    f["take_profit"] = tp
    f["stop_loss"] = np.clip(float(policy.sl_of_tp) * tp, float(policy.sl_min), float(policy.sl_max))
    f["cost"] = float(policy.round_trip_fee) + f["spread"]
    return replace(scans, figures=f)


def drop_forecast(trades: Trades, policy: Policy) -> Trades:
    """The trades with the p_tp and EV they have without drift."""
    hold, step = float(policy.capital_tier(EQUITY).max_hold_s), float(policy.monitor_interval)
    log_sd = float(policy.vol_log_sd)
    rows = zip(trades.direction, trades.take_profit, trades.stop_loss, trades.sigma, strict=True)
    p = [
        two_barrier_spread(d * np.log1p(d * tp), d * np.log1p(-d * sl), 0.0, sigma, log_sd, 0.0, hold, step)[
            0
        ]
        for d, tp, sl, sigma in rows
    ]
    return replace(trades, p_tp=np.array(p), ev=-trades.cost, edge=np.zeros(len(p)))


def by_time(trades: Trades, values: Array, scans: int, overlap: int) -> Estimate:
    """Mean of `values`, one of each trade, with trades of one time counted together; `scans`: how many there were."""
    grid = np.full((int(trades.symbol.max(initial=0)) + 1, scans), np.nan)
    grid[trades.symbol, trades.scan] = values
    return mean(grid, overlap)


def monte_carlo(trades: Trades, count: int, paths: int, policy: Policy) -> tuple[float, float]:
    """(largest |EV - Monte Carlo|, largest standard error of the latter) over `count` trades spread over their forecasts."""
    tier, zones = policy.capital_tier(EQUITY), zones_of(policy)
    h, hold = int(tier.horizon_s), int(tier.max_hold_s)
    order = np.argsort(trades.edge, kind="stable")
    worst = error = 0.0
    for i in order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(np.int64)]:
        tp, sl, cost = float(trades.take_profit[i]), float(trades.stop_loss[i]), float(trades.cost[i])
        even, sigma, drift = (
            max(float(policy.break_even_min), cost),
            float(trades.sigma[i]),
            float(trades.edge[i]) / h,
        )
        gross, se = simulate(paths, tp, sl, even, drift, sigma, h, hold, zones)
        worst, error = max(worst, abs(float(trades.ev[i]) - (gross - cost))), max(error, se)
    return worst, error

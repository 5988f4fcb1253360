"""What the signals and forecasts find where there is nothing to find: `scripts/study driftless`.

Scans of the driftless synthetic market, candidates played out on the seconds that followed. On such a market a forecast is false
by construction, so p_tp and EV *with* it overstate by what it claims; without it, and after calibration, they must hold.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.events import MINUTE
from turbo_trader.research.played import play_market, seed_coins, simulate
from turbo_trader.research.scans import EQUITY, Scans
from turbo_trader.research.signals import cell, markdown, scan_synthetic, scores, standard_forward
from turbo_trader.research.skill import Estimate, coefficient, mean
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.calibration import fit_map
from turbo_trader.signals.expectation import exits_ev
from turbo_trader.signals.noise import Noise
from turbo_trader.signals.passage import two_barrier

HOURLY: Final = (3600,)  # noise is fitted each hour: fits of windows that do not overlap much
BINS: Final = 10
_DAY: Final = 2880  # scans

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades played on the seconds that followed; one row each, in order of time."""

    scan: NDArray[np.int64]
    symbol: NDArray[np.int64]
    direction: NDArray[np.int64]
    take_profit: NDArray[np.float64]
    stop_loss: NDArray[np.float64]
    cost: NDArray[np.float64]
    sigma: NDArray[np.float64]
    p_tp: NDArray[np.float64]
    ev: NDArray[np.float64]
    net: NDArray[np.float64]  # as executed, all costs off
    hit: NDArray[np.bool_]  # the target was the first of the fixed barriers
    forecast: NDArray[np.float64]

    def chosen(self, which: Array) -> Trades:
        """Some of them."""
        return Trades(*(getattr(self, name)[which] for name in self.__slots__))


def apart(candidates: NDArray[np.bool_], scans_apart: int) -> NDArray[np.int64]:
    """Indices of the candidates taken one after another, each at least `scans_apart` after the one before."""
    found: list[int] = []
    free = 0
    for i in np.flatnonzero(candidates):
        if i >= free:
            found.append(int(i))
            free = int(i) + scans_apart
    return np.array(found, np.int64)


def play(scans: Scans, entries: NDArray[np.bool_], directions: Array, drift: bool, policy: Policy) -> Trades:
    """Play the scans marked in `entries` (symbol, scan) one at a time per symbol; p_tp and EV without drift where not `drift`."""
    tier = policy.capital_tier(EQUITY)
    hold, step = int(tier.max_hold_s), scans.step_s
    f = scans.figures
    usable = entries & (f["sigma"] > 0.0) & (f["take_profit"] > 0.0)
    room = (scans.book.shape[1] - 2 * hold) // step - 2
    usable[:, max(room, 0) :] = False
    columns: list[list[Array]] = []
    for s in range(len(scans.instruments)):
        n = apart(usable[s], 2 * hold // step)
        d = directions[s, n].astype(np.int64)
        tp, sl, cost, sigma = (f[name][s, n] for name in ("take_profit", "stop_loss", "cost", "sigma"))
        out = np.zeros((len(n), 3))
        play_market(
            scans.book[s], (n + 1) * step - 1, d, tp, sl, np.maximum(float(policy.break_even_min), cost), hold,
            float(policy.extension_share), policy.max_extensions, out,
        )  # fmt: skip
        net = out[:, 0] - (cost - f["spread"][s, n])  # the spread is in the prices
        columns.append(
            [n, np.full(len(n), s), d, tp, sl, cost, sigma, f["p_tp"][s, n], f["ev"][s, n], net, out[:, 2] > 0,
             np.abs(f["forecast"][s, n])]
        )  # fmt: skip
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    trades = Trades(*joined)
    trades = trades.chosen(np.argsort(trades.scan, kind="stable"))
    if drift:
        return trades
    p = [
        two_barrier(np.log1p(a), np.log1p(-b), 0.0, c, 0.0, float(hold), float(policy.monitor_interval))[0]
        for a, b, c in zip(trades.take_profit, trades.stop_loss, trades.sigma, strict=True)
    ]
    trades.p_tp[:] = p
    trades.ev[:] = -trades.cost
    return trades


def by_time(trades: Trades, values: Array, scans: int, overlap: int) -> Estimate:
    """Mean of `values`, one of each trade, with trades of one time counted together."""
    grid = np.full((int(trades.symbol.max(initial=0)) + 1, scans), np.nan)
    grid[trades.symbol, trades.scan] = values
    return mean(grid, overlap)


def reliability(predicted: Array, outcome: Array, bins: int = BINS) -> tuple[list[list[str]], float]:
    """Rows of the reliability table in bins of equal count, and the largest |z| by the predicted binomial error."""
    order = np.argsort(predicted, kind="stable")
    rows, worst = [], 0.0
    for part in np.array_split(order, min(bins, max(1, len(order) // 20))):
        p, y, n = float(predicted[part].mean()), float(outcome[part].mean()), len(part)
        error = float(np.sqrt(np.sum(predicted[part] * (1.0 - predicted[part])))) / max(n, 1)
        z = (y - p) / error if error > 0.0 else 0.0
        worst = max(worst, abs(z))
        rows.append([f"{n}", f"{p:.3f}", f"{y:.3f}", f"{error:.3f}", f"{z:+.1f}"])
    return rows, worst


def bonferroni(tests: int, level: float = 0.05) -> float:
    """|z| that the largest of `tests` exceeds by chance with probability `level` at most."""
    return NormalDist().inv_cdf(1.0 - level / (2.0 * max(tests, 1)))


def calibrated(trades: Trades, hold_scans: int) -> tuple[Array, Array]:
    """(p_tp mapped by what was known at the midnight before, outcome) of the trades for which a map could be had."""
    known = trades.scan + hold_scans
    predicted, outcome = [], []
    for day in range(int(trades.scan.max(initial=0)) // _DAY + 1):
        chosen = trades.chosen(trades.scan // _DAY == day)
        fitted = fit_map(trades.p_tp, trades.hit, known, day * _DAY)
        if fitted is not None and len(chosen.scan):
            predicted.append(np.array([fitted(p) for p in chosen.p_tp]))
            outcome.append(chosen.hit)
    if not predicted:
        return np.empty(0), np.empty(0)
    return np.concatenate(predicted), np.concatenate(outcome)


def monte_carlo(trades: Trades, count: int, paths: int, policy: Policy) -> tuple[float, float]:
    """(largest |EV - Monte Carlo|, largest standard error of the latter) over `count` trades spread over their forecasts."""
    tier = policy.capital_tier(EQUITY)
    order = np.argsort(trades.forecast, kind="stable")
    worst = error = 0.0
    for i in order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(np.int64)]:
        tp, sl, cost, sigma = (
            float(v[i]) for v in (trades.take_profit, trades.stop_loss, trades.cost, trades.sigma)
        )
        drift, even = float(trades.forecast[i]) / tier.horizon_s, max(float(policy.break_even_min), cost)
        share, most = float(policy.extension_share), policy.max_extensions
        h, hold = int(tier.horizon_s), int(tier.max_hold_s)
        ev = exits_ev(tp, sl, even, drift, sigma, h, hold, cost, float(policy.monitor_interval), share, most)
        gross, se = simulate(paths, tp, sl, even, drift, sigma, h, hold, share, most)
        worst, error = max(worst, abs(ev - (gross - cost))), max(error, se)
    return worst, error


def fits_line(fits: Sequence[tuple[int, int, Noise]]) -> list[str]:
    """How many noise fits found a velocity."""
    n = len(fits)
    share = sum(noise.velocity_valid for _, _, noise in fits) / max(n, 1)
    error = (0.05 * 0.95 / max(n, 1)) ** 0.5
    return [
        f"noise fits with a velocity, of {n:,}",
        f"{100 * share:.1f} %",
        f"5.0 +- {100 * error:.1f} %",
        _ok(share <= 0.05 + 2 * error),
    ]


def _ok(holds: bool) -> str:
    return "holds" if holds else "FAILS"


def validity_lines(scans: Scans) -> list[list[str]]:
    """How often OU is valid, over all and in the hour after midnight; how often the Kalman forecast is there."""
    minute_of_day = scans.times() // MINUTE % 1440
    late = minute_of_day < 60
    rows = []
    for name, figure, when in (
        ("OU valid, all scans", "ou_valid", np.ones_like(late)),
        ("OU valid, 00:00-01:00 UTC", "ou_valid", late),
        ("Kalman forecast there", "kalman_valid", np.ones_like(late)),
    ):
        values = np.where(when & (scans.figures["warm"] > 0), scans.figures[figure], np.nan)
        found = mean(values, 960)
        asked = 0.06 if figure == "ou_valid" else 0.05 + 2 * found.error
        text = f"{100 * found.value:.1f} +- {100 * found.error:.1f} %"
        rows.append([name, text, f"<= {100 * asked:.1f} %", _ok(found.value <= asked)])
    return rows


def trade_lines(name: str, trades: Trades, count: int) -> list[list[str]]:
    """Realised against -cost and against the EV claimed."""
    if len(trades.scan) < 3:
        return [[name, "too few", "", ""]]
    excess = by_time(trades, trades.net + trades.cost, count, 120)
    claimed = float(np.mean(trades.ev + trades.cost))
    text = f"{1e4 * excess.value:+.2f} +- {1e4 * excess.error:.2f} bp"
    return [
        [
            f"{name} ({len(trades.scan):,}): realised + cost",
            text,
            "0 within 2 se",
            _ok(abs(excess.z()) <= 2.0),
        ],
        [f"{name}: claimed by EV + cost", f"{1e4 * claimed:+.2f} bp", "", ""],
    ]


def study(symbols: int, days: int, seed: int, paths: int) -> str:
    """All of it as Markdown."""
    policy = Policy()
    scans = scan_synthetic(symbols, 24 * days, seed, 0.0, waits_s=HOURLY, with_book=True)
    seed_coins(seed)
    count = scans.figures["mid"].shape[1]
    f = scans.figures
    candidate, passed = f["candidate"] > 0, (f["blocker"] < 0) & (f["tier"] > 0)
    coin = np.where(np.random.default_rng(seed).random(candidate.shape) < 0.5, 1, -1)
    blind = play(_with_exits(scans, policy), np.ones_like(candidate), coin, False, policy)
    candidates = play(scans, candidate, f["direction"], True, policy)
    taken = play(scans, passed, f["direction"], True, policy)
    rows = [*validity_lines(scans), fits_line(scans.fits)]
    for name, trades in (("blind entries", blind), ("candidates", candidates), ("taken", taken)):
        rows += trade_lines(name, trades, count)
    tables = []
    hold_scans = int(policy.capital_tier(EQUITY).max_hold_s) // scans.step_s
    for name, p, y in (
        ("p_tp without drift, blind entries", blind.p_tp, blind.hit),
        ("p_tp as forecast, candidates", candidates.p_tp, candidates.hit),
        ("p_tp calibrated on the days before, candidates", *calibrated(candidates, hold_scans)),
    ):
        bins, worst = reliability(p, y) if len(p) else ([], 0.0)
        most = bonferroni(len(bins))
        rows.append(
            [
                f"{name}: largest abs z of {len(bins)} bins",
                f"{worst:.1f}",
                f"<= {most:.1f}",
                _ok(worst <= most),
            ]
        )
        tables.append(markdown(name, ("entries", "predicted", "outcome", "error", "z"), bins))
    worst_ev, se = monte_carlo(candidates, 40, paths, policy)
    rows.append(
        [
            "EV against Monte Carlo of the exits, worst of 40",
            f"{1e4 * worst_ev:.2f} bp (se {1e4 * se:.2f})",
            "<= 1 bp",
            _ok(worst_ev <= 1e-4),
        ]
    )
    for name, score in scores(scans).items():
        found = coefficient(score, standard_forward(scans, 900), 30)
        rows.append(
            [
                f"information coefficient at 15 min: {name}",
                cell(found),
                "0 within 3 se",
                _ok(abs(found.z()) <= 3.0),
            ]
        )
    title = f"{symbols * days} symbol-days of the driftless synthetic market ({symbols} symbols, {days} days, seed {seed})"
    return "\n\n".join([markdown(title, ("what", "found", "asked", ""), rows), *tables]) + "\n"


def _with_exits(scans: Scans, policy: Policy) -> Scans:
    """Scans with the exits and the cost any entry would have had, also where there is no forecast."""
    f = dict(scans.figures)
    h = float(policy.capital_tier(EQUITY).horizon_s)
    tp = np.clip(
        float(policy.tp_sigmas) * f["sigma"] * np.sqrt(h), float(policy.tp_min), float(policy.tp_max)
    )
    f["take_profit"] = tp
    f["stop_loss"] = np.clip(float(policy.sl_of_tp) * tp, float(policy.sl_min), float(policy.sl_max))
    f["cost"] = float(policy.round_trip_fee) + f["spread"]
    return Scans(scans.instruments, scans.first, scans.step_s, f, scans.book, scans.fits)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the study as Markdown to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/study driftless", description=__doc__)
    parser.add_argument("--symbols", type=int, default=15)
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paths", type=int, default=8000, help="of the Monte Carlo, per trade")
    options = parser.parse_args(arguments)
    sys.stdout.write(study(options.symbols, options.days, options.seed, options.paths))


if __name__ == "__main__":
    main()

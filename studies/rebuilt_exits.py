"""The second half of the null test of rebuilt tapes: `python -m studies.rebuilt_exits`.

On rebuilt bars of driftless walks positions are opened in the direction order flow, or the move of the last five minutes, points to
(and against it), and left to the zones: whatever they earn on average above the spread was manufactured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from studies.rebuilt_figures import FEWEST, walk_bars
from turbo_trader.console.progress import each
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance
from turbo_trader.market.rebuild import Order, rebuild
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import KIND_MASK, LAST, MINUTE, SECOND, TRADE, Rows
from turbo_trader.market.state import new_states
from turbo_trader.rules.exits import Bracket, ClosePosition, exit_rules
from turbo_trader.rules.policy import Policy

_EVERY = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Path:
    """What a position sees: one entry per frame or print, in order. Prices in ticks; `last` 0 for a frame."""

    ts: NDArray[np.int64]
    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    last: NDArray[np.int64]
    flow: NDArray[np.float64]


def path_of(rows: Rows, instrument: Instrument) -> Path:
    """Every frame and print of a tape with the best prices after it."""
    states = new_states(
        [instrument],
        flow_window_s=30,
        vol_half_life_min=30.0,
        slow_vol_half_life_min=1440.0,
        jump_sigmas=6.0,
        jump_fraction=0.005,
    )
    ends = np.flatnonzero(rows["kind"] & LAST)
    seen = np.zeros((len(ends), 5))
    at = 0
    for i, end in enumerate(ends):
        while at <= end:
            at, _ = advance(states, 0, rows[: end + 1], at, int(rows["ts"][end]) + 1)
        state = states[0]
        seen[i, :2] = state["bid"], state["ask"]
        seen[i, 2] = state["last"] if rows["kind"][end] & KIND_MASK == TRADE else 0
        seen[i, 3] = state["ofi"] / max(state["ofi_abs"], 1)
    whole = seen.astype(np.int64)
    return Path(rows["ts"][ends].astype(np.int64), whole[:, 0], whole[:, 1], whole[:, 2], seen[:, 3])


def earned(
    path: Path, first: int, direction: int, instrument: Instrument, policy: Policy
) -> tuple[float, int]:
    """(return in fractions of entry before fees, index of the exit) of a position opened at the touch after entry `first`.

    Stop and backstop trigger on prints, zones and times on the side one could close at; closing takes the touch.
    """
    near, tick = (path.bid, path.ask) if direction > 0 else (path.ask, path.bid), instrument.tick
    entry = int(near[1][first])
    bracket = Bracket(
        direction=direction,
        entry=entry * tick,
        tick=tick,
        take_profit=policy.tp_min,
        stop_loss=policy.sl_min,
        cost=2 * policy.taker_fee,
        opened_ns=int(path.ts[first]),
        hold_ns=policy.turbo_max_hold * SECOND,
        rules=exit_rules(policy),
    )
    for i in range(first + 1, len(path.ts)):
        if _ended(bracket, direction, int(path.last[i]) * tick, int(near[0][i]) * tick, int(path.ts[i])):
            break
    return direction * (int(near[0][i]) - entry) / entry, i


def _ended(bracket: Bracket, direction: int, last: Decimal, price: Decimal, ts: int) -> bool:
    if last and (direction * (last - bracket.stop) <= 0 or direction * (last - bracket.backstop) >= 0):
        return True
    level = bracket.next_level
    actions = bracket.on_price(price) if level is not None and direction * (price - level) >= 0 else []
    return any(isinstance(action, ClosePosition) for action in [*actions, *bracket.on_time(ts)])


def trades(path: Path, instrument: Instrument, policy: Policy, by: str) -> Iterator[tuple[float, float]]:
    """(return before fees, spread at entry), fractions, of one position after another, opened each five minutes where none is.

    `by`: "order flow" or "past move", whose sign is the direction; with "against " before it the opposite.
    """
    sign = -1 if by.startswith("against ") else 1
    mid = path.bid + path.ask
    free = 0
    for time in range(
        int(path.ts[0]) + _EVERY, int(path.ts[-1]) - 3 * policy.turbo_max_hold * SECOND, _EVERY
    ):
        now, before = np.searchsorted(path.ts, (time, time - _EVERY), "right") - 1
        pull = path.flow[now] if by.endswith("order flow") else float(mid[now] - mid[before])
        if now < free or pull == 0:
            continue
        result, free = earned(path, int(now), sign if pull > 0 else -sign, instrument, policy)
        yield result, float(2 * (path.ask[now] - path.bid[now]) / mid[now])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table as Markdown to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=20_000)
    parser.add_argument("--walks", type=int, default=6)
    options = parser.parse_args(arguments)
    if options.bars < FEWEST or options.walks < 1:
        parser.error(f"give at least {FEWEST} bars and one walk")
    xrp = next(instrument for instrument in universe() if instrument.symbol == "XRPUSDT")
    sys.stdout.write(
        "| order | direction | trades | mean return + spread, bp | standard error, bp |\n|---|---|---|---|---|\n"
    )
    orders: tuple[Order, ...] = ("random", "high-first", "low-first")
    for order in each("orders of highs and lows", orders):
        paths = [
            path_of(
                rebuild(
                    walk_bars(options.bars, 240, seed, 2.2, float(xrp.tick)), xrp, seed=seed, order=order
                ),
                xrp,
            )
            for seed in range(options.walks)
        ]
        for by in ("order flow", "against order flow", "past move", "against past move"):
            found = np.array([trade for path in paths for trade in trades(path, xrp, Policy(), by)])
            net = 1e4 * found.sum(1)
            error = net.std() / len(net) ** 0.5
            sys.stdout.write(f"| {order} | {by} | {len(net)} | {net.mean():.2f} | {error:.2f} |\n")


if __name__ == "__main__":
    main()

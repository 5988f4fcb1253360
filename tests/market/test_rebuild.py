"""Bars rebuilt into rows keep every figure of the bar and manufacture no pattern."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from turbo_trader.market.bridge import shapes
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance
from turbo_trader.market.rebuild import FUNDING_RATE, Order, rebuild
from turbo_trader.market.rebuild_kernel import BEAT
from turbo_trader.market.rows import (
    BAR,
    FIRST,
    FUNDING,
    KIND_MASK,
    LAST,
    LEVEL,
    MINUTE,
    RATE,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.state import new_states

START = 1_746_403_200_000_000_000


def instrument(symbol: str, tick: str, step: str) -> Instrument:
    return Instrument(
        symbol=symbol, status="Trading", tick=Decimal(tick), step=Decimal(step), min_qty=Decimal(step),
        max_qty=Decimal(10**6), max_market_qty=Decimal(10**5), min_notional=Decimal(5), min_price=Decimal(tick),
        max_price=Decimal(10**6), max_leverage=Decimal(50), leverage_step=Decimal("0.01"), funding_interval_min=480,
        funding_cap=Decimal("0.005"), price_limit_x=Decimal("0.05"), price_limit_y=Decimal("0.05"),
    )  # fmt: skip


XRP = instrument("XRPUSDT", "0.0001", "0.1")


def walk_bars(count: int, seed: int, points: int = 120, price: float = 2.2, tick: float = 1e-4) -> Rows:
    """Bars of a driftless random walk of 10 bp a minute."""
    draws = np.random.default_rng(seed)
    path = price * np.exp(np.cumsum(draws.standard_normal(count * points)) * 1e-3 / points**0.5)
    path = np.rint(np.concatenate(([price], path)) / tick) * tick
    inside, opens = path[1:].reshape(count, points), path[:-1][::points]
    bars = np.zeros(count, BAR)
    bars["ts"] = START + np.arange(count) * MINUTE
    bars["open"], bars["close"] = opens, inside[:, -1]
    bars["high"], bars["low"] = np.maximum(inside.max(1), opens), np.minimum(inside.min(1), opens)
    bars["volume"] = np.round(np.exp(draws.standard_normal(count)) * 3000, 1)
    return bars


def book_frames(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Times, mids and ten-level order-flow contributions of the book frames; fails on a crossed book or a
    delete of nothing.
    """
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    before: list[list[tuple[int, int]]] | None = None
    times, mids, flows = [], [], []
    for ts, lots, price, kind, side in zip(
        *(rows[name].tolist() for name in ("ts", "lots", "price", "kind", "side")), strict=True
    ):
        if kind & KIND_MASK == SNAPSHOT:
            sides[0].clear()
            sides[1].clear()
            before = None
        elif kind & KIND_MASK == LEVEL:
            book = sides[0] if side > 0 else sides[1]
            if lots == 0:
                del book[side * price]
            else:
                book[side * price] = lots
        else:
            continue
        if kind & LAST:
            now = [sorted(book.items(), reverse=True)[:10] for book in sides]
            bid, ask = now[0][0][0], -now[1][0][0]
            assert bid < ask
            times.append(ts)
            mids.append((bid + ask) / 2)
            flows.append(
                0.0 if before is None else contribution(now[0], before[0]) - contribution(now[1], before[1])
            )
            before = now
    return np.array(times), np.array(mids), np.array(flows)


def contribution(now: list[tuple[int, int]], before: list[tuple[int, int]]) -> float:
    return float(
        sum(
            (q if p >= p0 else 0) - (q0 if p <= p0 else 0)
            for (p, q), (p0, q0) in zip(now, before, strict=False)
        )
    )


def minute_of(rows: Rows) -> NDArray[np.int64]:
    return (rows["ts"] - START) // MINUTE


@pytest.mark.parametrize("order", ["random", "high-first", "low-first"])
def test_a_rebuilt_bar_keeps_its_open_high_low_close_and_volume(order: Order) -> None:
    bars = walk_bars(500, 1)
    rows = rebuild(bars, XRP, seed=7, order=order)
    assert rows.dtype == ROW
    assert (np.bincount(minute_of(rows)) >= 30).all()
    assert (np.diff(rows["ts"]) >= 0).all()
    trades = rows[rows["kind"] & KIND_MASK == TRADE]
    assert (trades["lots"] > 0).all()
    minute = minute_of(trades)
    assert (np.bincount(minute, trades["lots"]) == np.rint(bars["volume"] * 10)).all()
    high, low = np.zeros(500, np.int64), np.full(500, 10**9)
    np.maximum.at(high, minute, trades["price"])
    np.minimum.at(low, minute, trades["price"])
    assert (high == np.rint(bars["high"] * 1e4)).all()
    assert (low == np.rint(bars["low"] * 1e4)).all()
    last = np.flatnonzero(np.diff(minute, append=10**6))
    assert (trades["price"][last] == np.rint(bars["close"] * 1e4)).all()


def test_the_last_mid_of_a_bar_is_its_close_within_the_spread() -> None:
    bars = walk_bars(500, 2)
    times, mids, _ = book_frames(rebuild(bars, XRP, seed=7))
    at = np.searchsorted(times, bars["ts"] + MINUTE) - 1
    assert (np.abs(mids[at] - bars["close"] * 1e4) <= 2).all()


def test_times_lie_strictly_within_the_bar_and_frames_are_whole() -> None:
    rows = rebuild(walk_bars(300, 3), XRP, seed=7)
    within = (rows["ts"] - START) % MINUTE
    assert (within > 0).all()
    open_frames = np.cumsum(
        (rows["kind"] & FIRST > 0).astype(int) - np.concatenate(([0], (rows["kind"] & LAST > 0)[:-1]))
    )
    assert (open_frames == 1).all()


def test_the_asked_order_of_high_and_low_is_kept() -> None:
    bars = walk_bars(300, 4)
    orders: tuple[tuple[Order, bool], ...] = (("high-first", True), ("low-first", False))
    for order, early in orders:
        rows = rebuild(bars, XRP, seed=7, order=order)
        trades = rows[rows["kind"] & KIND_MASK == TRADE]
        minute = minute_of(trades)
        free = np.flatnonzero(
            (bars["open"] > bars["low"]) & (bars["open"] < bars["high"])
        )  # else there is no choice
        kept = 0
        for i in free:
            prices = trades["price"][minute == i]
            kept += (prices.argmax() < prices.argmin()) == early
        assert kept >= 0.95 * len(free)  # a price within half a tick of an extreme rounds to it


def test_rows_depend_on_seed_symbol_and_bar_only_not_on_what_was_rebuilt_with_it() -> None:
    bars = walk_bars(200, 5)
    whole = rebuild(bars, XRP, seed=7)
    assert whole.tobytes() == rebuild(bars, XRP, seed=7).tobytes()
    assert whole.tobytes() != rebuild(bars, XRP, seed=8).tobytes()
    part = rebuild(bars[50:150], XRP, seed=7)
    inner = (START + 70 * MINUTE, START + 130 * MINUTE)
    a, b = (
        r[(r["kind"] & KIND_MASK == TRADE) & (r["ts"] > inner[0]) & (r["ts"] < inner[1])]
        for r in (whole, part)
    )
    assert a.tobytes() == b.tobytes()


def test_a_gap_between_bars_begins_a_new_book() -> None:
    bars = np.delete(walk_bars(20, 6), [7, 8])
    rows = rebuild(bars, XRP, seed=7)
    assert (rows["kind"] & KIND_MASK == SNAPSHOT).sum() == 2


def test_flat_and_empty_bars_are_rebuilt_too() -> None:
    bars = walk_bars(3, 8)
    for name in ("open", "high", "low", "close"):
        bars[name] = 2.2
    bars["volume"] = [0.0, 0.2, 100.0]
    rows = rebuild(bars, XRP, seed=1)
    times, mids, _ = book_frames(rows)
    assert len(times) >= 24
    assert (np.abs(mids - 22_000) <= 1).all()
    trades = rows[rows["kind"] & KIND_MASK == TRADE]
    assert np.bincount(minute_of(trades), trades["lots"], 3).tolist() == [0, 2, 1000]
    assert len(rebuild(bars[:0], XRP, seed=1)) == 0


def test_funding_runs_from_the_settled_rate_to_the_coming_one_before_it_settles() -> None:
    funding = np.zeros(3, FUNDING_RATE)
    funding["ts"] = START + np.arange(3) * 480 * MINUTE + 3_000_000  # settlement times as recorded: 3 ms late
    funding["rate"] = [1e-4, -1e-4, 3e-4]
    rows = rebuild(walk_bars(960, 9), XRP, seed=7, funding=funding)
    rates = rows[rows["kind"] & KIND_MASK == FUNDING]
    assert len(rates) == 15
    assert set(rates["spare"].tolist()) == {480}
    settled = rates["lots"][np.searchsorted(rates["ts"], START + np.array([480, 960]) * MINUTE) - 1]
    assert settled.tolist() == [-1e-4 * RATE, 3e-4 * RATE]


@pytest.mark.long
def test_order_flow_and_past_moves_of_a_driftless_walk_say_nothing_of_what_follows() -> None:
    """Rules, section 9: information coefficient 0 within two standard errors; but flow and price move
    together.
    """
    pooled: list[NDArray[np.float64]] = []
    for seed, points in ((11, 60), (12, 240), (13, 600)):
        bars = walk_bars(2_500, seed, points)
        times, mids, flows = book_frames(rebuild(bars, XRP, seed=seed))
        grid = START + 30 * SECOND * np.arange(2, 2 * 2_500 - 1)
        total, absolute = (np.concatenate(([0.0], np.cumsum(f))) for f in (flows, np.abs(flows)))
        now, before, after = (np.searchsorted(times, grid + d * SECOND, "right") for d in (0, -30, 30))
        score = (total[now] - total[before]) / np.maximum(absolute[now] - absolute[before], 1.0)
        level = np.log(mids)
        pooled.append(
            np.stack([score, level[now - 1] - level[before - 1], level[after - 1] - level[now - 1]])
        )
    table = np.atleast_2d(np.corrcoef(np.concatenate(pooled, axis=1)))
    error = sum(p.shape[1] for p in pooled) ** -0.5
    assert abs(table[0, 2]) < 2 * error
    assert abs(table[1, 2]) < 2 * error
    assert table[0, 1] > 0.5


def test_the_library_of_shapes_touches_both_ends_and_fills_every_class() -> None:
    library = shapes()
    opens = library.opens
    assert np.allclose(np.maximum(library.highs.max(1), opens), 1.0, atol=1e-5)
    assert np.allclose(np.minimum(library.lows.min(1), opens), 0.0, atol=1e-5)
    assert (library.count > 0).all()


def test_the_book_of_a_rebuilt_tape_is_never_stale() -> None:
    """The data gate calls a book of more than 5 s stale: 27 % of scans were blocked for it."""
    rows = rebuild(walk_bars(500, 12), XRP, seed=7)
    book = rows[(rows["kind"] & KIND_MASK == LEVEL) & (rows["kind"] & LAST > 0)]
    assert np.diff(book["ts"]).max() <= BEAT
    assert (START + 500 * MINUTE) - book["ts"][-1] < 2 * BEAT
    assert len(rows) / 500 < 70  # rows cost time


def test_a_beat_touches_no_price_and_no_order_flow() -> None:
    rows = rebuild(walk_bars(300, 13), XRP, seed=7)
    states = new_states(
        [XRP], flow_window_s=30, vol_half_life_min=30.0, slow_vol_half_life_min=1440.0, jump_sigmas=6.0, jump_fraction=0.005
    )  # fmt: skip
    beats = np.flatnonzero((rows["kind"] == LEVEL | WHOLE) & (rows["ts"] > START) & (rows["price"] > 0))[:300]
    at, seen = 0, 0
    for beat in beats:
        at, _ = advance(states, 0, rows, at, int(rows["ts"][beat]))
        before = tuple(int(states[name][0]) for name in ("bid", "ask", "ofi", "ofi_abs", "prev_valid"))
        at, _ = advance(states, 0, rows, at, int(rows["ts"][beat]) + 1)
        if at != beat + 1:
            continue  # a print of the same moment: no beat
        seen += 1
        assert (
            tuple(int(states[name][0]) for name in ("bid", "ask", "ofi", "ofi_abs", "prev_valid")) == before
        )
    assert seen > 200


def test_a_bar_without_volume_has_a_book_and_no_prints() -> None:
    bars = walk_bars(60, 14)
    bars["volume"][20:30] = 0.0
    rows = rebuild(bars, XRP, seed=7)
    quiet = rows[(minute_of(rows) >= 20) & (minute_of(rows) < 30)]
    assert not (quiet["kind"] & KIND_MASK == TRADE).any()
    assert (quiet["kind"] & KIND_MASK == LEVEL).any()

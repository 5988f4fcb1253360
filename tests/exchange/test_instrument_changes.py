"""Instruments that change while the venue runs: limits, a finer grid, the end of a contract."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.instrument_changes import finer
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import FINE, INDEX, LEVEL, MARK, NEVER, ROW, SECOND, TRADE, WHOLE

D = Decimal


def relist(rig: Any, **figures: Any) -> tuple[int, int]:
    """Change the rig's instrument; its own rows stay in the old units."""
    new: Instrument = replace(rig.x.instruments[0], **figures)
    k, m = rig.x.listing.relist(new)
    return k, m


def held_with_orders(rig: Any) -> None:
    rig.market(1, "0.010", stop_loss=D("49800.0"), take_profit=D("50500.0"))
    rig.limit(1, "0.010", "50000.0", link_id="entry")
    rig.limit(-1, "0.005", "50100.0", link_id="exit", reduce_only=True)


def test_new_limits_hold_for_new_orders_and_leave_the_old_ones(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="old")
    relist(rig, max_qty=D("0.009"), max_market_qty=D("0.004"), min_notional=D(60))
    assert rig.limit(1, "0.010", "50000.0") == 10001
    assert rig.market(1, "0.005") == 10001
    assert rig.market(1, "0.001") == 110094
    assert rig.amend("old", price="49990.0") == 0
    assert rig.amend("old", qty="0.011") == 10001
    assert rig.order("old").open


def test_a_finer_grid_keeps_orders_positions_queues_and_the_book(rig: Any) -> None:
    held_with_orders(rig)
    rig.trade(500_000, 400, -1)
    assert relist(rig, tick=D("0.05"), step=D("0.0005"), min_qty=D("0.0005")) == (2, 2)
    state = rig.x.states[0]
    assert (int(state["bid"]), int(state["ask"]), int(state["last"])) == (1_000_000, 1_000_020, 1_000_000)
    assert rig.order("entry").place.ahead == 1200
    assert rig.x.last(0) == D("50000.0")
    assert rig.limit(1, "0.0005", "49999.95", link_id="fine") == 0
    assert rig.market(-1, "0.0105", reduce_only=True) == 0
    assert rig.size() == 0
    assert not [o for o in rig.x.open_orders("u") if o.close_on_trigger]


@pytest.mark.parametrize(
    "figures", [{"tick": D("0.2")}, {"tick": D("0.03")}, {"step": D("0.01")}, {"tick": D("0.00001")}]
)
def test_a_grid_the_tape_cannot_follow_is_refused(rig: Any, figures: dict[str, Decimal]) -> None:
    before = rig.x.instruments
    with pytest.raises(InputError, match="BTCUSDT: tick"):
        relist(rig, **figures)
    assert rig.x.instruments == before


@given(
    k=st.sampled_from([1, 2, 5]),
    m=st.sampled_from([1, 2, 4]),
    moves=st.lists(
        st.tuples(st.sampled_from([TRADE, LEVEL, MARK, INDEX]), st.integers(-30, 30), st.integers(1, 50)),
        max_size=30,
    ),
    at=st.integers(0, 30),
)
def test_money_does_not_see_the_grid(
    rigs: Any, k: int, m: int, moves: list[tuple[int, int, int]], at: int
) -> None:
    plain, fine = rigs(), rigs()
    for rig in (plain, fine):
        held_with_orders(rig)
    first = plain.now
    rows = np.array([_row(first + (n + 1) * SECOND, *move) for n, move in enumerate(moves)], ROW)
    plain.feed(*np.split(rows, range(1, len(rows))) if len(rows) else ())
    for n, row in enumerate(np.split(rows, range(1, len(rows))) if len(rows) else ()):
        if n == at:
            tick, step = fine.x.instruments[0].tick, fine.x.instruments[0].step
            assert relist(fine, tick=tick / k, step=step / m) == (k, m)
        fine.feed(finer(row, k, m) if n >= at else row)
    shown = plain.x.instruments[0].tick  # a fill shows mark and index in the tick of its time
    assert [replace(fill, tick=shown) for fill in plain.fills()] == [
        replace(fill, tick=shown) for fill in fine.fills()
    ]
    assert plain.x.wallet("u") == fine.x.wallet("u")
    assert plain.order_states() == fine.order_states()


def _row(ts: int, kind: int, shift: int, lots: int) -> tuple[int, ...]:
    price = 500_005 + shift
    side = 1 if shift < 0 else -1
    return (ts, price * FINE if kind in (MARK, INDEX) else lots, price, kind | WHOLE, side, 0)


def test_a_contract_that_ends_takes_no_new_positions(rig: Any) -> None:
    held_with_orders(rig)
    relist(rig, status="Delivering", delivery_ns=rig.now + 100 * SECOND)
    assert rig.market(1, "0.001") == 30228
    assert rig.limit(-1, "0.001", "50001.0") == 30228
    assert rig.market(-1, "0.004", reduce_only=True) == 0
    assert rig.size() == D("0.006")


def test_at_the_delivery_time_orders_end_and_positions_are_settled_at_the_mark(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    held_with_orders(rig)
    rig.market(-1, "0.020", uid="u2")
    ends = rig.now + 100 * SECOND
    rig.mark(501_000)
    relist(rig, status="Delivering", delivery_ns=ends)
    rig.x.settle(ends - 1)
    assert rig.size() == D("0.010")
    assert rig.x.next_time() == ends
    before = rig.x.wallet("u")
    rig.x.drain()
    rig.x.settle(ends)
    assert (rig.size(), rig.size("u2")) == (0, 0)
    assert rig.x.wallet("u") - before == D("0.010") * (D("50100.0") - D("50001.0"))  # no fee
    entry, fill = rig.x.accounts["u"].log[-1], rig.fills()[-1]
    assert (entry.kind, fill.kind, fill.create_type, fill.link_id) == (
        "DELIVERY",
        "Delivery",
        "CreateBySettle",
        "",
    )
    assert fill.order_id not in rig.x.accounts["u"].orders
    assert set(rig.ended().values()) == {"CancelBySettle"}
    assert not rig.x.open_orders("u")
    assert rig.x.instruments[0].status == "Closed"
    assert rig.market(1, "0.001") == 110074
    assert rig.x.next_time() == NEVER

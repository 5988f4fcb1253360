"""S11, S12, S24: reports on any channel, twice, in any order; cumExecQty is the truth; missed fills come by REST."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Read

D = Decimal
FIXTURE = [HealthCheck.function_scoped_fixture]  # it only hands out a class


def test_s11_a_fill_alone_ends_the_retry(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    assert stage.state().entry is None
    before = len(stage.all(Read, link_id=sent.id))
    stage.wait(5)
    assert len(stage.all(Read, link_id=sent.id)) == before


def test_s11_the_order_report_before_the_fill_waits_for_the_fill(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.order(sent, "Filled", sent.qty))
    assert stage.state().entry is not None
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    assert stage.state().entry is None


def test_s12_a_cancelled_order_with_a_fill_has_a_fill(stage: Any) -> None:
    sent = stage.enter()
    part = D("0.5")
    stage.deliver(stage.order(sent, "Cancelled", part))
    assert stage.state().entry is not None
    stage.deliver(stage.fill(sent.id, 1, part, str(sent.price)))
    stage.deliver(stage.order(sent, "Cancelled", part))
    assert stage.state().entry is None
    assert stage.state().held == part


def test_s12_the_report_of_a_part_fill_that_is_closed_already_ends_the_entry(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.fill(sent.id, 1, "0.5", str(sent.price)))
    stage.deliver(stage.fill("", -1, "0.5", "99.5", closed="0.5", stop_type="StopLoss"))
    stage.deliver(stage.order(sent, "Cancelled", "0.5"))
    assert stage.state().entry is None
    assert not stage.state().open


def test_s24_a_fill_missed_by_the_stream_comes_by_rest_and_counts_once(stage: Any) -> None:
    sent = stage.enter()
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    stage.clock(31)
    stage.snapshot("999.99", fills=(fill,), positions=(stage.position(str(sent.qty), str(sent.stop_loss)),))
    assert stage.state().held == sent.qty
    stage.deliver(fill)
    assert stage.state().held == sent.qty
    assert stage.inside._state.ledger.fees == fill.fee


def messages(stage: Any, sent: Any) -> list[Any]:
    """A trade from entry to stop, as the venue tells it."""
    half, price = sent.qty / 2, str(sent.price)
    total, now = str(sent.qty), stage.now
    return [
        stage.fill(sent.id, 1, half, price, ts=now + 1),
        stage.fill(sent.id, 1, half, price, ts=now + 2),
        stage.order(sent, "Filled", sent.qty),
        stage.position(total, str(sent.stop_loss), str(sent.take_profit)),
        stage.fill("", -1, half, "99.50", closed=str(half), stop_type="StopLoss", pnl=D("-1.25"), ts=now + 3),
        stage.fill("", -1, half, "99.50", closed=str(half), stop_type="StopLoss", pnl=D("-1.25"), ts=now + 4),
        stage.position("0"),
    ]


def played(staged: Any, order: list[int]) -> Any:
    stage = staged()
    stage.recover()
    sent = stage.enter(take_profit=0.01)
    reported = messages(stage, sent)
    for i in order:
        stage.deliver(reported[i])
    return stage


# some come twice
ORDERS = st.permutations([0, 1, 2, 3, 4, 5, 6, 0, 4, 5])


@settings(max_examples=100, deadline=None, suppress_health_check=FIXTURE)
@given(order=ORDERS)
def test_s11_any_order_and_repetition_ends_at_the_same_size_and_money(staged: Any, order: list[int]) -> None:
    stage = played(staged, order)
    state, ledger = stage.state(), stage.inside._state.ledger
    assert (state.held, state.venue.size, state.trade, state.blocks.frozen, state.early) == (
        0,
        0,
        None,
        "",
        [],
    )
    assert (ledger.results, ledger.fees) == (D("-2.50"), D("0.04"))
    assert ledger.balance == D(1000) - D("2.50") - D("0.04")
    assert state.entry is None


@settings(max_examples=20, deadline=None, suppress_health_check=FIXTURE)
@given(order=ORDERS)
def test_the_same_events_give_the_same_commands(staged: Any, order: list[int]) -> None:
    first, second = (played(staged, order) for _ in range(2))
    assert [str(c) for c in first.given] == [str(c) for c in second.given]


def test_s11_an_order_whose_fills_come_at_once_needs_no_look_up(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.order(sent, "Filled", sent.qty))
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    stage.wait(5)
    assert not stage.all(Read, link_id=sent.id)


def test_s11_an_order_whose_fills_do_not_come_is_looked_up_in_50_ms(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.order(sent, "Filled", sent.qty))
    stage.deliver(stage.order(sent, "Filled", sent.qty))
    assert not stage.all(Read, link_id=sent.id)
    assert stage.trader.next_time() == stage.now + SECOND // 20
    stage.wait(1)
    read = stage.last(Read, link_id=sent.id)
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    stage.read(read, orders=(stage.order(sent, "Filled", sent.qty),), fills=(fill,))
    assert stage.state().entry is None
    assert stage.state().held == sent.qty


def test_s11_a_report_during_a_look_up_leaves_no_timer_that_is_always_due(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    assert len(stage.all(Read, link_id=sent.id)) == 1  # under way, and from before the report
    stage.deliver(stage.order(sent, "Filled", sent.qty))
    stage.clock(0.06)
    assert stage.trader.next_time() > stage.now
    assert len(stage.all(Read, link_id=sent.id)) == 2

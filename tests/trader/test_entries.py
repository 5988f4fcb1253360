"""Entries: sent once, protected, followed until their outcome is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.rules.gate import BLOCK, PASS
from turbo_trader.trader.commands import Persist, PlaceOrder, Read, SetLeverage


def test_an_entry_carries_stop_and_backstop_and_is_sent_once(stage: Any) -> None:
    sent = stage.enter()
    assert (sent.order_type, sent.time_in_force, sent.reduce_only) == ("Limit", "IOC", False)
    assert sent.stop_loss < sent.price < sent.take_profit
    assert sent.recv_window_ms == stage.policy.entry_recv_window
    stage.answer(sent)
    stage.wait(5)
    assert stage.entries == [sent]


def test_a_short_carries_its_exits_the_other_way_round(stage: Any) -> None:
    sent = stage.enter(direction=-1)
    assert sent.side == -1
    assert sent.take_profit < sent.price < sent.stop_loss


def test_the_intent_is_persisted_before_the_order_leaves(stage: Any) -> None:
    sent = stage.enter()
    kinds = [
        c for c in stage.given if isinstance(c, PlaceOrder) or (isinstance(c, Persist) and "entry:" in c.key)
    ]
    assert isinstance(kinds[0], Persist)
    assert kinds[0].value["id"] == sent.id
    assert kinds[1] is sent


def test_the_limit_stays_within_five_basis_points_of_the_touch(stage: Any) -> None:
    sent = stage.enter()
    assert Decimal("100.01") <= sent.price <= Decimal("100.01") * Decimal("1.0005")


def test_the_leverage_is_confirmed_before_the_entry_leaves(stage: Any) -> None:
    assert stage.decide().value == PASS
    assert stage.entries == []
    stage.answer(stage.last(SetLeverage))
    assert len(stage.entries) == 1


def test_a_refused_leverage_gives_the_entry_up(stage: Any) -> None:
    stage.decide()
    stage.answer(stage.last(SetLeverage), "rejected", 110013)
    assert stage.entries == []
    assert stage.state().entry is None


def test_the_answer_to_one_symbols_leverage_never_sends_anothers_entry(stage: Any) -> None:
    stage.decide(0)
    stage.decide(1)
    stage.answer(stage.last(SetLeverage, symbol="BBBUSDT"))
    assert [sent.symbol for sent in stage.entries] == ["BBBUSDT"]
    stage.answer(stage.last(SetLeverage, symbol="AAAUSDT"))
    assert [sent.symbol for sent in stage.entries] == ["BBBUSDT", "AAAUSDT"]


def test_without_a_book_there_is_no_entry(staged: Any) -> None:
    stage = staged()
    assert stage.decide().value == BLOCK
    assert stage.entries == []


def test_a_refused_entry_is_over(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "rejected", 110007)
    assert stage.state().entry is None
    assert stage.kept["entry:AAAUSDT"] == {}
    assert stage.state().unresolved == ""  # nothing keeps the symbol from the next
    assert [each["state"] for each in stage.kept["ended:AAAUSDT"]["entries"]] == ["ended"]


@pytest.mark.parametrize(
    ("outcome", "code", "why"),
    [
        ("confirmed", 0, "its leverage was set 11.0 s after the scan, more than 10 s"),
        ("rejected", 110013, "its leverage was refused: 110013 rejected"),
        ("unknown", -1, "its leverage is not known to be set: unknown"),
    ],
)
def test_an_entry_given_up_over_its_leverage_says_why(stage: Any, outcome: str, code: int, why: str) -> None:
    stage.decide()
    stage.clock(11 if outcome == "confirmed" else 0)
    stage.answer(stage.last(SetLeverage), outcome, code)
    (note,) = stage.notes("entry-ended")
    assert note.fields["why"] == why
    assert stage.entries == []


def test_a_report_whose_status_cannot_be_read_concludes_nothing(stage: Any) -> None:
    sent = stage.enter()
    before = stage.state().entry.state
    stage.deliver(stage.order(sent, ""))
    assert stage.state().entry.state is before
    assert not stage.notes("entry-ended")


def test_filled_without_a_quantity_is_not_taken_for_unfilled(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.order(sent, "Filled", "0"))
    assert not stage.notes("entry-ended")
    assert stage.state().entry is not None
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    assert stage.state().entry is None
    assert stage.state().held == sent.qty


def test_an_entry_is_noted_with_its_target_and_stop(stage: Any) -> None:
    sent = stage.enter()
    fields = stage.notes("entry")[-1].fields
    d = int(sent.side)
    assert fields["take_profit"] == sent.price * (1 + d * fields["take_profit_pct"] / 100)
    assert fields["stop_loss"] == sent.price * (1 - d * fields["stop_loss_pct"] / 100)
    margin = stage.state().entry.margin
    assert fields["balance_pct"] == round(100 * margin / stage.inside._state.balance(), 1)
    assert fields["size_usdt"] == round(sent.qty * sent.price, 2)


def test_a_sent_entry_is_looked_up_after_two_seconds_of_silence_and_not_before(stage: Any) -> None:
    sent = stage.enter()
    stage.clock(1)
    assert not stage.all(Read, link_id=sent.id)
    stage.clock(1.5)
    assert len(stage.all(Read, link_id=sent.id)) == 1


def test_a_leverage_that_is_set_is_not_set_again(stage: Any) -> None:
    first = stage.enter()
    stage.answer(first, "rejected", 110007)
    again = stage.enter()
    assert again.id != first.id
    assert len(stage.all(SetLeverage, symbol=first.symbol)) == 1


def test_figures_of_an_entry_are_noted_to_so_many_digits(staged: Any) -> None:
    stage = staged()
    stage.recover("997.13")
    stage.enter(take_profit=0.0123456789, stop_loss=0.0054321943)
    fields = stage.notes("entry")[-1].fields
    digits = {name: len(f"{fields[name]:f}".partition(".")[2]) for name in DIGITS}
    assert digits == DIGITS


DIGITS = {
    "size_usdt": 2,
    "balance_pct": 1,
    "take_profit": 8,
    "stop_loss": 8,
    "take_profit_pct": 3,
    "stop_loss_pct": 3,
}

"""S20, S21: a stop is changed in place and survives every cancel; a forced close ends the trade under its own name."""

from __future__ import annotations

from typing import Any

import pytest

from turbo_trader.trader.commands import CancelOrder, PlaceOrder


def test_s20_a_stop_moves_by_one_change_and_nothing_is_cancelled(stage: Any) -> None:
    sent = stage.hold()
    stage.quote("100.60", "100.61", mark="100.60")
    assert stage.stops
    assert stage.stops[-1].stop_loss > sent.stop_loss
    assert not stage.all(CancelOrder)
    assert {order.purpose for order in stage.all(PlaceOrder)} == {"entry"}


def test_s20_flattening_cancels_no_stop(stage: Any) -> None:
    from turbo_trader.trader import events

    stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "a person"))
    (close,) = stage.closes
    assert close.reduce_only
    assert not stage.all(CancelOrder)
    assert all(change.stop_loss for change in stage.stops)


@pytest.mark.parametrize(("kind", "reason"), [("BustTrade", "liquidation"), ("AdlTrade", "adl")])
def test_s21_a_forced_close_while_a_stop_change_is_pending_ends_the_trade(
    stage: Any, kind: str, reason: str
) -> None:
    sent = stage.hold()
    stage.quote("100.60", "100.61", mark="100.60")
    pending = stage.stops[-1]
    stage.deliver(stage.fill("", -1, sent.qty, "99", closed=str(sent.qty), kind=kind))
    stage.deliver(stage.position("0"))
    stage.answer(pending, "rejected", 10001)
    (trade,) = stage.notes("trade")
    assert trade.fields["reason"] == reason
    state = stage.state()
    assert (state.held, state.trade, state.bracket, state.blocks.frozen) == (0, None, None, "")
    stage.wait(40)
    assert stage.stops[-1] is pending
    assert not stage.closes

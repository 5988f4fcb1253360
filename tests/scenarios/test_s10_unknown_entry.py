"""S10: an entry of unknown outcome is looked up, never sent again, and given up only after an answered look-up past its window."""

from __future__ import annotations

from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Read


def look_ups(stage: Any, sent: Any) -> list[Any]:
    found: list[Any] = stage.all(Read, link_id=sent.id)
    return found


def test_s10_a_timeout_is_looked_up_and_never_sent_again(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    assert len(look_ups(stage, sent)) == 1
    assert "unknown outcome" in stage.state().unresolved
    for _ in range(20):
        stage.clock(1)
        stage.read(look_ups(stage, sent)[-1], "unknown")
    assert stage.entries == [sent]
    assert stage.state().entry is not None


def test_s10_silence_is_looked_up_too(stage: Any) -> None:
    sent = stage.enter()
    stage.wait(4)
    assert look_ups(stage, sent)
    assert stage.entries == [sent]


def test_s10_absent_inside_its_window_decides_nothing(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    stage.clock(5)
    stage.read(look_ups(stage, sent)[-1])
    assert stage.state().entry is not None


def test_s10_absent_past_its_window_is_abandoned(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    stage.clock(5)
    stage.read(look_ups(stage, sent)[-1], "unknown")
    stage.clock(10)
    stage.read(look_ups(stage, sent)[-1])
    assert stage.state().entry is None
    assert stage.entries == [sent]


def test_s10_a_look_up_asked_inside_the_window_and_answered_late_decides_nothing(stage: Any) -> None:
    sent = stage.enter()
    asked = stage.now + SECOND
    stage.answer(sent, "unknown", -1)
    stage.clock(60)
    stage.read(look_ups(stage, sent)[0], asked=asked)
    assert stage.state().entry is not None


def test_s10_found_filled_is_ours(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    found = stage.order(sent, "Filled", sent.qty)
    stage.read(look_ups(stage, sent)[-1], orders=(found,), fills=(fill,))
    assert stage.state().held == sent.qty
    assert stage.state().entry is None
    assert stage.state().bracket.stop == sent.stop_loss


def test_s10_a_duplicate_id_is_ours_only_if_the_stored_order_matches(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "rejected", 110072)
    other = stage.order(sent, "Filled", sent.qty)
    other = type(other)(
        **{name: getattr(other, name) for name in other.__dataclass_fields__} | {"qty": sent.qty * 2}
    )
    stage.read(look_ups(stage, sent)[-1], orders=(other,))
    assert stage.state().blocks.frozen
    assert (stage.state().held, stage.state().entry) == (0, None)
    stage.wait(5)
    assert len(stage.notes("frozen")) == 1


@pytest.mark.parametrize("kind", ["Cancelled", "Rejected"])
def test_s10_found_ended_without_a_fill_is_over(stage: Any, kind: str) -> None:
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    stage.read(look_ups(stage, sent)[-1], orders=(stage.order(sent, kind),))
    assert stage.state().entry is None


def given_up(stage: Any) -> Any:
    """An entry that was never found in its window."""
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    stage.clock(15)
    stage.read(look_ups(stage, sent)[-1])
    assert stage.state().entry is None
    return sent


def test_s10_a_late_fill_of_an_abandoned_entry_is_still_ours(stage: Any) -> None:
    sent = given_up(stage)
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    state = stage.state()
    assert (state.held, state.blocks.frozen) == (sent.qty, "")
    assert state.bracket.stop == sent.stop_loss


def test_s10_a_late_fill_of_an_abandoned_entry_is_still_ours_after_a_restart(stage: Any) -> None:
    sent_ts = stage.now
    sent = given_up(stage)
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    new = stage.restart()
    new._seq, new._execs = 1000, 1000
    report = new.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit))
    balance = stage.inside._state.ledger.balance - fill.fee
    new.recover(str(balance), positions=(report,), fills=(fill,))
    assert new.all(Read)[0].since <= sent_ts  # the first snapshot asked for it
    state = new.state()
    assert (state.held, state.blocks.frozen, state.trade.entry_id) == (sent.qty, "", sent.id)
    assert state.bracket.stop == sent.stop_loss
    assert not new.notes("foreign-fill") + new.notes("transfer")


def test_s10_after_a_restart_a_late_fill_without_a_stop_gets_one(stage: Any) -> None:
    sent = given_up(stage)
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    new = stage.restart()
    new._seq, new._execs = 1000, 1000
    balance = stage.inside._state.ledger.balance - fill.fee
    new.recover(str(balance), positions=(new.position(str(sent.qty)),), fills=(fill,))
    assert new.stops[-1].stop_loss == sent.stop_loss

"""Post-only entries: at the touch, given up in time, withdrawn when nothing may open, and never lost sight of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.trader import events
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Read

D = Decimal
MAKER = Policy.from_env({"ENTRY_STYLE": "maker"})


def recovered(staged: Any, policy: Policy) -> Any:
    """A stage with both streams up."""
    stage = staged(policy=policy)
    stage.recover()
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PUBLIC, True))
    return stage


@pytest.fixture
def maker(staged: Any) -> Any:
    """A stage whose entries are post-only."""
    return recovered(staged, MAKER)


def rest(stage: Any) -> PlaceOrder:
    """An entry accepted and resting."""
    sent: PlaceOrder = stage.enter()
    stage.answer(sent)
    stage.deliver(stage.order(sent, "New"))
    return sent


def cancels(stage: Any) -> list[CancelOrder]:
    found: list[CancelOrder] = stage.all(CancelOrder)
    return found


def test_a_maker_entry_is_post_only_at_its_own_touch_with_stop_and_backstop(maker: Any) -> None:
    sent = maker.enter()
    assert (sent.order_type, sent.time_in_force, sent.price) == ("Limit", "PostOnly", D("100.00"))
    assert sent.stop_loss < sent.price < sent.take_profit


@pytest.mark.parametrize(("env", "seconds"), [({}, 10), ({"MAKER_PATIENCE": "4"}, 4)])
def test_it_rests_undisturbed_until_its_patience_is_over_and_is_cancelled_then(
    staged: Any, env: dict[str, str], seconds: int
) -> None:
    maker = recovered(staged, Policy.from_env({"ENTRY_STYLE": "maker", **env}))
    sent = rest(maker)
    reads = len(maker.all(Read, link_id=sent.id))
    maker.wait(seconds - 1)
    assert not cancels(maker)
    assert len(maker.all(Read, link_id=sent.id)) == reads  # resting is not unknown
    maker.wait(1)
    assert [c.link_id for c in cancels(maker)] == [sent.id]
    maker.answer(cancels(maker)[0])
    maker.deliver(maker.order(sent, "Cancelled"))
    assert maker.state().entry is None
    assert maker.kept["entry:AAAUSDT"] == {}


def test_it_is_over_once_it_is_filled(maker: Any) -> None:
    sent = rest(maker)
    maker.deliver(maker.fill(sent.id, 1, sent.qty, "100.00"))
    assert maker.state().entry is None
    assert maker.state().held == sent.qty
    maker.wait(MAKER.maker_patience + 5)
    assert not cancels(maker)


def test_a_part_that_was_filled_is_kept_and_guarded_when_the_rest_is_withdrawn(maker: Any) -> None:
    sent = rest(maker)
    part = D("1.0")
    maker.deliver(maker.fill(sent.id, 1, part, "100.00"))
    maker.deliver(maker.position(str(part), str(sent.stop_loss), str(sent.take_profit)))
    assert maker.state().bracket is not None
    maker.wait(MAKER.maker_patience)
    maker.answer(cancels(maker)[0])
    maker.deliver(maker.order(sent, "Cancelled", part))
    assert maker.state().entry is None
    assert maker.state().held == part


def test_a_fill_that_crosses_its_cancel_is_waited_for(maker: Any) -> None:
    sent = rest(maker)
    maker.wait(MAKER.maker_patience)
    maker.answer(cancels(maker)[0])
    maker.deliver(maker.order(sent, "Cancelled", "2.0"))  # its execution has not come yet
    assert maker.state().entry is not None
    maker.deliver(maker.fill(sent.id, 1, "2.0", "100.00"))
    read = maker.last(Read, link_id=sent.id)
    maker.read(read, orders=(maker.order(sent, "Cancelled", "2.0"),))
    assert maker.state().entry is None
    assert maker.state().held == D("2.0")


def test_a_cancel_refused_because_the_order_is_gone_is_looked_up(maker: Any) -> None:
    sent = rest(maker)
    maker.wait(MAKER.maker_patience)
    maker.answer(cancels(maker)[0], "rejected", 110001)
    read = maker.last(Read, link_id=sent.id)
    assert maker.state().entry is not None  # refused is not gone: it may be filled
    fill = maker.fill(sent.id, 1, sent.qty, "100.00")
    maker.read(read, orders=(maker.order(sent, "Filled", sent.qty),), fills=(fill,))
    assert maker.state().entry is None
    assert maker.state().held == sent.qty


def test_a_cancel_without_a_final_report_is_sent_again_and_the_order_looked_up(maker: Any) -> None:
    sent = rest(maker)
    maker.wait(MAKER.maker_patience + 4)
    assert len(cancels(maker)) >= 2
    assert {c.link_id for c in cancels(maker)} == {sent.id}
    assert maker.all(Read, link_id=sent.id)


@pytest.mark.parametrize("verb", ["halt", "flatten", "stop"])
def test_a_person_who_stops_trading_takes_the_resting_entry_back_at_once(maker: Any, verb: str) -> None:
    sent = rest(maker)
    maker.deliver(events.Control(maker.now, verb, "a person"))
    maker.wait(1)
    assert [c.link_id for c in cancels(maker)] == [sent.id]


def test_stop_and_leave_takes_the_resting_entry_back(maker: Any) -> None:
    sent = rest(maker)
    maker.deliver(events.Control(maker.now, "stop", "a person", {"leave": True}))
    assert [c.link_id for c in cancels(maker)] == [sent.id]


def test_market_data_lost_withdraws_it(maker: Any) -> None:
    sent = rest(maker)
    maker.deliver(events.StreamStatus(maker.now, events.StreamKind.PUBLIC, False))
    maker.wait(1)
    assert [c.link_id for c in cancels(maker)] == [sent.id]


def test_after_a_restart_it_is_looked_up_and_withdrawn(maker: Any) -> None:
    sent = rest(maker)
    again = maker.restart(seconds=30)
    again.recover(orders=(maker.order(sent, "New"),))
    again.wait(3)
    assert again.all(Read, link_id=sent.id)
    assert sent.id in {c.link_id for c in cancels(again)}


def test_a_post_only_that_would_take_ends_without_a_position(maker: Any) -> None:
    sent = maker.enter()
    maker.answer(sent)
    maker.deliver(maker.order(sent, "Cancelled"))
    assert maker.state().entry is None
    assert maker.state().held == 0

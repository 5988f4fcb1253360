"""The guard's decisions: it cancels, tightens and closes what the journal knows to be ours, and never opens or loosens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import Bracket, exit_rules
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetStops
from turbo_trader.trader.events import Fill, OrderReport, PositionReport
from turbo_trader.trader.guard_interventions import (
    Intervention,
    Remedy,
    command,
    damaged,
    guard_rules,
    interventions,
    opened_by_us,
    unprotected,
)
from turbo_trader.trader.ids import Ids

D = Decimal
NOW = 1_767_603_600 * SECOND
RULES = guard_rules(Policy())
BOOTS = ("b1",)
SOON = 1 * SECOND


def position(size: str, stop: str | None, symbol: str = "AAAUSDT") -> PositionReport:
    return PositionReport(
        ts=NOW,
        symbol=symbol,
        size=D(size),
        entry_price=D(100),
        leverage=D(10),
        stop_loss=D(stop) if stop else None,
        take_profit=None,
        liq_price=None,
        mark_price=D(100),
        margin=D(10),
        seq=1,
    )


def order(link_id: str, *, reduce_only: bool = False, stop_type: str = "") -> OrderReport:
    return OrderReport(
        ts=NOW,
        symbol="AAAUSDT",
        order_id="o",
        link_id=link_id,
        parent_link_id="",
        side=Side.BUY,
        qty=D(1),
        filled=D(0),
        price=D(100),
        avg_price=None,
        status="New",
        reduce_only=reduce_only,
        stop_type=stop_type,
    )


def kept(direction: int = 1, *, opened: int = NOW, hold_s: int = 900) -> dict[str, Any]:
    bracket = Bracket(
        direction=direction,
        entry=D(100),
        tick=D("0.01"),
        take_profit=D("0.01"),
        stop_loss=D("0.005"),
        cost=D("0.001"),
        opened_ns=opened,
        hold_ns=hold_s * SECOND,
        rules=exit_rules(Policy()),
    )
    return {"position:AAAUSDT": {"bracket": msgspec.to_builtins(bracket), "trade": {}, "held": "1"}}


def test_a_position_with_its_stop_is_left_alone() -> None:
    assert interventions([position("1", "99.5")], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES) == []
    assert (
        interventions([position("1", "99.6")], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES) == []
    )  # tighter than kept


@pytest.mark.parametrize("stop", [None, "99.0"])
def test_a_stop_that_is_missing_or_looser_is_set_as_the_journal_knows_it(stop: str | None) -> None:
    (intervention,) = interventions([position("1", stop)], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES)
    assert (intervention.what, intervention.stop) == ("protect", D("99.50"))
    sent = command(intervention, Ids("g1"))
    assert isinstance(sent, SetStops)
    assert (sent.stop_loss, sent.take_profit) == (D("99.50"), None)


def test_a_position_past_its_time_is_closed_reduce_only() -> None:
    (intervention,) = interventions(
        [position("-2", "100.5")],
        [],
        kept(-1, hold_s=10),
        BOOTS,
        NOW + 10 * SECOND,
        gone_ns=SOON,
        rules=RULES,
    )
    assert (intervention.what, intervention.why) == ("close", "past its time")
    sent = command(intervention, Ids("g1"))
    assert isinstance(sent, PlaceOrder)
    assert (sent.side, sent.qty, sent.reduce_only, sent.order_type) == (1, D(2), True, "Market")


def test_a_close_is_never_larger_than_a_market_order_may_be_and_is_known_as_guards() -> None:
    intervention = Intervention(Remedy.CLOSE, "AAAUSDT", size=D(-7))
    sent = command(intervention, Ids("g1"), D(5))
    assert isinstance(sent, PlaceOrder)
    assert (sent.side, sent.qty) == (1, D(5))
    assert sent.id.endswith("-guard")


def test_too_long_without_a_daemon_closes_every_position_of_ours() -> None:
    at = RULES.close_ns
    assert [
        w.what
        for w in interventions([position("1", "99.5")], [], kept(), BOOTS, NOW, gone_ns=at, rules=RULES)
    ] == ["close"]
    assert interventions([position("1", "99.5")], [], kept(), BOOTS, NOW, gone_ns=at - 1, rules=RULES) == []


def test_an_entry_that_was_on_its_way_gives_its_position_a_stop() -> None:
    entry = {
        "id": "tt-b1-1-entry", "direction": 1, "qty": "1", "limit": "100", "stop": "99.4", "backstop": "101.5", "leverage": "10",
        "margin": "10", "trade_tier": 2, "take_profit": "0.01", "stop_loss": "0.006", "cost": "0.001", "range_tail": "0.004",
        "hold_ns": 900 * SECOND, "decided_ts": NOW, "sent_ts": NOW, "resting": False,
    }  # fmt: skip
    (intervention,) = interventions(
        [position("1", None)], [], {"entry:AAAUSDT": entry}, BOOTS, NOW, gone_ns=SOON, rules=RULES
    )
    assert (intervention.what, intervention.stop) == ("protect", D("99.4"))


def test_what_the_journal_does_not_know_is_not_touched() -> None:
    stranger = position("5", None, "ZZZUSDT")
    assert (
        interventions(
            [stranger],
            [order("someone-else"), order("tt-b9-1-entry")],
            kept(),
            BOOTS,
            NOW,
            gone_ns=RULES.close_ns,
            rules=RULES,
        )
        == []
    )
    other_way = position("-1", None)
    assert interventions([other_way], [], kept(1), BOOTS, NOW, gone_ns=RULES.close_ns, rules=RULES) == []
    assert unprotected([stranger, other_way]) == ["ZZZUSDT", "AAAUSDT"]  # but reported


def test_resting_entries_of_ours_are_cancelled_first_and_protective_orders_stay() -> None:
    orders = [
        order("tt-b1-2-entry"),
        order("tt-b1-3-close", reduce_only=True),
        order("", reduce_only=True, stop_type="StopLoss"),
        order("tt-b1-4-entry", stop_type="Stop"),
    ]
    found = interventions([position("1", None)], orders, kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES)
    assert [(w.what, w.link_id) for w in found] == [("cancel", "tt-b1-2-entry"), ("protect", "")]
    assert isinstance(command(found[0], Ids("g1")), CancelOrder)


@given(
    size=st.sampled_from(["-3", "-0.5", "0", "0.5", "3"]),
    stop=st.one_of(st.none(), st.integers(9_000, 11_000).map(lambda ticks: str(D(ticks) / 100))),
    direction=st.sampled_from([-1, 1]),
    gone_s=st.integers(1, 120),
    later_s=st.integers(0, 2_000),
)
def test_it_never_opens_and_never_loosens(
    size: str, stop: str | None, direction: int, gone_s: int, later_s: int
) -> None:
    held = position(size, stop)
    now = NOW + later_s * SECOND
    for intervention in interventions(
        [held], [order("tt-b1-2-entry")], kept(direction), BOOTS, now, gone_ns=gone_s * SECOND, rules=RULES
    ):
        sent = command(intervention, Ids("g1"))
        if isinstance(sent, PlaceOrder):
            assert sent.reduce_only
            assert sent.side * held.size < 0
            assert sent.qty == abs(held.size)
        if isinstance(sent, SetStops):
            assert sent.take_profit is None
            assert sent.stop_loss is not None
            side = 1 if held.size > 0 else -1
            assert held.stop_loss is None or side * (sent.stop_loss - held.stop_loss) > 0


def test_two_reads_agree_only_on_the_same_intervention() -> None:
    first = interventions([position("1", None)], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES)
    again = interventions([position("2", None)], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES)
    assert [intervention for intervention in again if intervention in first] == []
    assert Intervention(Remedy.CLOSE, "A", size=D(1)) != Intervention(Remedy.CLOSE, "A", size=D(2))


TICKS = {"AAAUSDT": D("0.01")}


def fill(link_id: str, side: int, qty: str, ts: int = NOW) -> Fill:
    return Fill(
        ts=ts,
        symbol="AAAUSDT",
        exec_id=f"x{ts}",
        order_id="o",
        link_id=link_id,
        side=Side(side),
        qty=D(qty),
        price=D(100),
        fee=D(0),
        kind="Trade",
        closed_qty=D(0),
        is_maker=False,
        seq=ts,
    )


def test_guard_close_after_is_the_policy_s_and_zero_is_never() -> None:
    assert guard_rules(Policy()).close_ns == 900 * SECOND
    rules = guard_rules(Policy.from_env({"GUARD_CLOSE_AFTER": "60"}))
    held = [position("1", "99.5")]
    assert [
        w.what for w in interventions(held, [], kept(), BOOTS, NOW, gone_ns=60 * SECOND, rules=rules)
    ] == ["close"]
    never = guard_rules(Policy.from_env({"GUARD_CLOSE_AFTER": "0"}))
    assert interventions(held, [], kept(), BOOTS, NOW, gone_ns=10**6 * SECOND, rules=never) == []


def test_positions_left_deliberately_are_closed_for_their_time_alone() -> None:
    held, late = [position("1", "99.5")], NOW + 900 * SECOND
    assert interventions(held, [], kept(), BOOTS, NOW, gone_ns=10**6 * SECOND, rules=RULES, left=True) == []
    assert [
        w.why for w in interventions(held, [], kept(), BOOTS, late, gone_ns=SOON, rules=RULES, left=True)
    ] == ["past its time"]
    bare = [position("1", None)]
    assert [
        w.what for w in interventions(bare, [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES, left=True)
    ] == ["protect"]


@pytest.mark.parametrize(("size", "stop"), [("1", "99.40"), ("-1", "100.60")])
def test_blind_a_position_without_a_stop_gets_the_widest_of_the_rules(size: str, stop: str) -> None:
    (intervention,) = interventions(
        [position(size, None)], [], {}, (), NOW, gone_ns=SOON, rules=RULES, blind=True, ticks=TICKS
    )
    assert (intervention.what, intervention.stop, intervention.ours) == ("protect", D(stop), False)


def test_blind_a_stop_that_stands_is_left_whatever_its_distance() -> None:
    assert (
        interventions(
            [position("1", "90")], [], {}, (), NOW, gone_ns=SOON, rules=RULES, blind=True, ticks=TICKS
        )
        == []
    )


def test_blind_only_what_our_fills_opened_is_closed() -> None:
    held, gone = [position("1", "99.5")], RULES.close_ns
    assert interventions(held, [], {}, (), NOW, gone_ns=gone, rules=RULES, blind=True) == []
    ours = interventions(
        held, [], {}, (), NOW, gone_ns=gone, rules=RULES, blind=True, opened={"AAAUSDT": NOW}
    )
    assert [w.why for w in ours] == ["no daemon"]
    late = interventions(
        held, [], {}, (), NOW + RULES.hold_ns, gone_ns=SOON, rules=RULES, blind=True, opened={"AAAUSDT": NOW}
    )
    assert [w.why for w in late] == ["past its time"]


def test_blind_what_was_known_before_still_counts() -> None:
    (intervention,) = interventions(
        [position("1", "99.0")], [], kept(), BOOTS, NOW, gone_ns=SOON, rules=RULES, blind=True
    )
    assert (intervention.what, intervention.stop) == ("protect", D("99.50"))


def test_blind_every_resting_entry_of_this_program_is_cancelled() -> None:
    (intervention,) = interventions(
        [], [order("tt-b9-1-entry"), order("other")], {}, (), NOW, gone_ns=SOON, rules=RULES, blind=True
    )
    assert (intervention.what, intervention.link_id) == ("cancel", "tt-b9-1-entry")


def test_one_unreadable_row_blinds_its_symbol_alone() -> None:
    held = [position("1", None), position("1", None, "ZZZUSDT")]
    found = interventions(
        held, [], {}, BOOTS, NOW, gone_ns=SOON, rules=RULES, unreadable=["position:AAAUSDT"], ticks=TICKS
    )
    assert [w.symbol for w in found] == ["AAAUSDT"]


def test_brackets_that_make_no_sense_are_found() -> None:
    good = kept()["position:AAAUSDT"]
    bad: dict[str, Any] = {
        "position:A": {"bracket": {"direction": 1}},
        "position:B": {"trade": {}},
        "position:C": {**good, "bracket": {**good["bracket"], "stop": "-5"}},
        "position:D": {**good, "bracket": {**good["bracket"], "entry": "x"}},
        "entry:E": {"stop": 1},
    }
    assert damaged({**bad, "position:OK": good, "position:FLAT": {}, "session": {"x": 1}}) == list(bad)


def test_a_position_is_ours_by_the_fills_that_opened_it() -> None:
    held = [position("1", None)]
    assert opened_by_us(held, [fill("tt-b1-1-entry", 1, "1", NOW - 5)]) == {"AAAUSDT": NOW - 5}
    assert opened_by_us(held, [fill("person", 1, "1")]) == {}
    assert opened_by_us([position("0", None)], [fill("tt-b1-1-entry", 1, "1")]) == {}
    before = [
        fill("tt-b1-1-entry", 1, "1", NOW - 9),
        fill("", -1, "1", NOW - 8),
        fill("person", 1, "1", NOW - 7),
    ]
    assert opened_by_us(held, before) == {}

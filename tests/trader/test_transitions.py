"""The life cycles of an entry and of stop changes: the table in the docs is the code's, and nothing else can happen."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.trader.pending_entry import ENTRY_TRANSITIONS, EntryEvent, EntryState, PendingEntry
from turbo_trader.trader.stop_amendment import (
    AMENDMENT_TRANSITIONS,
    AmendmentEvent,
    AmendmentState,
    StopAmendment,
)
from turbo_trader.trader.transitions import after, printed

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "architecture.md").read_text()
D = Decimal
PRICES = st.sampled_from([D("99.1"), D("99.2"), D("99.3")])


def an_entry() -> PendingEntry:
    return PendingEntry(
        id="tt-b1-1-entry", direction=1, qty=D(1), limit=D(100), stop=D(99), backstop=D(102), leverage=D(10), margin=D(10),
        trade_tier=1, take_profit=D("0.01"), stop_loss=D("0.01"), cost=D("0.001"), range_tail=D("0.002"), hold_ns=900,
        decided_ts=1, resting=False,
    )  # fmt: skip


@pytest.mark.parametrize("table", [ENTRY_TRANSITIONS, AMENDMENT_TRANSITIONS], ids=["entry", "amendment"])
def test_architecture_page_prints_the_transition_table(table: Any) -> None:
    assert printed(table) in DOCS


@pytest.mark.parametrize("table", [ENTRY_TRANSITIONS, AMENDMENT_TRANSITIONS], ids=["entry", "amendment"])
def test_every_state_is_reached_and_every_event_comes_somewhere(table: Any) -> None:
    first: Any = next(iter(table))[0]
    states: Any = type(first)
    events: Any = type(next(iter(table))[1])
    reached: set[Any] = {first}
    last: set[Any] = set()
    while reached != last:
        last = set(reached)
        reached |= {state for (before, _), state in table.items() if before in reached}
    assert reached == set(states)
    assert {event for _, event in table} == set(events)


@pytest.mark.parametrize("event", list(EntryEvent))
def test_nothing_happens_to_an_entry_that_has_ended(event: EntryEvent) -> None:
    with pytest.raises(ValueError, match=f"{event} cannot come here"):
        after(ENTRY_TRANSITIONS, EntryState.ENDED, event)


@given(st.lists(st.sampled_from(EntryEvent), max_size=12))
def test_an_entry_changes_by_the_table_alone(events: list[EntryEvent]) -> None:
    entry = an_entry()
    for now, event in enumerate(events, 2):
        before, since = entry.state, entry.unknown_since
        if (before, event) not in ENTRY_TRANSITIONS:
            with pytest.raises(ValueError, match="cannot come here"):
                entry.advance(event, now)
            assert (entry.state, entry.unknown_since) == (before, since)
            continue
        entry.advance(event, now)
        assert entry.state is ENTRY_TRANSITIONS[before, event]
        assert bool(entry.unknown_since) is (entry.state in (EntryState.LATE, EntryState.UNKNOWN))
        if since and entry.unknown_since and event is not EntryEvent.UNCLEAR:
            assert entry.unknown_since == since  # doubt begins once
        assert entry.left is (entry.state is not EntryState.DECIDED and entry.sent_ts > 0)


def moved(amendment: StopAmendment, step: tuple[str, Decimal], number: int) -> None:
    """Do to `amendment` what `amending` may do, where it may."""
    what, price = step
    match what:
        case "stop":
            amendment.want_stop(price)
        case "backstop":
            amendment.want_backstop(price)
        case "drop" if amendment.stop is not None:
            amendment.drop_stop()
        case "send" if amendment.state is AmendmentState.PENDING:
            amendment.send(f"s{number}", number)
        case "confirm" if amendment.in_flight:
            amendment.confirm()
        case "repeat" if amendment.in_flight:
            amendment.repeat()
        case "refuse" if amendment.in_flight:
            amendment.refuse(again=price == D("99.1"))
        case "flat":
            amendment.flat()


MOVES = ("stop", "backstop", "drop", "send", "confirm", "repeat", "refuse", "flat")


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(MOVES), PRICES), max_size=20))
def test_stop_changes_go_by_the_table_alone(steps: list[tuple[str, Decimal]]) -> None:
    amendment = StopAmendment()
    possible = {(before, now) for (before, _), now in AMENDMENT_TRANSITIONS.items()}
    for number, step in enumerate(steps, 1):
        before, sent = amendment.state, amendment.sent
        moved(amendment, step, number)
        assert amendment.state is before or (before, amendment.state) in possible
        assert bool(amendment.id) is amendment.in_flight
        assert (amendment.state is AmendmentState.IDLE) <= (not amendment.wanted)
        assert (amendment.state is AmendmentState.PENDING) <= amendment.wanted
        if step[0] == "confirm" and before is AmendmentState.IN_FLIGHT and amendment.wanted:
            assert (amendment.stop, amendment.backstop) != sent


def test_an_answer_to_no_stop_change_is_a_defect() -> None:
    with pytest.raises(ValueError, match=f"{AmendmentEvent.SETTLE} cannot come here"):
        StopAmendment().confirm()

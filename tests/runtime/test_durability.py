from decimal import Decimal

import pytest
from tests.sent_orders import close, entry

from turbo_trader.bybit.venue_errors import NO_JOURNAL
from turbo_trader.runtime.durability import Act, refused_without_journal, steps
from turbo_trader.trader.commands import (
    CancelOrder,
    Command,
    Note,
    Persist,
    Read,
    SetStops,
)
from turbo_trader.trader.events import Outcome

ONE = Decimal(1)
ENTRY = entry("e", qty=ONE, price=ONE, stop_loss=None)
CLOSE = close("c", qty=ONE)
STOPS = SetStops("s", "BTCUSDT", ONE, None)
KEEP = Persist(1, "session", {})
NOTE = Note(1, "zone")
READ = Read("r", ("positions",))


@pytest.mark.parametrize("order", [ENTRY, CLOSE, CancelOrder("x", "BTCUSDT", "e")])
def test_an_order_leaves_after_everything_of_its_step_is_on_disk(order: Command) -> None:
    found = steps([KEEP, order, NOTE])
    assert [act for act, _ in found] == [Act.RECORD, Act.RECORD, Act.RECORD, Act.COMMIT, Act.SEND]
    assert found[-1] == (Act.SEND, order)


def test_a_stop_change_alone_leaves_first_and_is_recorded_after() -> None:
    found = steps([KEEP, STOPS, NOTE])
    assert [act for act, _ in found] == [Act.SEND, Act.RECORD, Act.RECORD, Act.RECORD, Act.FLUSH]


def test_a_stop_change_beside_an_order_waits_for_the_disk_like_the_order() -> None:
    assert [act for act, _ in steps([STOPS, CLOSE])] == [
        Act.RECORD,
        Act.RECORD,
        Act.COMMIT,
        Act.SEND,
        Act.SEND,
    ]


def test_persisted_state_waits_for_the_disk_before_a_read_leaves() -> None:
    assert [act for act, _ in steps([KEEP, READ])] == [Act.RECORD, Act.RECORD, Act.COMMIT, Act.SEND]


def test_a_step_that_changes_nothing_waits_for_nothing() -> None:
    assert [act for act, _ in steps([NOTE])] == [Act.RECORD]
    assert steps([]) == []


def test_without_a_journal_entries_are_refused_and_everything_else_leaves() -> None:
    refused = refused_without_journal(ENTRY, "disk full", 7)
    assert refused is not None
    assert (refused.outcome, refused.code, refused.message) == (Outcome.REJECTED, NO_JOURNAL, "disk full")
    assert all(refused_without_journal(each, "disk full", 7) is None for each in (CLOSE, STOPS, READ))
    assert refused_without_journal(ENTRY, "", 7) is None

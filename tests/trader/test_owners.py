"""Each field of a symbol's state has one owner: the only module that writes it while trades come and go."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.trader.close_order import CloseOrder
from turbo_trader.trader.entry_blocks import Blocks
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.room import Room
from turbo_trader.trader.shadows import Shadows
from turbo_trader.trader.stop_amendment import StopAmendment
from turbo_trader.trader.trader_state import SymbolState
from turbo_trader.trader.venue_position import VenuePosition

OWN_MODULE = (PendingEntry, StopAmendment, CloseOrder, VenuePosition, Blocks, Room, Shadows)
Writers = dict[str, set[str]]


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> Writers:
    """Class.field -> modules that have written it, but for its making."""
    found: Writers = defaultdict(set)

    def watched(kind: type[Any]) -> Any:
        plain: Any = kind.__setattr__

        def write(self: Any, name: str, value: Any) -> None:
            frame = sys._getframe(1)
            module = str(frame.f_globals.get("__name__", ""))
            if frame.f_code.co_name != "__init__" and module.startswith("turbo_trader."):
                found[f"{kind.__name__}.{name}"].add(module.rpartition(".")[2])
            plain(self, name, value)

        return write

    for kind in (*OWN_MODULE, SymbolState):
        monkeypatch.setattr(kind, "__setattr__", watched(kind))
    return found


def lives(stage: Any) -> None:
    """A zone, a stop refused, a fill that is missing, a look-up, a restart, a close outside, a shadow."""
    stage.recover()
    sent = stage.hold()
    stage.quote("100.70", "100.71", mark="100.70")
    stage.answer(stage.stops[-1], "rejected", 10001)
    stage.wait(4)
    missing = stage.enter(s=1)
    stage.answer(missing, "unknown", -1)
    stage.wait(3)
    stage.deliver(stage.order(missing, "Filled", missing.qty))
    again = stage.restart()
    again.recover(positions=(again.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit)),))
    again.wait(40)
    again.snapshot()
    again.wait(3)
    again.snapshot()
    again.wait(3)


@pytest.mark.parametrize("size", ["full", "earned"])
def test_each_field_has_one_writer(staged: Any, writers: Writers, size: str) -> None:
    lives(staged(policy=Policy.from_env({"BELIEF": "weighed", "MIN_SIZE_SHARE": "0", "SIZE": size})))
    assert len(writers) > 25
    assert {field: modules for field, modules in writers.items() if len(modules) > 1} == {}


def test_parts_with_a_module_of_their_own_are_written_there(staged: Any, writers: Writers) -> None:
    lives(staged())
    owners = {kind.__name__: kind.__module__.rpartition(".")[2] for kind in OWN_MODULE}
    wrong = {
        field: modules
        for field, modules in writers.items()
        if (owner := owners.get(field.partition(".")[0])) is not None and modules != {owner}
    }
    assert wrong == {}

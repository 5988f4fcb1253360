"""What is reported of one trade is of that trade alone."""

from pathlib import Path

import pytest

from turbo_trader.journal.readers import trade_notes
from turbo_trader.journal.store import Journal
from turbo_trader.rules.timeline import timeline
from turbo_trader.trader.commands import Note

CLOSED = {
    "id": "b", "symbol": "XRPUSDT", "reason": "stop", "net": "-1", "result": "-0.8", "net_fraction": -0.01, "entry": "2",
    "qty": "9",
}  # fmt: skip
UNFILLED = (
    Note(10, "entry", "info", {"id": "a", "symbol": "XRPUSDT", "tier": "A"}),
    Note(12, "entry-ended", "info", {"id": "a", "symbol": "XRPUSDT", "why": "not filled: Cancelled"}),
)
NEXT = (
    Note(20, "entry", "info", {"id": "b", "symbol": "XRPUSDT", "tier": "B"}),
    Note(21, "fill", "info", {"symbol": "XRPUSDT", "side": 1, "qty": "9", "price": "2"}),
    Note(30, "trade", "info", CLOSED),
)


def kept(folder: Path, *notes: Note) -> Path:
    journal = Journal(folder, ["XRPUSDT"], "paper", lambda: 1)
    for note in notes:
        journal.note(note)
    journal.close(40, "test")
    return folder


@pytest.mark.parametrize("notes", [UNFILLED + NEXT, UNFILLED[:1] + NEXT], ids=["given up", "never ended"])
def test_an_unfilled_entry_reports_no_other_trade(tmp_path: Path, notes: tuple[Note, ...]) -> None:
    found = trade_notes(kept(tmp_path, *notes), "a")
    assert found[0]["id"] == "a"
    assert {note["name"] for note in found} <= {"entry", "entry-ended"}
    assert not any(note["ts"] >= 20 for note in found)


def test_an_unfilled_entry_says_that_it_was_no_trade(tmp_path: Path) -> None:
    lines = timeline(trade_notes(kept(tmp_path, *UNFILLED, *NEXT), "a"))
    assert lines[-1] == "no trade: the entry ended without a fill: not filled: Cancelled"


def test_a_filled_trade_has_its_fills_and_its_close(tmp_path: Path) -> None:
    found = trade_notes(kept(tmp_path, *UNFILLED, *NEXT), "b")
    assert [note["name"] for note in found] == ["entry", "fill", "trade"]


def test_an_entry_given_up_and_filled_late_has_its_close(tmp_path: Path) -> None:
    late = (Note(14, "fill", "info", {"symbol": "XRPUSDT"}), Note(16, "trade", "info", {**CLOSED, "id": "a"}))
    found = trade_notes(kept(tmp_path, *UNFILLED, *late, *NEXT), "a")
    assert [note["name"] for note in found] == ["entry", "entry-ended", "fill", "trade"]


def test_an_unknown_trade_has_no_notes(tmp_path: Path) -> None:
    assert trade_notes(kept(tmp_path, *UNFILLED), "z") == []

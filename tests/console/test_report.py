"""`report` over a journal written by hand: its trades, its money, within 80 columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.console.tables import WIDTH, aligned
from turbo_trader.console.verbs.report import journal_report, report, report_lines
from turbo_trader.journal.store import Journal
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Scanned
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.persisted import plain

HOUR = 3_600 * 10**9
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    store = Journal(tmp_path, SYMBOLS)
    for hour in range(1, 4):
        rows = np.zeros(2, SCAN)
        rows["ts"], rows["candidate"], rows["direction"], rows["valid"] = hour * HOUR, 1, 1, 31
        rows["score"] = 0.4
        store.scanned(Scanned(hour * HOUR, rows))
    for i, (net, fraction) in enumerate((("0.30", 0.006), ("-0.20", -0.004))):
        fields = {
            "symbol": "ETHUSDT",
            "id": f"t{i}",
            "tier": "AB"[i],
            "direction": 1,
            "net": Decimal(net),
            "fees": Decimal("0.05"),
        }
        store.note(
            Note(
                (2 + i) * HOUR,
                "trade",
                "info",
                {**fields, "net_fraction": fraction, "seconds": 600, "reason": "target"},
            )
        )
    books = Ledger(Decimal(18), results=Decimal("0.20"), fees=Decimal("0.10"), transfers=Decimal(5))
    store.persist(Persist(3 * HOUR, "ledger", plain(books.ledger_record())))
    store.close(4 * HOUR, "test")
    return tmp_path


def test_trades_scans_and_books_of_the_journal(journal: Path) -> None:
    found = journal_report(journal)
    assert (found["trades"], found["hours"], found["win_rate"]) == (2, 2.0, 0.5)
    assert (found["start_equity"], found["end_equity"]) == (
        Decimal(18),
        Decimal("18.10"),
    )  # a deposit is no result
    assert found["fees"] == Decimal("0.10")
    assert [(each["id"], each["net"]) for each in found["list"]] == [("t0", "0.30"), ("t1", "-0.20")]
    assert found["strengths"]["OFI"]["q50"] == 0.4
    assert found["executed_of_candidates"] == pytest.approx(2 / 6)


def test_it_is_readable_in_80_columns_and_shows_the_predecessor(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(journal_dir=journal)
    lines = capsys.readouterr().out.splitlines()
    assert lines == report_lines(journal_report(journal))
    assert max(map(len, lines)) <= WIDTH
    assert any("110 live trades, win rate 36.4%" in line for line in lines)
    assert any(line.startswith("win rate") and "60-70 %" in line for line in lines)


def test_an_empty_journal_claims_nothing(tmp_path: Path) -> None:
    found = journal_report(tmp_path)
    assert found["trades"] == 0
    assert found["growth_per_day"] is None
    assert report_lines(found)[0].startswith("0 trades")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned(("a", "bb"), [("ccc", "1")]) == ["a    bb", "ccc   1"]


def test_a_time_without_trades_is_not_called_an_empty_journal(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(journal_dir=journal, since="2090-01-01")
    said = " ".join(capsys.readouterr().out.split())
    assert f"no scan and no trade of {journal} lies in that time" in said
    assert "yet" not in said


def test_an_empty_journal_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(tmp_path, ("BTCUSDT",)).close(1, "test")
    report(journal_dir=tmp_path)
    assert f"no scan and no trade in {tmp_path} yet" in " ".join(capsys.readouterr().out.split())

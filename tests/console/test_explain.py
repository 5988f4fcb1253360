"""`explain` and `funnel` over a journal written by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.console import exits, main
from turbo_trader.console.tables import WIDTH
from turbo_trader.console.times import utc_ns, utc_text
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError
from turbo_trader.rules.gates import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Scanned

SYMBOLS = ("BTCUSDT", "ETHUSDT")
TEN = utc_ns("2025-05-03T10:00", "")
MINUTE = 60 * 10**9


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Three scans a minute apart, a size refused in the second, a trade on ETHUSDT from the third on."""
    store = Journal(tmp_path, SYMBOLS)
    for i in range(3):
        rows = np.zeros(2, SCAN)
        rows["ts"], rows["blocker"], rows["block_code"] = TEN + i * MINUTE, 1, int(Code.SNR)
        rows["snr"] = 0.25 * (i + 1)
        rows["blocker"][1] = (1, 8, -1)[i]
        store.scanned(Scanned(TEN + i * MINUTE, rows))
    store.note(
        Note(
            TEN + MINUTE,
            "gate",
            "info",
            {"symbol": "ETHUSDT", "gate": "size", "why": "the smallest order needs 24.50"},
        )
    )
    trade: dict[str, Any] = {"symbol": "ETHUSDT", "id": "tt-b-1-entry"}
    at = TEN + 2 * MINUTE
    store.note(Note(at + 5, "entry", "info", {**trade, "tier": "A", "ev": 0.0003, "p_tp": 0.4}))
    store.note(Note(at + 6, "fill", "info", {**trade, "qty": Decimal("0.01"), "price": Decimal(2000)}))
    store.note(Note(at + 7, "fill", "info", {"symbol": "BTCUSDT", "id": "another"}))
    end = {
        "tier": "A",
        "qty": "0.01",
        "entry": "2000",
        "result": "0.2",
        "fees": "0.02",
        "net": "0.18",
        "net_fraction": 0.009,
    }
    store.note(Note(at + MINUTE, "trade", "info", {**trade, **end, "reason": "target", "seconds": 60}))
    store.note(Note(at + 2 * MINUTE, "entry", "info", {"symbol": "ETHUSDT", "id": "tt-b-9-entry"}))
    store.close(at + 3 * MINUTE, "test")
    return tmp_path


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *words])
    with pytest.raises(SystemExit) as ended:
        main.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_time_finds_the_scan_at_or_before_it(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--journal-dir", str(journal))
    _, out, _ = said(
        capsys, monkeypatch, "explain", "BTCUSDT", "--at", "2025-05-03T10:01:30", *where, "--json"
    )
    scans = json.loads(out)["scans"]
    assert [scan["at"] for scan in scans] == ["2025-05-03T10:01:00Z"]
    assert scans[0]["lines"][-1].endswith("SNR above 1.0 (was 0.50)")
    _, out, _ = said(capsys, monkeypatch, "explain", "BTCUSDT", "--at", "2025-05-03T12:00+02:00", *where)
    assert out.startswith("2025-05-03T10:00:00Z")
    _, out, _ = said(capsys, monkeypatch, "explain", "BTCUSDT", "--at", "2025-05-03", *where)
    assert "no scan in the journal at that time" in out


def test_an_account_s_gate_is_quoted(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = said(
        capsys, monkeypatch, "explain", "ETHUSDT", "--last", "2", "--journal-dir", str(journal)
    )
    assert code == exits.OK
    assert out.count("gate size said: the smallest order needs 24.50") == 1


def test_a_trade_is_its_deciding_scan_and_its_story(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--trade", "tt-b-1-entry", "--journal-dir", str(journal))
    _, out, _ = said(capsys, monkeypatch, "explain", *where, "--json")
    document = json.loads(out)
    assert [note["name"] for note in document["notes"]] == ["entry", "fill", "trade"]
    assert document["scans"][0]["at"] == "2025-05-03T10:02:00Z"
    assert document["story"][-1].endswith("won")
    _, out, _ = said(capsys, monkeypatch, "explain", *where)
    assert "closed by target" in out


@pytest.mark.parametrize(
    "words",
    [
        ("explain",),
        ("explain", "BTCUSDT", "--trade", "x"),
        ("explain", "--trade", "x"),
        ("explain", "BTCUSDT", "--at", "noon"),
    ],
)
def test_bad_questions_are_one_line(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    code, _, err = said(capsys, monkeypatch, *words, "--journal-dir", str(journal))
    assert code == exits.USAGE
    assert len(err.splitlines()) == 1


def test_the_funnel_is_told_by_hour_and_symbol_within_80_columns(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = said(capsys, monkeypatch, "funnel", "--journal-dir", str(journal), "--json")
    document = json.loads(out)
    assert document["by_symbol"]["ETHUSDT"]["blocks"]["size"] == 1
    assert list(document["by_hour"]) == ["2025-05-03 10h"]
    _, out, _ = said(capsys, monkeypatch, "funnel", "--journal-dir", str(journal))
    assert "symbol: first blocked by" in out
    assert max(map(len, out.splitlines()[3:])) <= WIDTH


def test_times_are_exact() -> None:
    assert utc_text(TEN) == "2025-05-03T10:00:00Z"
    assert utc_ns("2025-05-03T12:00+02:00", "") == TEN
    assert utc_ns("2025-05-03T10:00:00.000001Z", "") == TEN + 1000
    with pytest.raises(InputError, match="--at"):
        utc_ns("noon", "--at")

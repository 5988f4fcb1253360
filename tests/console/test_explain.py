"""`explain` and `funnel` over a journal written by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.tables import WIDTH
from turbo_trader.console.times import utc_ns, utc_text
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError
from turbo_trader.rules.gate import BLOCK, NOT_ASSESSED, PASS
from turbo_trader.rules.gates import SIZE
from turbo_trader.rules.reasons import Code
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
        rows["verdict"][1, SIZE] = (NOT_ASSESSED, BLOCK, PASS)[i]
        store.scanned(Scanned(TEN + i * MINUTE, rows))
    store.note(
        Note(
            TEN + MINUTE,
            "gate",
            "info",
            {
                "symbol": "ETHUSDT",
                "gate": "size",
                "why": "the smallest order needs 24.50",
                "needed": "24.50 USDT notional allowed by margin target (was 12.00)",
                "allowed": {"margin target": "12.00"},
            },
        )
    )
    trade: dict[str, Any] = {"symbol": "ETHUSDT", "id": "tt-b-1-entry"}
    at = TEN + 2 * MINUTE
    sized = {"qty": Decimal("0.01"), "leverage": Decimal(3), "binding": "same direction"}
    store.note(Note(at + 5, "entry", "info", {**trade, **sized, "tier": "A", "ev": 0.0003, "p_tp": 0.4}))
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
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *arguments])
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
    assert scans[0]["outcome"] == [
        "first blocker: pre-filter - SNR too low",
        "needed: SNR above 1.0 (was 0.50)",
    ]
    assert scans[0]["figures"]["snr"] == 0.5
    assert scans[0]["gates"]["size"] == "not assessed"
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
    assert code == exit_codes.OK
    assert (
        "first blocker: size - the smallest order needs 24.50\nneeded: 24.50 USDT notional allowed by margin target"
        in out
    )
    assert "gate 9 size: block  the smallest order needs 24.50; allowed, USDT: margin" in out
    assert "gate 9 size: pass  0.01 at 3x, set by same direction" in out
    assert max(map(len, out.splitlines())) <= WIDTH


def test_thresholds_are_those_of_the_rules_that_were_in_force(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURBO_MIN_SNR", "9")  # today's, of no concern to a scan of then
    store = Journal(journal, SYMBOLS)
    for i, least in enumerate(("0.7", "0.8")):
        store.note(Note(TEN + i * MINUTE, "policy", "info", {"overridden": {"TURBO_MIN_SNR": least}}))
    store.close(TEN + MINUTE, "test")
    _, out, _ = said(capsys, monkeypatch, "explain", "BTCUSDT", "--journal-dir", str(journal))
    assert [line for line in out.splitlines() if line.startswith("needed")] == [
        "needed: SNR above 0.7 (was 0.25)",
        "needed: SNR above 0.8 (was 0.50)",
        "needed: SNR above 0.8 (was 0.75)",
    ]


def test_a_trade_is_its_deciding_scan_and_its_timeline(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--trade", "tt-b-1-entry", "--journal-dir", str(journal))
    _, out, _ = said(capsys, monkeypatch, "explain", *where, "--json")
    document = json.loads(out)
    assert [note["name"] for note in document["notes"]] == ["entry", "fill", "trade"]
    assert document["scans"][0]["at"] == "2025-05-03T10:02:00Z"
    assert document["timeline"][-1].endswith("won")
    _, out, _ = said(capsys, monkeypatch, "explain", *where)
    assert "closed by target" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain",),
        ("explain", "BTCUSDT", "--trade", "x"),
        ("explain", "--trade", "x"),
        ("explain", "BTCUSDT", "--at", "noon"),
    ],
)
def test_bad_questions_are_one_line(
    journal: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    code, _, err = said(capsys, monkeypatch, *arguments, "--journal-dir", str(journal))
    assert code == exit_codes.USAGE
    assert len(err.splitlines()) == 1


def test_the_funnel_is_reported_by_hour_and_symbol_within_80_columns(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = said(capsys, monkeypatch, "funnel", "--journal-dir", str(journal), "--json")
    document = json.loads(out)
    assert document["by_symbol"]["ETHUSDT"]["blocks"]["size"] == 1
    assert list(document["by_hour"]) == ["2025-05-03 10h"]
    _, out, _ = said(capsys, monkeypatch, "funnel", "--journal-dir", str(journal))
    assert "symbol: first blocked by" in out
    assert max(map(len, out.splitlines())) <= WIDTH


def test_times_are_exact() -> None:
    assert utc_text(TEN) == "2025-05-03T10:00:00Z"
    assert utc_ns("2025-05-03T12:00+02:00", "") == TEN
    assert utc_ns("2025-05-03T10:00:00.000001Z", "") == TEN + 1000
    with pytest.raises(InputError, match="--at"):
        utc_ns("noon", "--at")

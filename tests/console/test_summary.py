"""What run, report and funnel call the same is the same, and nothing is said in plain text, not in zeros."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.console import main
from turbo_trader.console.summary import funnel_lines, result_lines, run_lines
from turbo_trader.console.verbs.report import journal_report, report_lines
from turbo_trader.journal.store import Journal

RESULT: dict[str, Any] = {
    "trades": 2, "wins": 1, "losses": 1, "open_positions": 1, "net_pnl": Decimal("-0.5"), "fees": Decimal("0.3"),
    "funding": Decimal(0), "wallet": Decimal("17.4"), "end_equity": Decimal("17.5"),
}  # fmt: skip


def empty(folder: Path) -> Path:
    Journal(folder, ["BTCUSDT"], "paper", lambda: 1).close(2, "test")
    return folder


def test_run_reports_wallet_from_equity_and_whose_fees() -> None:
    text = "\n".join(result_lines(RESULT))
    assert "wallet 17.400000 USDT, equity with open positions 17.500000" in text
    assert "fees of all fills 0.300000" in text
    assert all(len(line) <= 100 for line in result_lines(RESULT))


def test_the_summary_of_a_run_fits_80_columns() -> None:
    gates = ("data", "pre-filter", "tier", "consensus", "flat", "fee", "EV", "limits", "size")
    funnel = {"scans": 14_405, "candidates": 1_176, "pre_filter": 1_148, "A": 360, "B": 201, "passed": 101}
    found = {
        **RESULT, "net_pnl": Decimal("-1234.567891"), "wallet": Decimal("17444.5"), "journal": "var/paper-1",
        "reason": "stopped by SIGINT, positions left to their stops", "funnel": {**funnel, "blocks": dict.fromkeys(gates, 1_234)},
    }  # fmt: skip
    lines = run_lines(found)
    assert all(len(line) <= 80 for line in lines), lines
    assert all(
        line[:12].strip() == "" or line[11] == " " for line in lines
    )  # what is folded stands below its text
    assert "net -1,234.567891" in " ".join(" ".join(lines).split())


def test_report_calls_the_books_wallet_and_fees_those_of_closed_trades(tmp_path: Path) -> None:
    found = {
        **journal_report(empty(tmp_path)),
        "hours": 1.0,
        "start_equity": Decimal(18),
        "end_equity": Decimal("17.4"),
    }
    text = "\n".join(report_lines(found))
    assert "wallet 18.0000 -> 17.4000 USDT by all fills" in text
    assert "fees of closed trades" in text
    assert "equity 18" not in text


@pytest.mark.parametrize("verb", ["report", "funnel", "calibration", "explain BTC"])
def test_an_empty_journal_is_said_in_reports(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *verb.split(), "--journal-dir", str(empty(tmp_path))])
    with pytest.raises(SystemExit) as end:
        main.main()
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert len(said.splitlines()) <= 3  # one sentence, folded, with a long path
    assert " no " in f" {said}"
    assert not any(phrase in ("0", "0.0", "0.0000", "0%") for phrase in said.split())


def test_a_run_without_a_scan_or_trade_says_so() -> None:
    assert "no scan" in funnel_lines({"scans": 0, "candidates": 0, "blocks": {"data": 0}})[0]
    assert "none closed" in result_lines({**RESULT, "trades": 0})[0]

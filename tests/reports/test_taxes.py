"""The table for a tax office: exact amounts, ISO times, documented columns."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tests.reports.conftest import Write

from turbo_trader.reports.reading import read_run
from turbo_trader.reports.run_data import FillRecord, TradeRecord
from turbo_trader.reports.taxes import COLUMNS, trades_csv

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reports.md"


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_closed_trade_is_a_line_and_no_open_one(run_folder: Write) -> None:
    rows = _rows(trades_csv(read_run(run_folder(trades=5, still_open=True)).trades))
    assert [row["trade_id"] for row in rows] == [f"t{i}-entry" for i in range(5)]
    for row in rows:
        result, fees, funding = (Decimal(row[name]) for name in ("result_usdt", "fees_usdt", "funding_usdt"))
        assert Decimal(row["net_usdt"]) == result - fees + funding
        assert Decimal(row["exit_value_usdt"]) - Decimal(row["entry_value_usdt"]) == result
        assert datetime.fromisoformat(row["closed_utc"]) > datetime.fromisoformat(row["opened_utc"])
    assert rows[0]["opened_utc"] == "2026-01-05T09:05:01.000000Z"


def test_amounts_are_exact_where_the_average_price_does_not_end() -> None:
    fills = [
        FillRecord(1, 1, Decimal(1), Decimal("1.1"), Decimal(0)),
        FillRecord(1, 1, Decimal(2), Decimal("1.2"), Decimal(0)),
    ]
    trade = TradeRecord(
        id="x", symbol="A", tier="A", direction=1, decided_ts=1, closed_ts=2, qty=Decimal(3), entry=Decimal("3.5") / 3,
        exit=Decimal("1E-8"), fills=fills,
    )  # fmt: skip
    (row,) = _rows(trades_csv([trade]))
    assert (row["entry_value_usdt"], row["entry_price"]) == ("3.5", "1.16666666667")
    assert row["exit_price"] == "0.00000001"  # no exponent: spreadsheets and offices read it


def test_texts_are_no_formulas() -> None:
    trade = TradeRecord(id="=1+1", symbol="A", tier="A", direction=1, decided_ts=1, closed_ts=2, reason="@x")
    (row,) = _rows(trades_csv([trade]))
    assert (row["trade_id"], row["closed_by"]) == ("'=1+1", "'@x")


def test_without_trades_there_is_the_header_alone() -> None:
    assert trades_csv([]) == ",".join(COLUMNS) + "\r\n"


def test_the_columns_are_documented() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", DOCS.read_text(), re.MULTILINE))
    assert listed == COLUMNS

"""The table of results: as wide as its header, the worse of the two orders, nothing left out of the targets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from studies.results import COLUMNS, Case, beside, cells, markdown, strengths_table, worse
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.trade_report import trade_report
from turbo_trader.signals.figures import SIGNALS
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600 * SECOND


def result(minutes: int) -> dict[str, Any]:
    instruments = universe()[:2]
    market = SyntheticMarket(instruments, 1, START, 0.0)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(2))
    return {
        **Backtest(Tape(instruments, rows, "made up", made_up=True), Policy(), Decimal(18)).run(),
        "order": "high-first",
    }


def test_a_backtest_becomes_a_row_of_the_table_and_its_signals_another() -> None:
    found = result(12)
    report = found["report"]
    assert report["hours"] > 0.1
    assert set(trade_report([], Decimal(1), Decimal(1), 1.0)) <= set(report)
    assert report["trades"] == found["trades"]
    assert report["funnel"] == found["funnel"]
    row = cells(Case("asked", "full", "18"), found)
    assert len(row) == len(COLUMNS)
    assert row[:3] == ["asked", "full", "18"]
    assert row[-1] == "high-first"
    assert all(len(line) == len(COLUMNS) for line in beside())
    assert len(strengths_table(found)) == 2 + len(SIGNALS)


def test_the_worse_order_is_shown() -> None:
    first, second = (
        {"net_pnl": Decimal(net), "net_bp_per_trade": None, "n": n} for n, net in ((1, 1), (2, -1))
    )
    assert worse([first, second])["n"] == 2


def test_markdown_has_a_rule_under_its_header() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]

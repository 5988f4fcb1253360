"""`turbo-trader report`: what the trades came to, beside what the user hopes for and a predecessor's record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer


def report(
    journal_dir: Annotated[Path | None, typer.Option("--journal-dir", help="default: the last run's")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Trades, win rate with its interval, wins and losses, durations, growth, fees, signal strengths; beside the hoped figures."""
    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json

    found = journal_report(journal_folder(journal_dir))
    if json:
        print_json(found)
        return
    print("\n".join(report_lines(found)))


def journal_report(folder: Path) -> dict[str, Any]:
    """The report of a journal: its trades and scans, the money by its own books without deposits."""
    from decimal import Decimal

    from turbo_trader.journal.readers import all_scans, notes, state
    from turbo_trader.rules.funnel import Funnel
    from turbo_trader.rules.report import whole_report
    from turbo_trader.rules.strengths import Strengths

    funnel, strengths = Funnel(), Strengths()
    for _, _, rows in all_scans(folder):
        funnel.add(rows)
        strengths.add(rows)
    trades = notes(folder, "trade", last=1_000_000)
    books = state(folder).get("ledger", {})
    start = Decimal(books.get("start") or 0)
    net = Decimal(books.get("results", 0)) - Decimal(books.get("fees", 0)) + Decimal(books.get("funding", 0))
    found = whole_report(trades, funnel, strengths, (start, start + net), funnel.hours)
    listed = ("id", "symbol", "tier", "direction", "net", "net_fraction", "reason", "seconds")
    return {
        **found,
        "list": [{"ts": trade["ts"], **{name: trade.get(name) for name in listed}} for trade in trades],
    }


def report_lines(found: Mapping[str, Any]) -> list[str]:
    """The report for a person, within 80 columns."""
    from turbo_trader.console.tables import aligned

    hoped = [
        tuple(str(line[name])[:34] for name in ("figure", "measured", "hoped"))
        for line in found["beside_hoped"]
    ]
    before = found["predecessor"]
    low, high = before["win_rate_95"]
    drag = found["fee_drag"]
    lines = [
        f"{found['trades']} trades ({found['trades_A']} A, {found['trades_B']} B) in {found['hours']:.1f} h of scans",
        f"equity {found['start_equity']} -> {found['end_equity']} USDT; fees {found['fees']}"
        + (f", {drag:.1%} of the equity at the start" if drag is not None else ""),
        *(
            [f"break-even win rate at these wins and losses: {found['break_even_win_rate']:.1%}"]
            if found["break_even_win_rate"]
            else []
        ),
        f"a predecessor: {before['trades']} live trades, win rate {before['win_rate']:.1%} ({low:.0%}-{high:.0%}),"
        f" break-even {before['break_even_win_rate']:.1%}",
        "",
        *aligned(("figure", "measured", "hoped"), hoped, 3),
        "",
        "scores of candidates toward their forecast (+1: wholly for it, -1: against it)",
    ]
    names = ("valid", "confirms", "q05", "q25", "q50", "q75", "q95")
    rows = [(name, *(_cell(key, each[key]) for key in names)) for name, each in found["strengths"].items()]
    return [*lines, *aligned(("signal", *names), rows)]


def _wrapped(figure: str, measured: str, hoped: str) -> list[tuple[str, str, str]]:
    """One row, and more below it where the hoped figure is long."""
    parts = wrap(hoped, 34)
    return [(figure, measured, parts[0]), *(("", "", part) for part in parts[1:])]


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.2f}" if name.startswith("q") else f"{value:.0%}"

"""`turbo-trader report`: what the trades came to, beside what the user hopes for and a predecessor's record."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from turbo_trader.console.daemons import Journal, Name, journal_of

LISTED = 10  # trades at the end of the text; all are in --json


def report(
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Trades, win rate with its interval, wins and losses, durations, growth, fees, signal strengths; beside the hoped figures."""
    from turbo_trader.console.output import print_json
    from turbo_trader.journal.opening import believable

    folder = journal_of("report", daemon, journal_dir)
    with believable(folder):
        found = journal_report(folder)
        lines = report_lines(found)
    if json:
        print_json(found)
        return
    print("\n".join(lines))


def journal_report(folder: Path) -> dict[str, Any]:
    """The report of a journal: its trades and scans, the money by its own books without deposits."""
    from turbo_trader.journal.readers import all_scans, outcomes
    from turbo_trader.rules.calibration import figures
    from turbo_trader.rules.funnel import Funnel
    from turbo_trader.rules.report import whole_report
    from turbo_trader.rules.strengths import Strengths

    funnel, strengths = Funnel(), Strengths()
    for _, _, rows in all_scans(folder):
        funnel.add(rows)
        strengths.add(rows)
    trades, money = books(folder)
    found = whole_report(trades, funnel, strengths, money, funnel.hours)
    listed = (
        "id",
        "symbol",
        "tier",
        "direction",
        "net",
        "net_fraction",
        "ev",
        "honest_ev",
        "reason",
        "seconds",
    )
    return {
        **found,
        "beliefs": figures(outcomes(folder)[1], trades, by_hour=True),
        "discrepancies": discrepancies(folder),
        "list": [{"ts": trade["ts"], **{name: trade.get(name) for name in listed}} for trade in trades],
    }


def books(folder: Path) -> tuple[list[dict[str, Any]], tuple[Decimal, Decimal]]:
    """The trades of a journal, and the equity it began with and has come to by its books, deposits taken out."""
    from turbo_trader.journal.readers import notes, state

    kept = state(folder).get("ledger", {})
    start = Decimal(kept.get("start") or 0)
    net = Decimal(kept.get("results", 0)) - Decimal(kept.get("fees", 0)) + Decimal(kept.get("funding", 0))
    net += Decimal(kept.get("unexplained", 0))  # whoever took it, it is gone
    return notes(folder, "trade", last=1_000_000), (start, start + net)


def discrepancies(folder: Path) -> dict[str, Decimal]:
    """What the wallet held more (or less) than the books explain, by coin; no transfer by the venue's transaction log."""
    from turbo_trader.journal.readers import state

    kept = state(folder).get("ledger", {})
    books = {"USDT": kept, **kept.get("coins", {})}
    found = {coin: Decimal(book.get("unexplained", 0)) for coin, book in books.items()}
    return {coin: amount for coin, amount in found.items() if amount}


def report_lines(found: Mapping[str, Any]) -> list[str]:
    """The report for a person, within 80 columns."""
    from turbo_trader.console.hoped import hoped_lines
    from turbo_trader.console.summary import calibration_lines
    from turbo_trader.console.tables import aligned, wrapped

    names = ("valid", "confirms", "q05", "q25", "q50", "q75", "q95")
    strengths = [
        (name, *(_cell(key, each[key]) for key in names)) for name, each in found["strengths"].items()
    ]
    return [
        *_head(found),
        "",
        *hoped_lines(found["beside_hoped"]),
        *(["(figures per day: from a day of scans on)"] if found["hours"] < 24 else []),
        "",
        "scores of candidates toward their forecast (+1: wholly for it, -1: against it)",
        *aligned(("signal", *names), strengths),
        "",
        "what each belief forecast, and what came at the horizon",
        *(part for line in calibration_lines(found["beliefs"]) for part in wrapped(line)),
        *_trades(found["list"]),
    ]


def _head(found: Mapping[str, Any]) -> list[str]:
    before = found["predecessor"]
    lines = [
        f"{found['trades']} trades ({found['trades_A']} A, {found['trades_B']} B) in {found['hours']:.1f} h of scans",
        f"equity {found['start_equity']:.4f} -> {found['end_equity']:.4f} USDT"
        + _share(", growth {:+.2%}", found["growth"]),
        f"fees {found['fees']:.4f} USDT" + _share(", {:.1%} of the equity at the start", found["fee_drag"]),
    ]
    lines += [
        f"discrepancy {amount:+f} {coin}: the venue's transaction log does not explain it; compare it with the account's page"
        for coin, amount in found["discrepancies"].items()
    ]
    won = [
        f"{tier} {found[f'win_rate_{tier}']:.1%} ({_between(found[f'win_rate_{tier}_95'])})"
        for tier in "AB"
        if found[f"trades_{tier}"]
    ]
    lines += [f"win rate {', '.join(won)}"] if won else []
    if found["break_even_win_rate"]:
        lines.append(f"break-even win rate at these wins and losses: {found['break_even_win_rate']:.1%}")
    record = f"{before['trades']} live trades, win rate {before['win_rate']:.1%} ({_between(before['win_rate_95'])})"
    return [*lines, f"a predecessor: {record}, break-even {before['break_even_win_rate']:.1%}"]


def _trades(listed: list[dict[str, Any]]) -> list[str]:
    """The last trades by their ids, for `explain --trade`."""
    from turbo_trader.console.tables import aligned

    if not listed:
        return []
    rows = [
        (
            str(trade["id"]), trade["symbol"], f"{trade['tier']} {'long' if int(trade['direction']) > 0 else 'short'}",
            str(trade["reason"]), f"{float(trade['net_fraction']) * 1e4:+.1f}", f"{float(trade['net']):+.4f}",
            f"{float(trade['seconds']) / 60:.0f}",
        )
        for trade in listed[-LISTED:]
    ]  # fmt: skip
    return ["", *aligned(("trade", "symbol", "tier", "closed by", "bp", "USDT", "min"), rows, left=4)]


def _between(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.0%}-{interval[1]:.0%}"


def _share(text: str, value: float | None) -> str:
    return "" if value is None else text.format(value)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.2f}" if name.startswith("q") else f"{value:.0%}"

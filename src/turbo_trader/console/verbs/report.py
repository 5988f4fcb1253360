"""`turbo-trader report`: the results of the trades, beside the target figures and a predecessor's record."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from turbo_trader.console.daemons import journal_of
from turbo_trader.console.options import Journal, Name
from turbo_trader.console.tables import wrapped

LISTED = 10  # trades at the end of the text; all are in --json


def report(
    *,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN] [FILE.html] [FILE.csv]", help="a run, backtest or day (2026-01-05); files to write"
        ),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="write a page of charts; FILE.html names it")] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="write the closed trades as a table; FILE.csv names it")
    ] = False,
    since: Annotated[
        str, typer.Option("--from", help="only from this time on, such as 2026-01-05T10:00 (UTC)")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="only before this time")] = "",
    listed: Annotated[bool, typer.Option("--list", help="list runs and backtests")] = False,
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Trades, win rate with its interval, wins and losses, durations, growth, fees, signal strengths; beside the targets."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.report_files import asked_for, write_files
    from turbo_trader.journal.opening import believable

    if listed:
        _list(journal_dir, json=json)
        return
    asked = asked_for(arguments or [], html=html, csv=csv, since=since, until=until)
    folder = _folder(asked.run, daemon, journal_dir)
    with Progress("reading the journal"), believable(folder):
        if files := write_files(folder, asked):
            lines, found = [f"written: {path}" for path in files], {"files": files}
        else:
            found = journal_report(folder, asked.since, asked.until)
            seen = found["hours"] or found["trades"]
            lines = report_lines(found) if seen else wrapped(nothing(folder, part=asked.part))
    if json:
        print_json(found)
        return
    print("\n".join(lines))


def nothing(folder: Path, *, part: bool = False) -> str:
    """Why there is nothing to report; `part`: only a part of the run was asked for."""
    if part:
        return (
            f"nothing to report: no scan and no trade of {folder} lies in that time; times are the market's, UTC, "
            "and `turbo-trader report` without them shows the whole run"
        )
    return (
        f"nothing to report: no scan and no trade in {folder} yet; `turbo-trader run` writes them, "
        "--journal-dir names another"
    )


def _folder(run: str, daemon: str | None, journal_dir: Path | None) -> Path:
    from turbo_trader.console.folders import require_journal
    from turbo_trader.console.report_files import folder_of
    from turbo_trader.console.settings import load_settings

    if not run:
        return journal_of("report", daemon, journal_dir)
    return require_journal(
        folder_of(run, load_settings().journal_dir if journal_dir is None else journal_dir)
    )


def _list(journal_dir: Path | None, *, json: bool) -> None:
    from turbo_trader.console.output import print_json
    from turbo_trader.console.report_files import entry_json, list_lines, runs_in
    from turbo_trader.console.settings import load_settings

    base = load_settings().journal_dir if journal_dir is None else journal_dir
    entries = runs_in(base)
    if json:
        print_json({"runs": [entry_json(entry) for entry in entries]})
    else:
        print("\n".join(list_lines(entries, base)))


def journal_report(folder: Path, since: int = 0, until: int | None = None) -> dict[str, Any]:
    """The report of a journal, of it what lies from `since` to `until` (ns): trades, scans, the money without deposits."""
    from turbo_trader.reports.reading import FOREVER, read_run
    from turbo_trader.rules.model_calibration import figures
    from turbo_trader.rules.strengths import Strengths
    from turbo_trader.rules.trade_report import whole_report

    run = read_run(folder, since, FOREVER if until is None else until)
    total, trades = run.scanned.total, run.trade_notes
    found = whole_report(trades, total, Strengths(), (run.start_equity, run.end_equity), total.hours)
    found["strengths"] = run.scanned.strengths
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
        "beliefs": figures(run.outcomes, trades, by_hour=True),
        "discrepancies": run.discrepancies,
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


def report_lines(found: Mapping[str, Any]) -> list[str]:
    """The report for a person, within 80 columns."""
    from turbo_trader.console.summary import calibration_lines
    from turbo_trader.console.tables import aligned, target_lines

    names = ("valid", "confirms", "q05", "q25", "q50", "q75", "q95")
    strengths = [
        (name, *(_cell(key, each[key]) for key in names)) for name, each in found["strengths"].items()
    ]
    return [
        *_head(found),
        "",
        *target_lines(found["beside_targets"]),
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
        f"wallet {found['start_equity']:.4f} -> {found['end_equity']:.4f} USDT by all fills, without transfers"
        + _share(", growth {:+.2%}", found["growth"]),
        f"fees of closed trades {found['fees']:.4f} USDT"
        + _share(", {:.1%} of the wallet at the start", found["fee_drag"]),
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

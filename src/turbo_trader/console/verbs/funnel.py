"""`turbo-trader funnel`: how many scans reached each gate, by hour and symbol, beside the target figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.daemons import journal_of
from turbo_trader.console.options import Journal, Name

if TYPE_CHECKING:
    from turbo_trader.reports.run_data import Scanned
    from turbo_trader.rules.scan_funnel import Funnel

FAR = ("scans", "candidates", "pre-filter", "A", "B", "passed")
GATES = ("data", "pre", "tier", "cons", "flat", "fee", "EV", "limit", "size")


def funnel(
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Counts of the run's scans by hour, symbol and gate, beside the targets."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.summary import funnel_lines
    from turbo_trader.console.tables import target_lines, wrapped
    from turbo_trader.console.verbs.report import books, nothing
    from turbo_trader.journal.opening import believable
    from turbo_trader.reports.reading import scans_of
    from turbo_trader.rules.strengths import Strengths
    from turbo_trader.rules.trade_report import whole_report

    folder = journal_of("funnel", daemon, journal_dir)
    with Progress("reading the journal"), believable(folder):
        found = scans_of(folder)
        trades, money = books(folder)
        signal = _signal(folder)
        beside = whole_report(trades, found.total, Strengths(), money, found.total.hours)["beside_targets"]
    if json:
        document: dict[str, Any] = {
            "funnel": found.total.to_dict(),
            "hours": found.total.hours,
            "signal": signal,
            "beside_targets": beside,
            "by_symbol": {name: each.to_dict() for name, each in found.symbols.items()},
            "by_hour": {_hour(ts): each.to_dict() for ts, each in found.hours.items()},
        }
        print_json(document)
        return
    if not found.total.scans:
        print("\n".join(wrapped(nothing(folder))))
        return
    reported = [part for line in funnel_lines(found.total.to_dict()) for part in _folded(line)]
    lines = [f"entries by  {signal}", *reported, "", *target_lines(beside)]
    print("\n".join([*lines, *_tables(found)]))


def _folded(line: str) -> list[str]:
    """At the double spaces between counts, never between a name and its count."""
    from turbo_trader.console.tables import wrapped

    kept = re.sub("(?<! ) (?! )", "\u00a0", line)
    return [part.replace("\u00a0", " ") for part in wrapped(kept)]


def _tables(found: Scanned) -> list[str]:
    """How far scans came and what blocked them first, by symbol and by hour."""
    from turbo_trader.console.tables import aligned

    lines: list[str] = []
    for title, part in (
        ("symbol", found.symbols),
        ("hour (UTC)", {_hour(ts): each for ts, each in found.hours.items()}),
    ):
        lines += ["", *aligned((title, *FAR), [(name, *_far(each)) for name, each in part.items()])]
        lines += [
            "",
            *aligned(
                (f"{title}: first blocked by", *GATES), [(n, *map(str, e.blocks)) for n, e in part.items()]
            ),
        ]
    return lines


def _signal(folder: Path) -> str:
    """Which signal the run's entries come from: the five of the rules, or a panel signal."""
    from turbo_trader.journal.readers import notes
    from turbo_trader.rules.policy import RULES

    said = notes(folder, "policy")
    return str(said[-1]["overridden"].get("SIGNAL", RULES)) if said else RULES


def _far(funnel: Funnel) -> list[str]:
    counts = (funnel.scans, funnel.candidates, funnel.pre_filtered, funnel.a, funnel.b, funnel.passed)
    return [str(count) for count in counts]


def _hour(ts: int) -> str:
    from turbo_trader.console.times import utc_text

    return utc_text(ts)[:13].replace("T", " ") + "h"

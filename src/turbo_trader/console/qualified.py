"""What the trades so far say about an edge, before the first live order."""

from __future__ import annotations

from pathlib import Path

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.market.errors import InputError


def qualified_facts(mode: str, folder: Path, base: Path) -> list[tuple[str, str]]:
    """The verdict of `qualify` on the last run that closed trades, else on the last backtest; nothing once live has closed one.

    `folder`: the live journal; `base`: the folder of all journals. What cannot be read says so: a start does not fail for it.
    """
    if mode != Mode.LIVE:
        return []
    from turbo_trader.console.report_files import runs_in
    from turbo_trader.journal.readers import count_notes
    from turbo_trader.reports.kept_backtest import BACKTEST

    try:
        if count_notes(folder, "trade"):
            return []
        entries = [each for each in runs_in(base) if each.trades]
        runs = [each for each in entries if each.mode != BACKTEST] or entries
        if not runs:
            return [("qualify", "not enough evidence: no run and no backtest has closed a trade yet")]
        return [("qualify", f"{runs[-1].name}: {_verdict(runs[-1].folder)}")]
    except (InputError, JournalError, OSError) as error:
        return [("qualify", f"not enough evidence: {error}")]


def _verdict(folder: Path) -> str:
    from turbo_trader.console.verbs.qualify import closed
    from turbo_trader.console.verbs.report import books
    from turbo_trader.lab.qualification import qualify

    notes, (start, _) = books(folder)
    found = qualify([closed(note) for note in notes], float(start))
    return f"{found['verdict']}: {'; '.join(found['reasons'])}"

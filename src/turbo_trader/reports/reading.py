"""A run read from its journal folder, also while a daemon writes it: read-only, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.health import owner
from turbo_trader.journal.readers import all_scans, notes_named, outcomes, overview, state
from turbo_trader.reports.kept_backtest import BACKTEST, RESULT, kept_scans
from turbo_trader.reports.run_data import ZERO, Run, RunState, Scanned, TradeRecord
from turbo_trader.reports.scans import count_scans
from turbo_trader.reports.trades import NAMES, trades_of

FOREVER: Final = 2**62
_EVENTS: Final = ("stage", "halt", "limit", "started", "shadow-ended")


def read_run(folder: Path, since: int = 0, until: int = FOREVER) -> Run:
    """The run of a journal folder, of it what lies from `since` to `until` (ns, without); a folder without a journal is empty.

    A trade belongs to the time it was closed at; an open one to the end. JournalError, UnsoundJournal and InputError as of every
    reader.
    """
    found, kept = overview(folder), state(folder)
    noted = notes_named(folder, (*NAMES, *_EVENTS))
    everything = trades_of(note for note in noted if note["name"] in NAMES)
    trades = [each for each in everything if _within(each, since, until)]
    scanned = scans_of(folder, kept, since, until)
    symbols, rows = outcomes(folder)
    start, end = _equity(kept.get("ledger", {}), everything, since, until)
    last = found.get("last_boot") or {}
    events = [n for n in noted if n["name"] in _EVENTS and since <= n["ts"] < until]
    times = [*(t.closed_ts or t.opened_ts for t in trades), scanned.total.first_ns, scanned.total.last_ns]
    moments = [ts for ts in times if ts]
    source = str(kept.get(RESULT, {}).get("source") or _market(noted))
    return Run(
        name=folder.name,
        folder=folder,
        mode=str(last.get("mode", "")),
        state=_state(folder, last),
        why_ended=str(last.get("reason") or ""),
        begin=max(since, min(moments, default=0)),
        end=max(moments, default=0),
        source=source,
        made_up=bool(kept.get(RESULT, {}).get("rebuilt")) or _made_up(source),
        trades=trades,
        trade_notes=[n for n in noted if n["name"] == "trade" and since <= n["ts"] < until],
        scanned=scanned,
        outcome_symbols=symbols,
        outcomes=rows[(rows["ts"] >= since) & (rows["ts"] < until)],
        events=events,
        start_equity=start,
        end_equity=end,
        evidence=str(kept.get(RESULT, {}).get("evidence") or ""),
        discrepancies=discrepancies(kept.get("ledger", {})),
    )


def scans_of(
    folder: Path, kept: Mapping[str, Mapping[str, Any]] | None = None, since: int = 0, until: int = FOREVER
) -> Scanned:
    """The scans of a run or a kept backtest, counted. `kept`: the journal's state where it was read already."""
    state_now = state(folder) if kept is None else kept
    return kept_scans(folder, state_now, since, until) or count_scans(all_scans(folder, since), until)


def discrepancies(ledger: Mapping[str, Any]) -> dict[str, Decimal]:
    """What the wallet held more (or less) than the books explain, by coin; no transfer by the venue's transaction log."""
    books = {"USDT": ledger, **ledger.get("coins", {})}
    found = {coin: Decimal(book.get("unexplained", 0)) for coin, book in books.items()}
    return {coin: amount for coin, amount in found.items() if amount}


def _within(trade: TradeRecord, since: int, until: int) -> bool:
    return since <= trade.closed_ts < until if trade.closed else trade.opened_ts < until


def _equity(
    ledger: Mapping[str, Any], trades: Sequence[TradeRecord], since: int, until: int
) -> tuple[Decimal, Decimal]:
    """Equity by the books at both ends, deposits taken out. Of a part of the run: by the trades closed before each end."""
    start = Decimal(ledger.get("start") or 0)
    closed = [trade for trade in trades if trade.closed]
    begin = start + sum((trade.net for trade in closed if trade.closed_ts < since), ZERO)
    if until == FOREVER:
        changes = (
            Decimal(ledger.get("results", 0))
            - Decimal(ledger.get("fees", 0))
            + Decimal(ledger.get("funding", 0))
        )
        return begin, start + changes + Decimal(ledger.get("unexplained", 0))  # whoever took it, it is gone
    return begin, start + sum((trade.net for trade in closed if trade.closed_ts < until), ZERO)


def _state(folder: Path, last: Mapping[str, Any]) -> RunState:
    if not last:
        return RunState.EMPTY
    if last.get("ended"):
        return RunState.ENDED
    return RunState.RUNNING if last.get("mode") != BACKTEST and owner(folder) else RunState.CRASHED


def _market(noted: Sequence[Mapping[str, Any]]) -> str:
    """What the last start said it trades on; "" of earlier versions."""
    return next((str(note.get("market", "")) for note in reversed(noted) if note["name"] == "started"), "")


def _made_up(source: str) -> bool:
    return source.startswith("synthetic") or "made up" in source or "rebuilt" in source

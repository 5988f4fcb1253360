"""`turbo-trader explain SYMBOL`, `... SYMBOL --at TIME`, `... --trade ID`: why it did or did not trade."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def explain(
    symbol: Annotated[str, typer.Argument(help="such as BTCUSDT; not needed with --trade")] = "",
    last: Annotated[int, typer.Option(help="how many scans", min=1, max=1000)] = 3,
    at: Annotated[
        str, typer.Option(help="the scan at or before this time, such as 2025-05-03T10:00 (UTC)")
    ] = "",
    trade: Annotated[
        str, typer.Option(help="a trade by its id, as the log and `report --json` name it")
    ] = "",
    journal_dir: Annotated[Path | None, typer.Option("--journal-dir", help="default: the last run's")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Print scans of a symbol with every gate's figures, the first blocker and what would have had to differ."""
    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment
    from turbo_trader.console.times import utc_ns
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.instruments import resolve
    from turbo_trader.rules.policy import Policy

    policy, folder = Policy.from_env(environment()), journal_folder(journal_dir)
    if bool(symbol) == bool(trade):
        raise InputError(
            "explain: a SYMBOL or --trade ID, one of the two; such as: turbo-trader explain BTCUSDT"
        )
    if trade:
        document = _trade(policy, folder, trade)
    else:
        name = resolve(symbol)
        until = utc_ns(at, "--at") if at else None
        document = {"symbol": name, "scans": _scans(policy, folder, name, 1 if at else last, until)}
    if json:
        print_json(document)
        return
    if not document["scans"]:
        print(f"{document['symbol']}: no scan in the journal {'at that time' if at or trade else 'yet'}")
    for scan in document["scans"]:
        print("\n".join(scan["lines"]), end="\n\n")
    for line in document.get("story", ()):
        print(line)


def _scans(policy: Policy, folder: Path, symbol: str, last: int, until: int | None) -> list[dict[str, Any]]:
    """The scans of a symbol in words, oldest first, with what the account's gates said of them."""
    import numpy as np

    from turbo_trader.console.times import utc_text
    from turbo_trader.journal.readers import notes_between, scans
    from turbo_trader.rules import explain as words

    found = []
    for row in scans(folder, symbol, last, until):
        ts, rows = int(row["ts"]), np.array([row])
        lines = words.explain(policy, rows, 0, symbol)
        said = [note for note in notes_between(folder, symbol, ts, ts) if note["name"] == "gate"]
        lines += [f"gate {note['gate']} said: {note['why']}" for note in said]
        found.append({"ts": ts, "at": utc_text(ts), "lines": [f"{utc_text(ts)}  {lines[0]}", *lines[1:]]})
    return found


def _trade(policy: Policy, folder: Path, trade: str) -> dict[str, Any]:
    """The scan that decided a trade, and its story."""
    from turbo_trader.journal.readers import trade_notes
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.story import story

    notes = trade_notes(folder, trade)
    if not notes:
        raise InputError(
            f"--trade {trade}: no such trade in the journal; `turbo-trader report --json` lists their ids"
        )
    symbol = notes[0]["symbol"]
    scans = _scans(policy, folder, symbol, 1, int(notes[0]["ts"]))
    return {"symbol": symbol, "trade": trade, "scans": scans, "story": story(notes), "notes": notes}

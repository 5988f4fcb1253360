"""`turbo-trader explain SYMBOL`, `... SYMBOL --at TIME`, `... --trade ID`: why it did or did not trade."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.daemons import folder_read
from turbo_trader.console.options import Journal, Name, whole

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def explain(
    *,
    symbol: Annotated[str, typer.Argument(help="such as BTCUSDT; not needed with --trade")] = "",
    last: Annotated[int, typer.Option(help="how many scans", parser=whole(1, 1000))] = 3,
    at: Annotated[
        str, typer.Option(help="the scan at or before this time, such as 2025-05-03T10:00 (UTC)")
    ] = "",
    trade: Annotated[str, typer.Option(help="a trade by its id, as the log and `report` name it")] = "",
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Print scans of a symbol with every gate's figures, the first gate that blocked and what it needed to pass."""
    from turbo_trader.console.folders import require_journal
    from turbo_trader.console.output import print_json
    from turbo_trader.console.times import utc_ns
    from turbo_trader.journal.opening import believable
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.names import perpetual_symbol

    if bool(symbol) == bool(trade):
        raise InputError(
            "explain: a SYMBOL or --trade ID, one of the two; such as: turbo-trader explain BTCUSDT"
        )
    name = perpetual_symbol(symbol, "explain") if symbol else ""
    folder = folder_read("explain", daemon, journal_dir)
    until = utc_ns(at, "--at") if at else None
    with believable(folder):
        document = _trade(folder, trade) if trade else symbol_document(folder, name, 1 if at else last, until)
        text = document_lines(document)
    if symbol and not document["scans"]:
        _check_known(name)
    require_journal(folder)
    if json:
        print_json(document)
    else:
        when = "at that time" if at or trade else "yet"
        print("\n".join(text or [f"{document['symbol']}: no scan in the journal {when}"]))


def _check_known(symbol: str) -> None:
    """InputError for a symbol that nothing has scanned and no setting names, with the nearest one."""
    from turbo_trader.console.settings import environment
    from turbo_trader.market.instruments import UNIVERSE
    from turbo_trader.market.names import known_symbol
    from turbo_trader.rules.policy import Policy

    known = dict.fromkeys((*Policy.from_env(environment()).symbols, *UNIVERSE))
    known_symbol(symbol, known, "explain", "TARGET_ASSETS and has no scan in the journal")


def document_lines(document: dict[str, Any]) -> list[str]:
    from turbo_trader.console.tables import WIDTH

    paragraphs = [[f"{scan['at']}  {scan['lines'][0]}", *scan["lines"][1:]] for scan in document["scans"]]
    paragraphs += [document["timeline"]] if "timeline" in document else []
    lines = [line for paragraph in paragraphs for line in ("", *paragraph)][1:]
    return [part for line in lines for part in wrap(line, WIDTH, subsequent_indent="    ") or [""]]


def symbol_document(folder: Path, symbol: str, last: int, until: int | None) -> dict[str, Any]:
    return {"symbol": symbol, "scans": _scans(folder, symbol, last, until)}


def _scans(folder: Path, symbol: str, last: int, until: int | None) -> list[dict[str, Any]]:
    """The scans of a symbol, oldest first: figures, verdicts, sentences; with what the account's gates said of them."""
    import numpy as np

    from turbo_trader.console.times import utc_text
    from turbo_trader.journal.readers import notes, scans
    from turbo_trader.rules import explanation as sentences
    from turbo_trader.rules.gates import GATES

    found, reported = [], notes(folder, "policy")
    for row in scans(folder, symbol, last, until):
        ts, rows = int(row["ts"]), np.array([row])
        policy, said = _policy(reported, ts), _said(folder, symbol, ts)
        verdicts = [sentences.VERDICTS[int(value)] for value in row["verdict"]]
        found.append(
            {
                "ts": ts,
                "at": utc_text(ts),
                "outcome": sentences.outcome(policy, rows, 0, said),
                "gates": dict(zip(GATES, verdicts, strict=True)),
                "said": said,
                "figures": {name: row[name].tolist() for name in row.dtype.names or () if name != "verdict"},
                "lines": sentences.explain(policy, rows, 0, symbol, said),
            }
        )
    return found


def _policy(reported: list[dict[str, Any]], ts: int) -> Policy:
    """The rules in force at a time, as the run reported them at its start; those of the environment where it did not."""
    from turbo_trader.console.settings import environment
    from turbo_trader.rules.policy import Policy

    before = [note["overridden"] for note in reported if note["ts"] <= ts]
    return Policy.from_env(before[-1] if before else environment())


def _said(folder: Path, symbol: str, ts: int) -> dict[str, dict[str, Any]]:
    """What the gates limits and size said of a scan: their refusals, or the size of the entry that followed."""
    from turbo_trader.journal.readers import notes_between
    from turbo_trader.market.rows import SECOND

    after = notes_between(folder, symbol, ts, ts + 10 * SECOND)  # an entry waits so long for its leverage
    said = {note["gate"]: note for note in after if note["name"] == "gate" and note["ts"] == ts}
    entry = next((note for note in after if note["name"] == "entry"), None)
    return said if entry is None else {**said, "size": entry}


def _trade(folder: Path, trade: str) -> dict[str, Any]:
    """The scan that decided a trade, and its timeline."""
    from turbo_trader.journal.readers import trade_notes
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.timeline import timeline

    notes = trade_notes(folder, trade)
    if not notes:
        raise InputError(f"--trade {trade}: no such trade in the journal; `turbo-trader report` lists them")
    symbol = notes[0]["symbol"]
    scans = _scans(folder, symbol, 1, int(notes[0]["ts"]))
    return {"symbol": symbol, "trade": trade, "scans": scans, "timeline": timeline(notes), "notes": notes}

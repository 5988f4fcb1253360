"""A journal for a tax adviser or another program: trades, orders, fills and the ledger, amounts as exact text."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeAlias

from turbo_trader.journal.opening import believable, reading
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.journal.readers import notes_named, state
from turbo_trader.market.errors import InputError
from turbo_trader.trader.events import SETTLED_IN
from turbo_trader.trader.state_keys import Key

Table: TypeAlias = list[dict[str, Any]]

#: The columns of each table. `ts` and `executed` are ns UTC; money is USDT.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "trades": (
        "ts", "symbol", "id", "tier", "direction", "qty", "entry", "exit", "result", "fees", "funding", "net", "net_fraction",
        "reason", "seconds",
    ),
    "orders": (
        "ts", "id", "kind", "symbol", "side", "qty", "order_type", "price", "reduce_only", "stop_loss", "take_profit", "leverage",
        "outcome", "code", "message", "outcome_ts",
    ),
    "fills": (
        "ts", "executed", "symbol", "id", "exec_id", "order_id", "kind", "side", "qty", "price", "result", "fee", "maker",
        "stop_type",
    ),
    "ledger": ("ts", "cause", "symbol", "reference", "coin", "amount", "balance"),
}  # fmt: skip


def tables(folder: Path) -> dict[str, Table]:
    """All four, oldest first. InputError where there is no journal; JournalError, UnsoundJournal where it cannot be read."""
    with reading(folder) as db:
        if db is None:
            raise InputError(f"{folder}: no journal here; name one with --journal-dir")
        sql = "SELECT id, ts, kind, symbol, command, outcome, code, message, outcome_ts FROM intents ORDER BY ts, id"
        orders = [
            {
                **json.loads(command),
                "id": name,
                "ts": ts,
                "kind": kind,
                "symbol": symbol,
                "outcome": outcome or "not known",
                "code": code,
                "message": message,
                "outcome_ts": outcome_ts,
            }
            for name, ts, kind, symbol, command, outcome, code, message, outcome_ts in db.execute(sql)
        ]
    fills = notes_named(folder, ("fill",))
    found = {
        "trades": notes_named(folder, ("trade",)),
        "orders": orders,
        "fills": fills,
        "ledger": _ledger(folder),
    }
    return {name: [_row(each, COLUMNS[name]) for each in rows] for name, rows in found.items()}


def _ledger(folder: Path) -> Table:
    """Each change of the USDT wallet with the balance after it, from the start of the books on."""
    book = state(folder).get(Key.LEDGER) or {}
    if book.get("start") is None:
        return []
    with believable(folder):
        balance = Decimal(book["start"])
        rows: Table = [_change(int(book.get("begun", 0)), "start", {}, balance)]
        for note in notes_named(folder, ("fill", "funding", "transfer", "discrepancy")):
            rows += [
                _change(note.get("executed", note["ts"]), cause, note, amount)
                for cause, amount in _amounts(note)
            ]
    for row in rows[1:]:
        balance += Decimal(row["amount"])
        row["balance"] = f"{balance:f}"
    return rows


def _amounts(note: Mapping[str, Any]) -> Iterable[tuple[str, Decimal]]:
    match note["name"]:
        case "fill":
            yield "result", Decimal(note.get("result", 0))
            yield "fee", -Decimal(note["fee"])
        case "funding":
            yield "funding", -Decimal(note["paid"])
        case kind if note["coin"] == SETTLED_IN:
            yield "unexplained" if kind == "discrepancy" else kind, Decimal(note["amount"])


def _change(ts: int, cause: str, note: Mapping[str, Any], amount: Decimal) -> dict[str, Any]:
    reference = note.get("exec_id", note.get("id", ""))
    text = f"{amount:f}"
    return {
        "ts": ts, "cause": cause, "symbol": note.get("symbol", ""), "reference": reference, "coin": SETTLED_IN, "amount": text,
        "balance": text,
    }  # fmt: skip


def _row(values: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: values.get(column) for column in columns}


def write(found: Mapping[str, Table], to: Path, form: str) -> dict[str, Path]:
    """One private file a table in the folder `to`, named by table and `form`: csv, json or parquet (the extra `parquet`).

    Earlier files are replaced. InputError where the extra is missing or the folder cannot be written.
    """
    text: Callable[[str], bytes] = {
        "csv": lambda name: _csv(found[name], COLUMNS[name]),
        "json": lambda name: json.dumps(found[name], indent=2).encode(),
        "parquet": lambda name: _parquet(found[name], COLUMNS[name]),
    }[form]
    written = {}
    try:
        private_folder(to)
        for name in found:
            written[name] = _replaced(to / f"{name}.{form}", text(name))
    except OSError as error:
        raise InputError(f"{to}: {error.strerror}; name another folder") from None
    return written


def _replaced(path: Path, data: bytes) -> Path:
    """A private file with `data`, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    try:
        with open(draft, "wb", opener=private_opener) as file:
            file.write(data)
        return draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _csv(rows: Table, columns: tuple[str, ...]) -> bytes:
    out = StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _parquet(rows: Table, columns: tuple[str, ...]) -> bytes:
    from io import BytesIO

    try:
        import polars as pl
    except ImportError:
        raise InputError(
            "--format parquet needs polars: pip install 'turbo-trader[parquet]'; or use csv"
        ) from None
    out = BytesIO()
    texts = {
        column: [None if row[column] is None else str(row[column]) for row in rows] for column in columns
    }
    pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String)).write_parquet(out)
    return out.getvalue()

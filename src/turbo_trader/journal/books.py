"""Do the books of a journal add up? Wallet = start + results - fees + funding + transfers, by what was booked one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.connection import Tables
from turbo_trader.journal.opening import believable, reading
from turbo_trader.journal.packing import whole
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.events import SETTLED_IN
from turbo_trader.trader.ledger import ZERO, Ledger
from turbo_trader.trader.persisted import decode
from turbo_trader.trader.state_keys import Key

_EVER: Final = 2**63 - 1
_SETTLED: Final = 2 * SECOND  # a wallet read sooner after a fill may not show it yet
_READS: Final = 200  # of the venue that are looked through, newest first


@dataclass(kw_only=True, frozen=True, slots=True)
class Finding:
    """One thing that was looked at: is it in order, and what was found, as a sentence."""

    name: str
    ok: bool
    text: str


@dataclass(kw_only=True, frozen=True, slots=True)
class Booked:
    """The sums of what was booked one by one, USDT. `silent`: fills that an earlier version noted without their result."""

    fills: int = 0
    silent: int = 0
    results: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    transfers: Decimal = ZERO


def books(folder: Path) -> list[Finding]:
    """What is found of the books; nothing is changed. [] where nothing was booked yet.

    JournalError, UnsoundJournal or InputError where the journal cannot be read.
    """
    with reading(folder, still=True) as db:
        if db is None:
            return []
        with believable(folder):
            rows = db.execute("SELECT key, value FROM state WHERE key IN (?, ?)", (Key.LEDGER, Key.SCHEMA))
            kept = decode({key: json.loads(value) for key, value in rows}).ledger
            if kept is None or kept.start is None:
                return []
            ledger = Ledger.from_ledger_record(kept, _EVER)
            booked = _booked(_notes(db))
            return [_sums(ledger, booked), _explained(ledger), _agreement(ledger, _wallets(db, ledger))]


def _notes(db: Tables) -> Iterable[tuple[str, dict[str, Any]]]:
    sql = "SELECT name, fields FROM notes WHERE name IN ('fill', 'funding', 'transfer') ORDER BY n"
    return ((name, json.loads(fields)) for name, fields in db.execute(sql))


def _booked(notes: Iterable[tuple[str, dict[str, Any]]]) -> Booked:
    fills = silent = 0
    results, fees, funding, transfers = ZERO, ZERO, ZERO, ZERO
    for name, note in notes:
        if name == "fill":
            fills += 1
            silent += "result" not in note
            results += Decimal(note.get("result", 0))
            fees += Decimal(note["fee"])
        elif name == "funding":
            funding -= Decimal(note["paid"])
        elif note["coin"] == SETTLED_IN:
            transfers += Decimal(note["amount"])
    return Booked(
        fills=fills, silent=silent, results=results, fees=fees, funding=funding, transfers=transfers
    )


def _sums(ledger: Ledger, booked: Booked) -> Finding:
    names = ["fees", "funding", "transfers", *([] if booked.silent else ["results"])]
    wrong = [
        f"{name} {getattr(ledger, name):f}, booked one by one {getattr(booked, name):f}"
        for name in names
        if getattr(ledger, name) != getattr(booked, name)
    ]
    terms = (
        f"{ledger.balance:f} = {ledger.start:f} + {ledger.results:f} - {ledger.fees:f} + {ledger.funding:f}"
    )
    text = (
        f"{terms} + {ledger.transfers:f} (start + results - fees + funding + transfers), {booked.fills} fills"
    )
    if booked.silent:
        text += f"; results of {booked.silent} fills of an earlier version are not noted one by one"
    return Finding(name="books", ok=not wrong, text="; ".join(wrong) or text)


def _explained(ledger: Ledger) -> Finding:
    found = ledger.discrepancies()
    text = ", ".join(f"{amount:f} {coin}" for coin, amount in found.items())
    return Finding(
        name="explained",
        ok=not found,
        text=f"nothing explains {text}" if found else "every change has its cause",
    )


def _wallets(db: Tables, ledger: Ledger) -> list[Decimal]:
    """The newest two wallets of whole reads that began after the last fill was settled, newest first."""
    found: list[Decimal] = []
    sql = "SELECT event FROM events WHERE kind = 'ReadResult' ORDER BY n DESC LIMIT ?"
    for (value,) in db.execute(sql, (_READS,)):
        read = json.loads(whole(value))
        if read["asked_ts"] - ledger.last_fill_ts < _SETTLED or len(found) == 2:
            break
        if read["outcome"] == "confirmed" and read.get("wallet") and not read.get("unread"):
            found.append(Decimal(read["wallet"]["balance"]))
    return found


def _agreement(ledger: Ledger, wallets: list[Decimal]) -> Finding:
    """As the Trader does, believe a difference that two reads agree on."""
    apart = [wallet - ledger.balance for wallet in wallets]
    if not wallets:
        return Finding(name="wallet", ok=True, text="not read since the last fill")
    if not apart[0]:
        return Finding(name="wallet", ok=True, text=f"{wallets[0]:f}, as the books")
    wrong = len(apart) == 2 and apart[0] == apart[1]
    text = f"the venue's wallet is {wallets[0]:f}, the books say {ledger.balance:f}"
    return Finding(
        name="wallet", ok=not wrong, text=text if wrong else f"{text}; one read alone decides nothing"
    )

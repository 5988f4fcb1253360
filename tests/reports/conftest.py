"""Journals as a daemon writes them, made by hand: scans of two symbols, trades with fills, zones and ends."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Resolved, Scanned
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.persisted import plain

SYMBOLS = ("BTCUSDT", "ETHUSDT")
BEGIN = 1_767_603_600_000_000_000  # 2026-01-05 09:00 UTC
FEE = Decimal("0.055")

Write = Callable[..., Path]


def write_run(
    folder: Path,
    trades: int = 4,
    *,
    spacing: int = 30 * MINUTE,
    scans: int = 240,
    ended: bool = True,
    still_open: bool = False,
) -> Path:
    """Trades one after another: even ones win, odd ones lose; each at 100 USDT with a quantity of 1."""
    journal = Journal(folder, SYMBOLS, "paper", now=lambda: BEGIN)
    for i in range(scans):
        journal.scanned(Scanned(BEGIN + i * 30 * SECOND, _rows(i)))
    for i in range(trades):
        _trade(journal, i, BEGIN + 5 * MINUTE + i * spacing, spacing)
    if still_open:
        _open(journal, trades, BEGIN + 5 * MINUTE + trades * spacing)
    outcomes = np.zeros(40, OUTCOME)
    outcomes["ts"] = BEGIN + np.arange(40) * MINUTE
    outcomes["known_ts"] = outcomes["ts"] + MINUTE
    outcomes["forecasts"], outcomes["confidences"], outcomes["p_targets"] = 0.002, 0.6, 0.4
    outcomes["realised"] = np.where(np.arange(40) % 2, 0.001, -0.001)
    if scans:
        journal.resolved(Resolved(BEGIN, outcomes))
    wins, losses = (trades + 1) // 2, trades // 2
    results = Decimal("0.8") * wins - Decimal("0.4") * losses
    ledger = Ledger(Decimal(100), results=results, fees=2 * FEE * trades)
    journal.persist(Persist(BEGIN, "ledger", plain(ledger.ledger_record())))
    journal.flush()
    if ended:
        journal.close(BEGIN + trades * spacing, "stop")
    else:
        journal._lock.close()  # as a killed process: what was written stays, no end is
        journal._db.close()
    return folder


def _rows(i: int) -> np.ndarray:
    rows = np.zeros(2, SCAN)
    rows["ts"], rows["symbol"] = BEGIN + i * 30 * SECOND, (0, 1)
    rows["mid"] = (100 + np.sin(i / 20), 100 + np.cos(i / 20))
    rows["candidate"], rows["direction"], rows["valid"], rows["score"] = i % 2, 1, 31, 0.3
    rows["verdict"][:, 0] = 1
    rows["verdict"][:, 1] = 1 if i % 4 == 1 else 3
    rows["blocker"], rows["tier"] = (-1 if i % 4 == 1 else 1), (2 if i % 4 == 1 else 0)
    return rows


def _open(journal: Journal, i: int, ts: int) -> str:
    symbol, name = SYMBOLS[i % 2], f"t{i}-entry"
    journal.note(
        Note(ts, "entry", fields={
            "symbol": symbol, "id": name, "tier": "AB"[i % 2], "direction": 1, "qty": Decimal(1), "limit": Decimal("100.02"),
            "stop": Decimal("99.6"), "backstop": Decimal("101.2"), "take_profit": Decimal("100.8"), "leverage": Decimal(5),
            "binding": "margin target", "used_ev": 0.0012, "ev": -0.0013, "bid": Decimal("99.98"), "ask": Decimal("100.00"),
        })
    )  # fmt: skip
    fill = {"symbol": symbol, "id": name, "qty": Decimal(1), "fee": FEE, "coin_fees": {}, "kind": "Trade"}
    journal.note(
        Note(ts + SECOND, "fill", fields={**fill, "side": 1, "price": Decimal("100.01"), "stop_type": ""})
    )
    return name


def _trade(journal: Journal, i: int, ts: int, spacing: int) -> None:
    name, won = _open(journal, i, ts), i % 2 == 0
    symbol, end = SYMBOLS[i % 2], ts + spacing // 2
    price = Decimal("100.81") if won else Decimal("99.61")
    if won:
        zone = {"symbol": symbol, "zone": 1, "stop": Decimal("100.2"), "reason": "zone-1"}
        journal.note(Note(ts + spacing // 4, "zone", fields=zone))
        quote = {"bid": Decimal("100.82"), "ask": Decimal("100.84")}
        journal.note(
            Note(
                end - SECOND,
                "exit",
                fields={"symbol": symbol, "reason": "target", "size": Decimal(1), **quote},
            )
        )
    fill = {"symbol": symbol, "id": "x", "qty": Decimal(1), "fee": FEE, "coin_fees": {}, "kind": "Trade"}
    journal.note(
        Note(end, "fill", fields={**fill, "side": -1, "price": price, "stop_type": "" if won else "StopLoss"})
    )
    result = price - Decimal("100.01")
    net = result - 2 * FEE
    journal.note(
        Note(end, "trade", fields={
            "symbol": symbol, "id": name, "tier": "AB"[i % 2], "direction": 1, "qty": Decimal(1), "entry": Decimal("100.01"),
            "exit": price, "result": result, "fees": 2 * FEE, "funding": Decimal(0), "net": net,
            "net_fraction": float(net / Decimal("100.01")), "ev": 0.0012, "honest_ev": -0.0013,
            "reason": "target" if won else "stop", "seconds": (spacing // 2) // SECOND - 1,
        })
    )  # fmt: skip


@pytest.fixture
def run_folder(tmp_path: Path) -> Write:
    """Writes a run into a folder of its own."""

    def write(name: str = "paper-1", trades: int = 4, **options: object) -> Path:
        return write_run(tmp_path / name, trades, **options)  # type: ignore[arg-type]

    return write

"""A run whose books a test writes: each booking is persisted and noted in one commit, as the Trader does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from turbo_trader.journal.store import Journal
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.events import Fill, Outcome, ReadResult, Transfer, WalletReport
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.persisted import plain

NOW = 1_767_603_600 * SECOND


class BookedRun:
    """A journal with books, open for writing."""

    def __init__(self, folder: Path, ledger: Ledger | None = None, n: int = 0) -> None:
        self.journal = Journal(folder, ("BTCUSDT",), now=lambda: NOW)
        self.ledger, self.n = ledger or Ledger(), n
        if ledger is None:
            self.ledger.open(wallet("18"), NOW)
        self._keep()

    def fill(self, result: str, fee: str, *, kind: str = "Trade", noted: bool = True) -> None:
        self.n += 1
        fill = Fill(
            ts=NOW + self.n * SECOND, symbol="BTCUSDT", exec_id=f"e{self.n}", order_id=f"o{self.n}", link_id="tt-1-entry",
            side=Side.BUY,
            qty=Decimal("0.001"), price=Decimal(60_000), fee=Decimal(fee), kind=kind, closed_qty=Decimal(0), is_maker=False,
            seq=self.n,
        )  # fmt: skip
        self.ledger.add(fill, Decimal(result))
        same = {"symbol": "BTCUSDT", "executed": fill.ts, "exec_id": fill.exec_id}
        if kind == "Funding":
            note = Note(fill.ts, "funding", "info", {**same, "paid": fill.fee})
        else:
            note = Note(
                fill.ts,
                "fill",
                "info",
                {**same, "fee": fill.fee, "result": Decimal(result), "price": fill.price},
            )
        if noted:
            self.journal.note(note)
        self._keep()

    def transfer(self, amount: str) -> None:
        self.ledger.explain(
            "USDT", Decimal(amount), [Transfer(NOW, "t1", "USDT", Decimal(amount), "TRANSFER_IN")]
        )
        self.journal.note(Note(NOW, "transfer", "info", {"coin": "USDT", "amount": Decimal(amount)}))
        self._keep()

    def read(self, balance: Decimal, seconds: int = 60) -> None:
        ts = NOW + (self.n + seconds) * SECOND
        read = ReadResult(
            ts=ts, id="r", outcome=Outcome.CONFIRMED, asked_ts=ts, wallet=wallet(f"{balance:f}")
        )
        self.journal.event(read)
        self.journal.flush()

    def _keep(self) -> None:
        self.journal.persist(Persist(NOW, "ledger", plain(self.ledger.ledger_record())))
        self.journal.persist(Persist(NOW, "session", {"halted": ""}))
        self.journal.commit()


def wallet(balance: str) -> WalletReport:
    zero = Decimal(0)
    return WalletReport(NOW, Decimal(balance), Decimal(balance), zero, zero, zero)

"""The wallet by our own books: start + results - fees + funding + transfers, to the last digit, beside the venue's report.

USDT has a book, and each other coin that fees were paid in. What the venue's wallet holds more or less than a book is booked too,
so that decisions rest on the money there is, but apart: as a transfer where the venue's transaction log says so, or as unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Final

from turbo_trader.market.order_terms import ExecKind
from turbo_trader.trader.events import SETTLED_IN, Fill, Transfer, WalletReport

ZERO = Decimal(0)
_MONEY: Final = ("results", "fees", "funding", "transfers", "unexplained")
_REMEMBERED: Final = 1_000  # transfers
_KEPT: Final = 200  # ids across a restart


@dataclass(kw_only=True, frozen=True, slots=True)
class BookRecord:
    """A book as it is kept."""

    start: Decimal | None
    results: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    transfers: Decimal = ZERO
    unexplained: Decimal = ZERO


@dataclass(kw_only=True, frozen=True, slots=True)
class LedgerRecord(BookRecord):
    """The ledger as it is kept."""

    coins: dict[str, BookRecord] = field(default_factory=dict)
    begun: int = 0
    seen: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    agreed: int | None = None
    last_fill_ts: int = 0


@dataclass(slots=True)
class Book:
    """One coin. Every change of its wallet has its cause, or is `unexplained`."""

    start: Decimal | None = None
    results: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO  # > 0 received
    transfers: Decimal = ZERO
    unexplained: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """What the wallet must hold."""
        changes = self.results - self.fees + self.funding + self.transfers + self.unexplained
        return (self.start or ZERO) + changes

    def record(self) -> BookRecord:
        """As it is now."""
        return BookRecord(start=self.start, **{name: getattr(self, name) for name in _MONEY})

    @classmethod
    def from_record(cls, kept: BookRecord) -> Book:
        """The book that was recorded."""
        return cls(kept.start, **{name: getattr(kept, name) for name in _MONEY})


@dataclass(slots=True)
class Ledger(Book):
    """The book of USDT, those of other coins, and what was booked already."""

    begun: int = 0  # when it was read (ns): what happened before is in it
    coins: dict[str, Book] = field(default_factory=dict)  # other coins
    seen: dict[str, None] = field(default_factory=dict)  # execution ids, in order
    moved: dict[str, None] = field(
        default_factory=dict
    )  # ids of the transaction log's transfers that were booked, in order
    agreed: int = 0  # when the wallet was last read and agreed with the books (ns)
    last_fill_ts: int = 0

    def open(self, report: WalletReport, at: int) -> bool:
        """Begin the books with the first report on the wallet, and that of a coin with the first that names it; was there one?

        `at`: ns; what was booked already is in the report.
        """
        first = self.start is None
        if first:
            self.start, self.begun, self.agreed = report.balance - self.balance, at, at
            for coin, book in self.coins.items():
                book.start = report.coins.get(coin, ZERO) - book.balance
        fresh = report.coins.keys() - self.coins.keys()
        self.coins |= {coin: Book(report.coins[coin]) for coin in fresh}
        return first or bool(fresh)

    def book(self, coin: str) -> Book:
        """The book of a coin; a new one begins with nothing."""
        return self if coin == SETTLED_IN else self.coins.setdefault(coin, Book(ZERO))

    def add(self, fill: Fill, result: Decimal) -> bool:
        """Book an execution once; False where it was booked before."""
        if fill.exec_id in self.seen:
            return False
        self.seen[fill.exec_id] = None
        if len(self.seen) > 10_000:
            del self.seen[next(iter(self.seen))]
        self.last_fill_ts = max(self.last_fill_ts, fill.ts)
        if fill.kind == ExecKind.FUNDING:
            self.funding -= fill.fee
        else:
            self.results += result
            self.fees += fill.fee
        for coin, amount in fill.coin_fees:
            self.book(coin).fees += amount
        return True

    def difference(self, report: WalletReport) -> Decimal:
        """The venue's report on USDT less ours: 0, or something that is not booked yet."""
        return report.balance - self.balance

    def differences(self, report: WalletReport) -> dict[str, Decimal]:
        """The venue's report less ours by coin, where it is not 0: something is not booked. A coin it does not name has none."""
        found = {SETTLED_IN: self.difference(report)}
        found |= {coin: report.coins.get(coin, ZERO) - book.balance for coin, book in self.coins.items()}
        return {coin: amount for coin, amount in found.items() if amount}

    def discrepancies(self) -> dict[str, Decimal]:
        """What nothing explains, by coin."""
        found = {
            SETTLED_IN: self.unexplained,
            **{coin: book.unexplained for coin, book in self.coins.items()},
        }
        return {coin: amount for coin, amount in found.items() if amount}

    def explain(self, coin: str, amount: Decimal, log: Sequence[Transfer]) -> tuple[Decimal, Decimal]:
        """Book a difference of `coin`: what the venue's `log` says of it as transfers, the rest as unexplained. Returns both.

        Transfers later than the last agreement count. Where those from a little before explain all of it, they do too: a wallet
        that was read then may not have shown them yet.
        """
        book = self.book(coin)
        fresh = sorted(
            (each for each in log if each.coin == coin and each.id not in self.moved),
            key=lambda each: -each.ts,
        )
        wanted = amount + book.unexplained
        taken, total = [], ZERO
        for n, each in enumerate(fresh, 1):
            total += each.amount
            if total == wanted:
                taken = fresh[:n]
                break
        else:
            taken = [each for each in fresh if each.ts > self.agreed] if amount else []
        moved = sum((each.amount for each in taken), ZERO)
        self._remember(each.id for each in taken)
        book.transfers += moved
        book.unexplained += amount - moved
        return moved, amount - moved

    def move(self, transfer: Transfer) -> None:
        """Book a transfer that nothing has to explain."""
        self._remember((transfer.id,))
        self.book(transfer.coin).transfers += transfer.amount

    def _remember(self, ids: Iterable[str]) -> None:
        self.moved |= dict.fromkeys(ids)
        while len(self.moved) > _REMEMBERED:
            del self.moved[next(iter(self.moved))]

    def ledger_record(self) -> LedgerRecord:
        """As it is now; the last 200 ids of executions and transfers."""
        return LedgerRecord(
            start=self.start, **{name: getattr(self, name) for name in _MONEY},
            coins={coin: book.record() for coin, book in self.coins.items()},
            begun=self.begun, seen=_last(self.seen), moved=_last(self.moved), agreed=self.agreed,
            last_fill_ts=self.last_fill_ts,
        )  # fmt: skip

    @classmethod
    def from_ledger_record(cls, kept: LedgerRecord, now: int) -> Ledger:
        """The ledger that was recorded, or one from before coins had books. Times after `now` (ns) hold nothing back."""
        return cls(
            start=kept.start, **{name: getattr(kept, name) for name in _MONEY},
            coins={coin: Book.from_record(each) for coin, each in kept.coins.items()},
            begun=min(kept.begun, now), seen=dict.fromkeys(kept.seen), moved=dict.fromkeys(kept.moved),
            agreed=kept.begun if kept.agreed is None else kept.agreed, last_fill_ts=min(kept.last_fill_ts, now),
        )  # fmt: skip


def _last(ids: dict[str, None]) -> list[str]:
    """The last of these ids, in order: however many there are, as quickly."""
    return [*islice(reversed(ids), _KEPT)][::-1]

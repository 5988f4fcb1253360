"""Months of operation: a Trader on one simulated account whose journal is a real file, killed, stopped, restored from backups and
brought up from an earlier version again and again. After each of them, and at the end, the books are exact.

A month takes minutes: `scripts/test -m slow tests/simulation/test_months.py` (`-s` shows the figures).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from tests.journal import earlier
from tests.simulation.test_decisions import FORCED, START

from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.journal.backup import backup, restore
from turbo_trader.journal.export import tables
from turbo_trader.journal.journal_check import examine
from turbo_trader.journal.readers import overview, state
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.journal.trimming import Trimming
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.faults import FaultRates, Faults
from turbo_trader.simulation.journal_in_memory import JournalInMemory
from turbo_trader.simulation.minutes import Minutes
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note, Persist, Resolved, Scanned, WireCommand, WriteCommand
from turbo_trader.trader.events import CommandResult, Control, Event
from turbo_trader.trader.machine import Trader
from turbo_trader.trader.persisted import BOOTS, INTENTS
from turbo_trader.trader.recovery import YOUNG

pytestmark = pytest.mark.long

UID: Final = "months"
BALANCE: Final = Decimal(30)
BLOCK: Final = 10 * MINUTE


#: Rules under which something is nearly always open, and no limit ends that.
BUSY: Final = Policy(
    **FORCED,
    session_loss=Decimal("0.9"),
    drawdown_pause=Decimal("0.8"),
    watchdog_probability=Decimal(0),
    kalman_warmup=30,
    vwap_warmup=60,
    ofi_threshold=Decimal(0),
    ou_threshold=Decimal(0),
    micro_turbo_signal_interval=10,
    turbo_min_ev=Decimal(0),
    turbo_fee_multiplier=Decimal(0),
    turbo_below=Decimal(1000),
)


class JournalOnDisk(JournalInMemory):
    """The process's journal as a file, and the sink of all it does. `between` changes the file while no process has it."""

    def __init__(self, folder: Path, symbols: tuple[str, ...], between: Callable[[], None]) -> None:
        super().__init__()
        self.folder, self._symbols, self._between = folder, symbols, between
        self._trimming = Trimming(folder, 7)
        self._waiting = 0
        self.now = START
        self.open()

    def open(self) -> None:
        self._file = Journal(self.folder, self._symbols, now=lambda: self.now)
        self._trimming = Trimming(self.folder, 7)

    def kill(self) -> None:
        """As a death leaves it: what was not written is gone."""
        self._file._db.close()
        self._file._lock.close()

    def restored(self, now: int) -> dict[str, Any]:
        self.now = now
        self.kill()
        self._between()
        self.open()
        self._file.adopt(self.boots, now)
        young = self._file.unresolved(since=now - YOUNG)
        return {
            **(self._file.restored() or {}),
            BOOTS: {"nonces": self._file.boots()},
            INTENTS: {"unresolved": young},
        }

    def persist(self, command: Persist) -> None:
        self._file.persist(command)

    def intent(self, now: int, command: WireCommand) -> None:
        assert isinstance(command, WriteCommand)
        self._file.intent(now, command)

    def outcome(self, result: CommandResult) -> None:
        self._file.outcome(result)

    def flush(self, now: int) -> None:
        self._file.flush()

    def commit(self, now: int) -> None:
        self._file.commit()

    # -- the sink

    def event(self, event: Event) -> None:
        self.now = max(self.now, event.ts)
        self._file.event(event)
        self._waiting += 1
        if self._waiting >= 200:
            self.tend()

    def command(self, command: Command) -> None:
        match command:
            case Note():
                self._file.note(command)
            case Scanned():
                for rows in command.rows.reshape(-1, len(self._symbols)):
                    self._file.scanned(Scanned(int(rows["ts"][0]), rows))
            case Resolved():
                self._file.resolved(command)
            case _:
                pass

    def tend(self) -> None:
        """What the daemon's upkeep does each second."""
        self._waiting = 0
        self._file.flush()
        for _ in range(3):
            group = self._trimming.gather()
            self._file.tend(lambda db, group=group: self._trimming.step(db, self.now, group))  # type: ignore[misc]


class Months:
    """One account, one market, one journal, and a process that ends every `every` ns in one way after the other."""

    WAYS = ("killed", "brought up", "restored", "killed", "packed up and restored")

    def __init__(
        self, folder: Path, symbols: int, every: int, policy: Policy, balance: Decimal = BALANCE
    ) -> None:
        self.instruments = universe()[:symbols]
        self.folder, self.every = folder, every
        self.done: Counter[str] = Counter()
        self._ends = 0
        self._next_end = START + every  # then, once a position is open
        self._market = SyntheticMarket(self.instruments, 3, START, 1.0)
        self._minutes = Minutes(
            self.instruments, tuple(self._market.history(i.symbol) for i in self.instruments)
        )
        self.policy = policy
        self.exchange = Exchange(self.instruments, ExchangeConfig())
        self.balance = balance
        self.exchange.add_account(UID, balance)
        names = tuple(each.symbol for each in self.instruments)
        self.journal = JournalOnDisk(folder, names, self._between)
        viewer = Trader(self.instruments, self.policy, boot="none", start_ts=START)
        rows = [self._market.read(s, START) for s in range(symbols)]
        self.simulation = Simulation(
            viewer, self.exchange, rows, uid=UID, latency=Latency(), sink=self.journal, start=START, faults=Faults(FaultRates(), 3),
        )  # fmt: skip
        self.simulation.process.journal = self.journal

    def _between(self) -> None:
        """No process has the journal: look at it, and let one of the things happen that happen in months."""
        way = self.WAYS[self._ends % len(self.WAYS)]
        self._ends += 1
        self.done[way] += 1
        self.check()
        kept, path = state(self.folder), self.folder / FILE
        self.done["with a position"] += any(
            value for key, value in kept.items() if key.startswith("position:")
        )
        if way == "brought up":
            earlier.downgraded(path)
        elif way != "killed":
            copy = backup(self.folder, self.folder.parent / f"copy-{self._ends}.sqlite")
            if way == "restored":
                for each in self.folder.glob(f"{FILE}*"):
                    each.unlink()  # a disk is replaced
            restore(self.folder, copy, f"{self._ends}")
            copy.unlink()
        assert state(self.folder) == kept
        for old in self.folder.glob("before-restore-*"):
            old.unlink()

    def check(self) -> None:
        wrong = [f"{each.name}: {each.text}" for each in examine(self.folder) if not each.ok]
        assert not wrong, (self._ends, wrong)

    def play(self, length: int) -> None:
        self.begin()
        self.until(START + length)
        self.end(length)

    def begin(self) -> None:
        self.simulation.start_slowly(self._start, self._minutes)

    def end(self, length: int) -> None:
        simulation = self.simulation
        simulation.deliver(Control(simulation.now, "flatten", "end"))
        self.until(START + length + 5 * MINUTE)
        self.journal.tend()
        self.journal._file.close(simulation.now, "end")

    def _start(self, boot: str, now: int, restored: dict[str, Any] | None) -> Trader:
        return Trader(self.instruments, self.policy, boot=boot, start_ts=now, restored=restored)

    def until(self, end: int) -> None:
        simulation = self.simulation
        while simulation.now < end:
            until = min(end, (simulation.now // BLOCK + 1) * BLOCK)
            for s in range(len(self.instruments)):
                rows = self._market.read(s, until + MINUTE)
                self._minutes.add(s, rows)
                simulation.cursors.extend(s, rows)
            while simulation.now < until:
                simulation.run(min(until, simulation.now + MINUTE))
                if simulation.now >= self._next_end and (
                    self._held() or simulation.now >= self._next_end + self.every
                ):
                    self._next_end = simulation.now + self.every
                    simulation.die()

    def _held(self) -> bool:
        return any(position.size for position in self.exchange.accounts[UID].positions.values())


def played(folder: Path, *, symbols: int, every: int, length: int, balance: Decimal = BALANCE) -> Months:
    months = Months(folder / "live", symbols, every, BUSY, balance)
    try:
        months.play(length)
    finally:
        with contextlib.suppress(Exception):
            months.journal.kill()
    months.check()
    return months


def is_exact(months: Months, ways: set[str], *, least: int) -> None:
    """The wallet is the books' to the last digit, and the export adds up to it; there were that many fills at least."""
    assert {*ways, "with a position"} <= {way for way, count in months.done.items() if count}, months.done
    found = tables(months.folder)
    wallet = months.exchange.wallet(UID)
    assert Decimal(found["ledger"][-1]["balance"]) == wallet
    assert months.balance + sum(Decimal(row["net"]) for row in found["trades"]) == wallet
    fills = [row["exec_id"] for row in found["fills"]]
    assert len(fills) == len(set(fills)) >= least
    assert not months._held()
    ends = ", ".join(f"{count} {way}" for way, count in months.done.items())
    print(f"\n{ends}; {len(found['trades'])} trades, {len(fills)} fills, wallet and books {wallet}")


def test_hours_with_upgrades_kills_and_restores_keep_books_exact(tmp_path: Path) -> None:
    months = played(tmp_path, symbols=4, every=12 * MINUTE, length=60 * MINUTE)
    is_exact(months, {"killed", "brought up", "restored"}, least=20)
    assert overview(months.folder)["scans"] > 100


def used(folder: Path) -> int:
    """Bytes of the journal that hold something."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        pages, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def test_a_day_of_fifteen_symbols_takes_less_than_20_mb(tmp_path: Path) -> None:
    """Twenty minutes of the default rules, after ten in which the journal begins."""
    months = Months(tmp_path / "live", 15, DAY, Policy())
    months.begin()
    sizes = []
    for minutes in (10, 30):
        months.until(START + minutes * MINUTE)
        months.journal.tend()
        sizes.append(used(months.folder))
    months.journal.kill()
    assert overview(months.folder)["scans"] >= 40
    assert (sizes[1] - sizes[0]) * 72 < 20_000_000, sizes


@pytest.mark.slow
def test_a_month_with_upgrades_kills_and_restores_keeps_books_exact(tmp_path: Path) -> None:
    months = played(tmp_path, symbols=2, every=8 * 60 * MINUTE, length=30 * DAY, balance=Decimal(500))
    is_exact(months, set(Months.WAYS), least=200)
    assert months._ends >= 45  # eight hours, and up to eight more for a position

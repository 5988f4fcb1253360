"""I5: positions, trades and wallet as the journal has them against the venue's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import ExecutionMessage, Message
from turbo_trader.journal.encoding import encode
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import MINUTE
from turbo_trader.trader.commands import Command, Note, Persist

#: Two agreeing snapshots, each of which may fail for a while; a close may go unanswered many times.
WITH_FAULTS: Final = 4 * MINUTE
WITHOUT_FAULTS: Final = MINUTE
MONEY: Final = ("results", "transfers", "funding", "unexplained")


@dataclass(slots=True)
class Trade:
    """What the venue has executed of one trade."""

    result: Decimal = ZERO
    fees: Decimal = ZERO


class Books(Check):
    """What the journal says of positions, trades and money."""

    def __init__(self, world: World, requests: Requests) -> None:
        super().__init__(world)
        self._requests = requests
        self._positions: dict[str, Decimal] = {}  # symbol -> size, in the journal
        self._ledger: dict[str, Any] = {}
        self._odd: dict[str, int] = {}  # symbol -> heard time since when its sizes differ
        self._patience = WITHOUT_FAULTS if world.quiet else WITH_FAULTS
        self._trades: dict[str, list[Note]] = {}  # as reported, by id of the opening order
        self._executed: dict[
            str, list[Trade]
        ] = {}  # one that goes on filling after a close opens a trade again
        self._lives: dict[str, int] = {}  # which life has reported each last
        self._openers: dict[str, str] = {}
        self._open: dict[str, Decimal] = {}  # symbol -> size by the executions
        self.frozen = 0

    def command(self, command: Command) -> None:
        """The journal's figures."""
        if isinstance(command, Persist):
            if command.key.startswith("position:"):
                value = json.loads(encode(command.value))
                self._positions[command.key.partition(":")[2]] = Decimal(value["held"]) if value else ZERO
            elif command.key == "ledger":
                self._ledger = json.loads(encode(command.value))
        elif isinstance(command, Note):
            self._note(command)

    def _note(self, note: Note) -> None:
        if note.name == "trade":
            name = note.fields["id"]
            if name not in self._requests.opened:
                raise Violated(Invariant.BOOKS, "a trade is reported that nothing opened", trade=note.fields)
            reported = self._trades.setdefault(name, [])
            if reported and self._lives.get(name) != self.world.life and _same(reported[-1], note):
                reported.pop()  # it may not have been on disk when the life before ended; the books tell if it counts twice
            reported.append(note)
            self._lives[name] = self.world.life
            if len(reported) > len(self._executed[name]):
                raise Violated(Invariant.BOOKS, "a trade is reported twice", trade=note.fields)
        elif note.name == "transfer" and note.fields["coin"] == "USDT":
            self.world.recognised += note.fields["amount"]
        elif note.name == "frozen" and note.fields["symbol"] not in self.world.strange:
            raise Violated(Invariant.BOOKS, "a symbol is given up", why=note.fields)

    def message(self, message: Message) -> None:
        """Add up what each trade has made."""
        if not isinstance(message, ExecutionMessage) or message.kind == ExecKind.FUNDING:
            return
        opens = message.qty > message.closed_qty and message.link_id in self._requests.entries
        if opens:
            self._openers[message.symbol] = message.link_id
        held = self._open.get(message.symbol, ZERO)
        self._open[message.symbol] = held + message.side * message.qty
        opener = self._openers.get(message.symbol)
        if opener is not None:
            trades = self._executed.setdefault(opener, [])
            if not trades or (opens and not held):
                trades.append(Trade())
            trade = trades[-1]
            trade.result += message.pnl
            trade.fees += message.fee

    def step(self) -> None:
        """Sizes that differ must agree within their time."""
        world = self.world
        if not world.hears:
            return
        symbols = self._positions.keys() | world.positions.keys()
        odd = {s for s in symbols if self._positions.get(s, ZERO) != world.size(s)}
        self._odd = {s: self._odd.get(s, world.heard_ns) for s in odd}
        for symbol, since in self._odd.items():
            if world.heard_ns - since > self._patience:
                raise Violated(
                    Invariant.BOOKS, "the journal and the venue hold different sizes", symbol=symbol,
                    venue=world.size(symbol), journal=self._positions.get(symbol, ZERO),
                )  # fmt: skip

    def calm(self) -> None:
        """What still differs must agree within a minute."""
        self._patience = WITHOUT_FAULTS
        self._odd = dict.fromkeys(self._odd, self.world.heard_ns)

    def finish(self) -> None:
        """Flat by both, each trade reported once with the venue's result, the wallet to the last digit."""
        world = self.world
        held = {p.symbol: p.size for p in world.held()}
        journal = {symbol: size for symbol, size in self._positions.items() if size}
        if held or journal:
            raise Violated(Invariant.BOOKS, "not flat at the end", venue=held, journal=journal)
        missing = [
            name
            for name in self._requests.opened
            if len(self._trades.get(name, ())) < len(self._executed[name])
        ]
        if missing:
            raise Violated(Invariant.BOOKS, "trades that were never reported", ids=sorted(missing))
        self._results()
        self._wallet()

    def _results(self) -> None:
        for name, notes in self._trades.items():
            for note, trade in zip(notes, self._executed[name], strict=True):
                if (note.fields["result"], note.fields["fees"]) != (trade.result, trade.fees):
                    raise Violated(
                        Invariant.BOOKS,
                        "a trade's result is not the venue's",
                        journal=note.fields,
                        venue=trade,
                    )

    def _wallet(self) -> None:
        if not self._ledger:
            raise Violated(Invariant.BOOKS, "the journal has no ledger")
        book = {name: Decimal(self._ledger[name]) for name in MONEY}
        wallet = Decimal(self._ledger["start"]) + sum(book.values(), ZERO) - Decimal(self._ledger["fees"])
        if wallet != self.world.balance or book["unexplained"] or book["transfers"] != self.world.transferred:
            raise Violated(
                Invariant.BOOKS, "the journal's wallet is not the venue's", venue=self.world.balance, journal=wallet,
                transferred=self.world.transferred, **book,
            )  # fmt: skip


def _same(one: Note, other: Note) -> bool:
    return all(one.fields[name] == other.fields[name] for name in ("result", "fees", "qty"))

"""What the oracle knows: the venue's account, the market, what reached the process, and for how long it could act."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from turbo_trader.chaos.money import Money
from turbo_trader.chaos.scan_rows import Row, plain_rows
from turbo_trader.exchange.messages import ExecutionMessage, Message, PositionMessage
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.journal.encoding import encode
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.account_outages import BY_HAND
from turbo_trader.simulation.minutes import Minutes
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.trader.commands import Command, Persist, Scanned
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import (
    ClockOffset,
    Control,
    Event,
    InstrumentUpdate,
    Maintenance,
    Outcome,
    PositionReport,
    ReadResult,
    StreamKind,
    StreamStatus,
    Woken,
)

ZERO: Final = Decimal(0)
SCANS_KEPT: Final = 24  # of each symbol
BAN: Final = 600 * SECOND - 1000  # of silence after an HTTP 403; the daemon counts it in seconds as floats
RESET: Final = "X-Bapi-Limit-Reset-Timestamp"
LIMITED: Final = SECOND - 5_000_000  # of silence of a route after "too many requests" that names no time
ROUTES: Final[Mapping[str, str]] = {
    "place_order": "/v5/order/create", "set_trading_stop": "/v5/position/trading-stop", "cancel_order": "/v5/order/cancel",
    "set_leverage": "/v5/position/set-leverage", "get_open_orders": "/v5/order/realtime",
    "get_order_history": "/v5/order/history", "get_executions": "/v5/execution/list", "get_positions": "/v5/position/list",
    "get_wallet_balance": "/v5/account/wallet-balance", "get_transaction_log": "/v5/account/transaction-log",
}  # fmt: skip
WRONG: Final = SECOND // 4  # a clock that is off by more may make everything late or early


@dataclass(slots=True)
class Heard:
    """What this life of the process has been sent about a symbol's position."""

    size: Decimal = ZERO
    stop: Decimal | None = None
    seq: int = -1
    ts: int = 0
    since: int = 0  # when it was first sent this size


@dataclass(slots=True)
class World:
    """Facts of one run; `simulation` is set before it starts. `quiet`: no fault keeps the process from acting in time."""

    policy: Policy
    quiet: bool = False
    simulation: Simulation = field(init=False)
    bars: Minutes = field(init=False)  # of the market
    able_ns: int = 0  # for how long the process was alive, awake and could reach the venue
    heard_ns: int = 0  # and had its private stream
    life: int = 0
    born: int = 0  # when this life began
    stream_up: bool = False  # the private stream, as the process was reported
    banned_until: int = 0  # by the machine's clocks: this life may send nothing before
    limited: dict[str, int] = field(
        default_factory=dict
    )  # by them, too: routes of which nothing may be asked before
    flattening: bool = False  # everything is to be closed: a person asked for it, or the journal says so
    key_refused: int = 0  # since when the process knows that its key is; a person must say `resume`
    refused: str = (
        ""  # the method of the last request whose key was refused, until such a one is answered again
    )
    offset: tuple[int, int] = (0, 0)  # the clock offset measured last, and when the process knew
    ending: dict[str, tuple[int, int]] = field(default_factory=dict)  # contracts: their end, known since
    terms: dict[str, Instrument] = field(default_factory=dict)  # as this life has read them
    notice: tuple[int, int, int] | None = None  # an announced maintenance: begin, end, known since
    read_ns: int = 0  # when the account was last read whole in this life; 0: not yet
    woken: int = 0  # when the process last found that it had been away, by its own clock: what was asked before does not count
    positions: dict[str, PositionMessage] = field(default_factory=dict)  # at the venue
    heard: dict[str, Heard] = field(default_factory=dict)
    scans: dict[str, deque[Row]] = field(default_factory=dict)  # rows of the journal, newest last
    scanned: list[Row] = field(default_factory=list)  # those of the last scan
    scan_heard_ns: int = 0  # `heard_ns` at the last scan
    decided: dict[int, int] = field(
        default_factory=dict
    )  # when each of this life's scans was made, by its own time
    foreign: dict[str, str] = field(default_factory=dict)  # ids of others' orders that must stay -> symbol
    strangers: Mapping[str, int] = field(default_factory=dict)  # symbols on which others hold something now
    strange: set[str] = field(default_factory=set)  # ... or did
    met: dict[str, int] = field(default_factory=dict)  # since when this life knows of a stranger's position
    guarded: Counter[str] = field(default_factory=Counter)  # what the guard has done
    disturbed: Callable[[], int] = lambda: 0  # how many requests a fault has met
    transferred: Decimal = ZERO  # money moved by others
    recognised: Decimal = ZERO  # of it, what the journal knows as a transfer
    _last: int = 0
    _state: tuple[bool, bool] = (False, False)
    _executed: dict[str, Decimal] = field(
        default_factory=dict
    )  # size of each symbol by the executions so far
    money: Money = field(init=False)  # what the account was worth

    def __post_init__(self) -> None:
        self.money = Money(self)

    # -- time

    @property
    def now(self) -> int:
        """Simulated time, ns."""
        return self.simulation.now

    def tick(self) -> None:
        """Count the time since the last call; before anything else is looked at."""
        now = self.simulation.now
        if now > self._last:
            able, heard = self._state
            self.able_ns += (now - self._last) if able else 0
            self.heard_ns += (now - self._last) if heard else 0
            self._last = now
        able = self.simulation.trader is not None and self._reaches() and not self._wrong_clock()
        self._state = (able, able and self.stream_up and self.simulation.private.up_since is not None)
        if self.simulation.process.lives != self.life:
            self._begin_life()

    def _reaches(self) -> bool:
        network = self.simulation.network
        return not network.down and not network.refused and not self.banned()

    def banned(self) -> bool:
        """Must the process be silent, by the clocks it has?"""
        return self._machine_time() < self.banned_until

    def held_back(self, route: str) -> bool:
        """Was this route asked too often, by the process's clocks within the last second?"""
        return self._machine_time() < self.limited.get(route, 0)

    def _machine_time(self) -> int:
        return self.now + self.simulation.process.skew

    def _wrong_clock(self) -> bool:
        return abs(self.simulation.process.clock_error) > WRONG

    def received(self, method: str, reply: HttpReply) -> None:
        """An answer reached the process. Who resumes while the key is refused, resumes for when it works again."""
        if reply.status == 403:
            self.banned_until = self._machine_time() + BAN
        elif reply.status == 200 and b'"retCode":10003,' in reply.body:
            if not self.refused or method == "place_order":
                self.key_refused = self.key_refused or self.now
            self.refused = method
        elif reply.status == 200 and b'"retCode":0,' in reply.body and method == self.refused:
            self.refused = ""
        elif reply.status == 200 and b'"retCode":10006,' in reply.body and RESET not in reply.headers:
            self.limited[ROUTES.get(method, "")] = self._machine_time() + LIMITED

    @property
    def able(self) -> bool:
        """Can the process act now?"""
        return self._state[0]

    @property
    def hears(self) -> bool:
        """And does it hear the account?"""
        return self._state[1]

    def _begin_life(self) -> None:
        self.life, self.born = self.simulation.process.lives, self.now
        self.stream_up, self.read_ns, self.banned_until, self.notice, self.woken = False, 0, 0, None, 0
        self.refused = ""
        self.limited.clear()
        self.heard.clear()
        self.met.clear()
        self.scans.clear()
        self.decided.clear()
        self.ending.clear()
        for instrument in self.simulation.exchange.instruments:  # read at the start
            self.terms[instrument.symbol] = instrument
            self._ends(instrument)

    # -- what comes in

    def event(self, event: Event) -> None:
        """The process was sent something."""
        match event:
            case StreamStatus() if event.stream is StreamKind.PRIVATE:
                self.stream_up = event.up
            case Woken():
                self.read_ns, self.woken = 0, event.ts
            case Maintenance():
                self.notice = None if event.begin is None else (event.begin, event.end, self.now)
            case ClockOffset():
                self.offset = event.offset, self.now
            case InstrumentUpdate():
                self.terms[event.instrument.symbol] = event.instrument
                self._ends(event.instrument)
            case Control():
                self.flattening = self.flattening or event.verb in (ControlVerb.FLATTEN, ControlVerb.STOP)
                self.key_refused = 0 if event.verb == ControlVerb.RESUME else self.key_refused
            case PositionReport():
                self._hear(event)
            case ReadResult() if event.outcome is Outcome.CONFIRMED:
                for report in event.positions:
                    self._hear(report)
                if event.wallet is not None and event.asked_ts >= self.woken:
                    self.read_ns = self.now
            case _:
                pass

    def _ends(self, instrument: Instrument) -> None:
        if instrument.delivery_ns or instrument.closed:
            self.ending.setdefault(instrument.symbol, (instrument.delivery_ns, self.now))

    def of_others(self, message: Message) -> bool:
        """Is a message of the venue about what somebody else holds?"""
        self.strange |= self.strangers.keys()
        by_hand = getattr(message, "link_id", "").startswith(BY_HAND)
        return by_hand or getattr(message, "symbol", "") in self.strangers

    def _hear(self, report: PositionReport) -> None:
        if report.symbol in self.strangers:
            if report.size:
                self.met.setdefault(report.symbol, self.now)
            return
        self.met.pop(report.symbol, None)
        known = self.heard.setdefault(report.symbol, Heard())
        if report.seq >= known.seq:
            since = known.since if known.size == report.size else self.now
            self.heard[report.symbol] = Heard(report.size, report.stop_loss, report.seq, self.now, since)

    def command(self, command: Command) -> None:
        """The process recorded something."""
        if isinstance(command, Persist) and command.key == "session":
            self.flattening = bool(json.loads(encode(command.value)).get("flattening"))
        if isinstance(command, Scanned):
            self.scan_heard_ns = self.heard_ns
            self.money.note()  # what sizes are made from
            self.scanned = list(plain_rows(command.rows))
            for row in self.scanned:
                symbol = self.simulation.exchange.instruments[int(row["symbol"])].symbol
                self.scans.setdefault(symbol, deque(maxlen=SCANS_KEPT)).append(row)
                self.decided[int(row["ts"])] = self.now

    def message(self, message: Message) -> None:
        """The venue has said something, whether or not it arrives."""
        self.money.stir()
        if isinstance(message, PositionMessage):
            self.positions[message.symbol] = message
        elif isinstance(message, ExecutionMessage):
            self.money.note()
            if message.kind != ExecKind.FUNDING:
                executed = self._executed.get(message.symbol, ZERO)
                self._executed[message.symbol] = executed + message.side * message.qty

    def ends(self, execution: ExecutionMessage) -> bool:
        """Is this the execution that closes a position? An order may fill in parts that are said in one go."""
        return bool(execution.closed_qty) and not self._executed[execution.symbol]

    # -- the account at the venue

    def instrument(self, symbol: str) -> Instrument:
        """The instrument of a symbol, as the process has read it last."""
        return self.terms[symbol]

    @property
    def balance(self) -> Decimal:
        """The USDT wallet."""
        return self.simulation.exchange.wallet(self.simulation.uid)

    def held(self) -> Iterator[PositionMessage]:
        """Positions that are not flat."""
        return (position for position in self.positions.values() if position.size)

    def size(self, symbol: str) -> Decimal:
        """Signed size of a position."""
        position = self.positions.get(symbol)
        return position.size if position is not None else ZERO

    def touch(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Best bid and ask at the venue; None without both."""
        exchange = self.simulation.exchange
        states, s = exchange.states, exchange.index[symbol]  # a column is read faster than a record
        if not states["book_valid"][s] or not states["bid"][s]:
            return None
        instrument = self.instrument(symbol)
        return instrument.price(int(states["bid"][s])), instrument.price(int(states["ask"][s]))

    def mark(self, symbol: str) -> Decimal | None:
        """The mark price at the venue."""
        exchange = self.simulation.exchange
        mark = float(exchange.states["mark"][exchange.index[symbol]])
        return Decimal(repr(mark)) if mark > 0 else None

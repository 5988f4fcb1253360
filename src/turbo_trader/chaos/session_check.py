"""I6: the session by the venue's wallet: its start, its loss, its drawdown, halts and pauses, which hold over restarts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.gates_check import TIERS
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import ExecutionMessage, Message
from turbo_trader.journal.encoding import encode
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import DAY, MINUTE, SECOND
from turbo_trader.trader.commands import Command, Note, Persist
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control, Event, StreamKind, StreamStatus

SLACK: Final = Decimal("0.01")  # of the session's start: prices move between a loss and the look at it
LEAST: Final = Decimal("0.04")  # of the session's start: more than the least trade may lose
SURE: Final = 10 * SECOND  # of able time beyond a limit: the process must have seen it
FLATTENED: Final = 4 * MINUTE  # of heard time that closing everything may take while requests are lost
HEALTHY: Final = 3 * SECOND  # where nothing goes wrong: 2 s, and the second between two looks
PART: Final = (
    SECOND // 2
)  # a close beyond the largest order goes in parts, one after the other, within the rate limits
LATE: Final = 21 * SECOND  # an entry may have waited for its leverage since it was decided
UNHEARD: Final = 35.0  # seconds until a lost message is made good by a snapshot


@dataclass(slots=True)
class Day:
    """One session. `starts`: what its start's equity may be: around midnight and transfers it is not one number."""

    day: int
    lowest: Decimal
    highest: Decimal
    peak: Decimal  # of the wallet: what the peak is at least
    top: Decimal  # of the equity: what the peak is at most
    paper: Decimal  # what was open at its start had gained or lost so much

    def move(self, amount: Decimal) -> None:
        """Money came or went that was neither won nor lost."""
        self.lowest += amount
        self.highest += amount
        self.peak += amount
        self.top += amount


@dataclass(kw_only=True, frozen=True)
class StopOut:
    """When a stop ended a trade; `sure`: a loss with its funding and without."""

    ts: int
    sure: bool


class SessionLimits(Check):
    """No entry while halted, paused, below the limits, or before the account was read."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._session: Day | None = None
        self._patience = HEALTHY if world.quiet else FLATTENED
        self._scans = (world.policy.micro_turbo_signal_interval + 1) * SECOND
        self._person = ""  # the control that halts
        self._person_ns = 0
        self._loss_since: int | None = None  # able time since when the loss is certain
        self._loss_halt = False
        self._halted = False  # as the journal has it
        self._fall_since: int | None = None
        self._pause: tuple[int, int] = (0, 0)  # no entries between these times
        self._fall_seen = 0  # when the drawdown may first have been there
        self._close_by: int | None = None  # heard time by which all must be closed
        self._most_parts = 0  # ... beside one order a symbol, since then
        self._stream_down = 0  # when the process was reported that its private stream is down
        self._stopped_out: dict[tuple[str, int], StopOut] = {}
        self._trades: dict[str, Decimal] = {}  # symbol -> result of what is open, fees in
        self._funding: dict[str, Decimal] = {}  # symbol -> what it was paid meanwhile
        self._ended = 0  # trades
        self._near_loss = False  # the session's loss may have been reached
        self._near_fall = 0  # when the drawdown may last have been there

    # -- what changes a session

    def event(self, event: Event) -> None:
        """Controls, and the private stream's loss."""
        if isinstance(event, StreamStatus) and event.stream is StreamKind.PRIVATE:
            self._stream_down = 0 if event.up else self.world.now
        if not isinstance(event, Control):
            return
        self._person_ns = self.world.now
        match event.verb:
            case ControlVerb.HALT | ControlVerb.FLATTEN | ControlVerb.STOP:
                self._person = event.verb
                if event.verb != ControlVerb.HALT:
                    self._close_by = self.world.heard_ns + self._patience
            case ControlVerb.RESUME:
                self._person = ""
            case ControlVerb.SESSION_NEW:
                self._begin()
            case _:
                pass

    def command(self, command: Command) -> None:
        """What the journal has of the session, and what it has found to be a transfer."""
        if isinstance(command, Persist) and command.key == "session":
            self._halted = bool(json.loads(encode(command.value)).get("halts"))
        if not isinstance(command, Note) or command.name != "transfer" or self._session is None:
            return
        if command.fields["coin"] == "USDT":
            self._session.move(command.fields["amount"])

    def message(self, message: Message) -> None:
        """Results of trades: stop-outs cool down."""
        if not isinstance(message, ExecutionMessage):
            return
        symbol = message.symbol
        if message.kind == ExecKind.FUNDING:
            self._funding[symbol] = self._funding.get(symbol, ZERO) - message.fee
            return
        self._trades[symbol] = self._trades.get(symbol, ZERO) + message.pnl - message.fee
        if self.world.ends(message):
            net = self._trades.pop(symbol)
            funded = net + self._funding.pop(symbol, ZERO)
            self._ended += 1
            if message.stop_type == "StopLoss" and min(net, funded) < 0:
                stop_out = StopOut(ts=message.ts, sure=max(net, funded) < 0)
                self._stopped_out[symbol, -message.side] = stop_out

    def _begin(self) -> None:
        lowest, highest = self.world.money.equities(UNHEARD)
        balance = self.world.balance
        paper = max(abs(highest - balance), abs(lowest - balance))
        self._session = Day(self.world.now // DAY, lowest, highest, min(lowest, balance), highest, paper)
        self._loss_halt, self._loss_since, self._fall_since = False, None, None
        self._pause, self._fall_seen = (0, 0), 0
        self._near_loss, self._near_fall = False, 0

    def calm(self) -> None:
        """From now on everything is closed within seconds."""
        self._patience = HEALTHY

    # -- time

    def step(self) -> None:
        """Follow the session; what is certain for long enough must have been seen."""
        world = self.world
        self._asked_in_vain()
        if not world.read_ns:
            return
        if self._session is None:
            self._begin()
            return
        session, now = self._session, world.now
        equity = world.money.equity()
        if now // DAY > session.day and not self._loss_halt and not self._person and now > self._pause[1]:
            session.day = now // DAY
            low, high = world.money.equities(UNHEARD)  # a new session may have begun at any of these
            session.lowest, session.highest = min(session.lowest, low), max(session.highest, high)
            session.peak = min(session.peak, low)
            session.paper = max(session.paper, abs(high - world.balance), abs(low - world.balance))
        elif now // DAY == session.day:
            session.peak = max(session.peak, self._secured())
        self._loss(session, equity)
        self._drawdown(session, equity)
        self._flat_in_time()

    def _asked_in_vain(self) -> None:
        """A person whose process died with the very step, before that was on disk, got no answer."""
        process = self.world.simulation.process
        if not self._person or process.died_ns != self._person_ns:
            return
        if not process.journal.on_disk(self.world.now).get("session", {}).get("halts"):
            self._person, self._close_by, self.world.flattening = "", None, False

    def _secured(self) -> Decimal:
        """The wallet, where nothing is open: closed results only."""
        assert self._session is not None
        unknown = self.world.transferred - self.world.recognised
        flat = next(self.world.held(), None) is None
        return self.world.balance - unknown if flat else self._session.peak

    def _loss(self, session: Day, equity: Decimal) -> None:
        unknown = abs(self.world.transferred - self.world.recognised)
        limit = session.lowest * (1 - self.world.policy.session_loss - SLACK) - unknown
        # where less is left than the least trade may lose, the session is over, too
        self._near_loss |= equity < session.highest * (1 - self.world.policy.session_loss + LEAST) + unknown
        if self._loss_halt:
            return
        if not self.world.hears or equity > limit:
            self._loss_since = None
            return
        self._loss_since = self.world.able_ns if self._loss_since is None else self._loss_since
        # where nothing is held it is looked at with the next scan
        if self.world.able_ns - self._loss_since > max(SURE, self._scans):
            self._loss_halt = True
            if not self._halted:
                raise Violated(
                    Invariant.LIMITS, "the session's loss halts nothing", start=session.lowest, equity=equity
                )
            self._close_by = self.world.heard_ns + self._patience

    def _drawdown(self, session: Day, equity: Decimal) -> None:
        policy, now = self.world.policy, self.world.now
        share = policy.drawdown_pause
        _, high = self.world.money.equities(UNHEARD)
        session.top = max(session.top, high)
        if equity < session.top * (1 - share + SLACK):
            self._fall_seen, self._near_fall = self._fall_seen or now, now
        unknown = abs(self.world.transferred - self.world.recognised)
        if (
            not self.world.hears
            or equity > session.peak * (1 - share - SLACK) - unknown
            or now < self._pause[1]
        ):
            self._fall_since = None
            return
        self._fall_since = self.world.able_ns if self._fall_since is None else self._fall_since
        if self.world.able_ns - self._fall_since > SURE:
            self._pause = (now, (self._fall_seen or now) + policy.pause_time * SECOND)
            self._fall_seen, self._fall_since = 0, None
            session.peak, session.top = min(session.peak, equity), high

    def _parts(self, held: dict[str, Decimal]) -> int:
        """How many orders it takes to close what is held, beside one a symbol."""
        return sum(
            int(abs(size) / self.world.instrument(symbol).max_market_qty) for symbol, size in held.items()
        )

    def _flat_in_time(self) -> None:
        if self._close_by is None:
            return
        held = {position.symbol: position.size for position in self.world.held()}
        self._most_parts = max(self._most_parts, self._parts(held))
        if not held:
            self._close_by, self._most_parts = None, 0
        elif self.world.hears and self.world.heard_ns > self._close_by + PART * self._most_parts:
            raise Violated(
                Invariant.ON_TIME, "not flat in time", held=held, why=self._person or "session loss"
            )

    # -- what is left

    def left_to_lose(self) -> Decimal:
        """The most (USDT) that the process may take for what this session may still lose: its budget, before open positions."""
        if self._session is None:
            return self.world.balance
        recent = self.world.money.richest(UNHEARD) + abs(self.world.transferred - self.world.recognised)
        return (
            recent - self._session.lowest * (1 - self.world.policy.session_loss) + self._doubt(self._session)
        )

    def surely_left_to_lose(self) -> Decimal:
        """The least of it, where everything is known at once."""
        if self._session is None:
            return ZERO
        sure = self.world.balance - self._session.highest * (1 - self.world.policy.session_loss)
        return sure - self._doubt(self._session)

    def _doubt(self, session: Day) -> Decimal:
        """By how much the budget may be another: its start is not one number."""
        return session.highest - session.lowest + session.paper + SLACK * session.highest

    # -- what may keep entries out

    def cools(self, symbol: str, direction: int, tier: str) -> bool:
        """May this side of a symbol still cool down after a stop-out?"""
        policy = self.world.policy
        ended = self._stopped_out.get((symbol, direction))
        horizon = int(policy.cooldown_horizons * getattr(policy, f"{tier}_horizon")) * SECOND
        return ended is not None and self.world.now - ended.ts < horizon + SECOND

    def may_refuse(self) -> bool:
        """May the session keep entries out now: a person or a limit, its pause, or too many losing trades?"""
        policy, now = self.world.policy, self.world.now
        paused = bool(self._near_fall) and now - self._near_fall < (policy.pause_time + 60) * SECOND
        doubted = policy.watchdog_probability > 0 and self._ended >= policy.watchdog_trades
        return bool(self._person) or self.world.flattening or self._near_loss or paused or doubted

    # -- entries

    def sent(self, sent: Sent) -> None:
        """May it open something?"""
        if not isinstance(sent, Order) or sent.reduce_only:
            return
        world, now = self.world, self.world.now
        self._asked_in_vain()
        if self._person and now > self._person_ns:
            raise Violated(Invariant.LIMITS, f"an entry after {self._person}", order=sent)
        if world.key_refused and now > world.key_refused:
            raise Violated(Invariant.LIMITS, "an entry after the key was refused", order=sent)
        if not world.read_ns:
            raise Violated(Invariant.LIMITS, "an entry before the account was read", order=sent)
        if self._stream_down and now - self._stream_down > LATE:
            raise Violated(Invariant.LIMITS, "an entry while the private stream is down", order=sent)
        if self._pause[0] < now - LATE and now < self._pause[1]:
            raise Violated(Invariant.LIMITS, "an entry in a pause", order=sent, until=self._pause[1])
        if self._session is not None:
            self._above_limit(sent, self._session)
        self._cooled(sent)

    def _above_limit(self, order: Order, session: Day) -> None:
        if self._loss_halt:
            raise Violated(Invariant.LIMITS, "an entry after the session's loss", order=order)
        _, high = self.world.money.equities(UNHEARD)
        limit = session.lowest * (1 - self.world.policy.session_loss - SLACK)
        if high < limit:
            raise Violated(
                Invariant.LIMITS,
                "an entry beyond the session's loss",
                order=order,
                start=session.lowest,
                equity=high,
            )

    def _cooled(self, order: Order) -> None:
        policy = self.world.policy
        row = self.world.scans[order.symbol][-1] if self.world.scans.get(order.symbol) else None
        ended = self._stopped_out.get((order.symbol, order.side))
        if ended is None or not ended.sure or row is None:
            return
        horizon = getattr(policy, f"{TIERS[int(row['capital_tier'])]}_horizon")
        if self.world.now - ended.ts < int(policy.cooldown_horizons * horizon) * SECOND - SECOND:
            raise Violated(
                Invariant.LIMITS,
                "an entry within the cool-down",
                order=order,
                seconds=(self.world.now - ended.ts) / SECOND,
            )

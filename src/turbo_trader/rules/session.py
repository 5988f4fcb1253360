"""The session's limits as a state machine: result, drawdown, pauses, halts, losing streak. It survives
restarts through its dict.

What lifts what: `session_new` lifts halts set by a limit (loss, third pause) and a running pause, and starts
afresh; `resume` lifts what a person (halt, flatten, stop) or the edge watchdog set. A person's halt is never
lifted by a new session, a limit's never by `resume`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.rules.session_changes import Act, HaltCause, SessionChange

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

ZERO = Decimal(0)
HISTORY: Final = 100  # records kept

_BY_LIMIT: Final = (HaltCause.LOSS, HaltCause.PAUSES)


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something the Trader must act on or log."""

    name: SessionChange
    flatten: bool = False
    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """One UTC day, longer where midnight found it halted or paused. Money USDT, times ns UTC."""

    day: int = -1  # day number it began; -1: not begun
    started_ns: int = 0
    start_equity: Decimal = ZERO
    peak: Decimal = ZERO  # of what was secured, from the start's equity (or a pause's end) on
    secured: Decimal | None = (
        None  # at the last look: closed results and what open stops have locked, once the equity was there
    )
    equity: Decimal = ZERO
    realised: Decimal = ZERO  # trades' results, fees and funding since the session began
    pauses: int = 0
    paused_until_ns: int = 0  # 0: not paused
    halts: dict[str, str] = field(default_factory=dict)  # what holds a halt -> why
    flattening: bool = False
    losses: int = 0  # consecutive losing trades, across sessions
    warned: list[str] = field(default_factory=list)  # limits that are near, as last warned of
    warned_ns: dict[str, int] = field(default_factory=dict)  # when each limit was last warned of
    history: list[dict[str, Any]] = field(default_factory=list)  # what was done, by whom, when

    # reading

    @property
    def halted(self) -> bool:
        """Whether anything holds a halt."""
        return bool(self.halts)

    def paused(self, now_ns: int) -> bool:
        """Whether a drawdown pause runs."""
        return now_ns < self.paused_until_ns

    def refusal(self, now_ns: int) -> str:
        """Why no entries are allowed now; "" when they are."""
        if self.day < 0:
            return "the session has not begun"
        if self.flattening:
            return "flattening"
        if self.halts:
            return "halted: " + "; ".join(self.halts.values())
        if self.paused(now_ns):
            return f"paused after a drawdown for {self._pause_left(now_ns)} s more"
        return ""

    def lifted_by(self, now_ns: int) -> str:
        """What would allow entries again; "" when they are allowed."""
        if self.day < 0:
            return "a first report of the account's equity"
        if self.flattening or self.halts:
            verbs = {"session new" if holder in _BY_LIMIT else "resume" for holder in self.halts}
            needed = ["everything closed"] if self.flattening else []
            return ", ".join(needed + [f"`turbo-trader {verb}`" for verb in sorted(verbs)])
        if self.paused(now_ns):
            return f"the end of the pause in {self._pause_left(now_ns)} s, or `turbo-trader session new`"
        return ""

    def _pause_left(self, now_ns: int) -> int:
        return -((now_ns - self.paused_until_ns) // SECOND)

    @property
    def result(self) -> Decimal:
        """Result of the session at the last look, as a fraction of its start, unrealised included."""
        return result_at(self, self.equity)

    @property
    def drawdown(self) -> Decimal:
        """Fraction below the session's peak at the last look."""
        return drawdown_at(self, self.equity)

    def next_time_ns(self) -> int:
        """When `on_equity` is due at the latest: the end of a pause, else midnight; 0 where nothing is
        due."""
        if self.paused_until_ns:
            return self.paused_until_ns
        return 0 if self.day < 0 or self.halted else (self.day + 1) * DAY

    # events

    def on_equity(
        self,
        policy: Policy,
        now_ns: int,
        equity: Decimal,
        secured: Decimal | None = None,
        *,
        least_loss: Decimal = ZERO,
    ) -> list[SessionEvent]:
        """Equity E at `now`: begins or turns the session, ends a pause, checks loss and drawdown.

        `secured`: the equity that closed results and the locked part of open positions make (None: E); the peak is of that, so
        a profit that was only ever on paper is no drawdown when it goes. What is locked counts once E is that much.
        `least_loss`: what the least trade may lose (USDT), given while nothing is open: where less is left of the session's loss
        no entry could pass again, and the session is over.
        A session does not begin without money: an equity of 0 before it began is an account not known yet.
        """
        if self.day < 0 and equity <= 0:
            return []
        self.equity = equity
        events = self._turn(now_ns, equity)
        if self.paused_until_ns and now_ns >= self.paused_until_ns:
            self.paused_until_ns = 0
            self.peak, self.secured = equity, None
            events.append(
                SessionEvent(SessionChange.PAUSE_OVER, text="the pause is over, the peak is the equity again")
            )
            events += self._turn(now_ns, equity)
        sure = equity if secured is None else secured
        if self.secured is None or sure <= self.secured:
            self.secured = sure
        elif equity >= sure:  # not before: the mark may lag behind a stop that has locked a gain
            self.peak, self.secured = max(self.peak, sure), sure
        return events + self._check(policy, now_ns, least_loss)

    def on_usage(self, policy: Policy, now_ns: int, used: Mapping[str, Decimal]) -> list[SessionEvent]:
        """A warning at WARN_SHARE of each limit, once until it is WARN_HYSTERESIS below; `used`: shares by name (rules.usage).

        The same limit is warned of once in WARN_AGAIN at most. A limit that has halted says so itself: nothing is warned of then.
        """
        if self.day < 0 or any(holder in self.halts for holder in _BY_LIMIT):
            return []
        near = {name: share for name, share in used.items() if share >= policy.warn_share}
        over = policy.warn_share - policy.warn_hysteresis
        still = [name for name in self.warned if used.get(name, ZERO) >= over]
        again = policy.warn_again * SECOND
        fresh = [
            name
            for name in near
            if name not in still and (name not in self.warned_ns or now_ns - self.warned_ns[name] >= again)
        ]
        self.warned = [*still, *(name for name in near if name not in still)]
        self.warned_ns.update(dict.fromkeys(fresh, now_ns))
        return [
            SessionEvent(
                SessionChange.WARNING, text=f"{near[name]:.0%} of the limit: {name}",
                fields={"limit": name, "used": near[name]},
            )
            for name in fresh
        ]  # fmt: skip

    def on_result(self, amount: Decimal) -> None:
        """A realised result, fee or funding (USDT, signed) was booked."""
        self.realised += amount

    def on_trade(self, net: Decimal, *, crumb: bool = False) -> None:
        """A trade was closed with this net result: a win ends the losing streak, that of a crumb (a position below the least size
        of its entry, `sizing.least_notional`) does not; exactly 0 counts as a loss."""
        if net <= 0:
            self.losses += 1
        elif not crumb:
            self.losses = 0

    def on_transfer(self, amount: Decimal) -> None:
        """A deposit, withdrawal or bonus (USDT, signed) shifts every reference and is neither profit nor
        loss."""
        self.start_equity += amount
        self.peak += amount
        self.equity += amount
        if self.secured is not None:
            self.secured += amount

    # a control command

    def halt(
        self, now_ns: int, by: str, why: str = "halted by command", holder: HaltCause = HaltCause.PERSON
    ) -> None:
        """No entries until `resume`."""
        self.halts[holder] = why
        self._record(now_ns, Act.HALT, by, why)

    def begin_flatten(self, now_ns: int, by: str, why: str) -> None:
        """Everything is to be closed; to be persisted before the first order leaves. Halts until `resume`."""
        self.flattening = True
        self.halts.setdefault(HaltCause.FLATTEN, why)
        self._record(now_ns, Act.FLATTEN, by, why)

    def flat(self, now_ns: int) -> None:
        """The flattening is done: nothing is open any more."""
        if self.flattening:
            self.flattening = False
            self._record(now_ns, Act.FLAT, "trader", "")

    def resume(self, now_ns: int, by: str) -> list[str]:
        """Lifts a person's halt and the watchdog's; returns what still holds."""
        for holder in [holder for holder in self.halts if holder not in _BY_LIMIT]:
            del self.halts[holder]
        self._record(now_ns, Act.RESUME, by, "; ".join(self.halts.values()))
        return list(self.halts.values())

    def session_new(self, now_ns: int, by: str, equity: Decimal) -> list[str]:
        """Begins a new session at this equity: lifts the limits' halts and pauses; returns what still
        holds."""
        for holder in _BY_LIMIT:
            self.halts.pop(holder, None)
        self._begin(now_ns, equity)
        self._record(now_ns, Act.NEW, by, "; ".join(self.halts.values()))
        return list(self.halts.values())

    # steps

    def _turn(self, now_ns: int, equity: Decimal) -> list[SessionEvent]:
        """A new session where none runs, or midnight has passed and nothing is halted, paused or being
        flattened."""
        fresh = self.day < 0
        midnight = (
            now_ns // DAY > self.day and not self.halted and not self.flattening and not self.paused_until_ns
        )
        if not fresh and not midnight:
            return []
        self._begin(now_ns, equity)
        return [
            SessionEvent(
                SessionChange.BEGUN, text="a new session begins", fields={"equity": equity, "day": self.day}
            )
        ]

    def _begin(self, now_ns: int, equity: Decimal) -> None:
        self.day, self.started_ns = now_ns // DAY, now_ns
        self.start_equity = self.peak = self.equity = equity
        self.realised = ZERO
        self.pauses = self.paused_until_ns = 0
        self.warned, self.secured = [], None

    def _check(self, policy: Policy, now_ns: int, least_loss: Decimal) -> list[SessionEvent]:
        if any(holder in self.halts for holder in _BY_LIMIT):
            return []
        if self.result <= -policy.session_loss:
            return [self._trip(now_ns, HaltCause.LOSS, f"session result {self.result:.2%}")]
        left = self.equity - self.start_equity * (1 - policy.session_loss)
        if left < least_loss:
            why = f"session result {self.result:.2%}, and no trade fits into the {left:.2f} USDT left to lose"
            return [self._trip(now_ns, HaltCause.LOSS, why)]
        if not self.paused_until_ns and self.drawdown >= policy.drawdown_pause:
            return [self._pause(policy, now_ns)]
        return []

    def _pause(self, policy: Policy, now_ns: int) -> SessionEvent:
        self.pauses += 1
        if 0 < policy.pauses_to_halt <= self.pauses:
            return self._trip(now_ns, HaltCause.PAUSES, f"drawdown pause number {self.pauses}")
        self.paused_until_ns = now_ns + policy.pause_time * SECOND
        of = f" of {policy.pauses_to_halt}" if policy.pauses_to_halt else ""
        text = f"drawdown {self.drawdown:.2%} from the peak: pause {self.pauses}{of}"
        self._record(now_ns, Act.PAUSE, "limit", text)
        return SessionEvent(
            SessionChange.PAUSED, text=text, fields={"pauses": self.pauses, "until": self.paused_until_ns}
        )

    def _trip(self, now_ns: int, holder: HaltCause, why: str) -> SessionEvent:
        self.halts[holder] = why
        flatten = holder is HaltCause.LOSS
        name = SessionChange.HALTED_BY_LOSS if flatten else SessionChange.HALTED_BY_PAUSES
        self.flattening = self.flattening or flatten
        self._record(now_ns, Act.HALT, "limit", why)
        return SessionEvent(name, flatten=flatten, text=f"{why}: halted until `session new`")

    def _record(self, now_ns: int, what: Act, by: str, why: str) -> None:
        self.history = [
            *self.history[1 - HISTORY :],
            {"ts": now_ns, "what": what.value, "by": by, "why": why},
        ]


def result_at(session: Session, equity: Decimal) -> Decimal:
    """What the session's result is at this equity."""
    start = session.start_equity
    return (equity - start) / start if start > 0 else ZERO


def drawdown_at(session: Session, equity: Decimal) -> Decimal:
    """What the session's drawdown is at this equity."""
    return max(ZERO, (session.peak - equity) / session.peak) if session.peak > 0 else ZERO

"""Every alarm: the events that raise it, its severity, its text, and for how long it is not raised again.

docs/operations.md has the same table and a runbook for each alarm; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from turbo_trader.rules.session_changes import SessionChange
from turbo_trader.trader.control_verbs import ControlVerb


class Severity(StrEnum):
    """How bad it is. A critical alarm waits for no other message."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 info, 1 warning, 2 critical."""
        return list(Severity).index(self)


class Alarm(StrEnum):
    """What a person can be sent, and choose with NOTIFY_KINDS."""

    ENTRY = "entry"
    EXIT = "exit"
    LIMIT_NEAR = "limit-near"
    LIMIT_REACHED = "limit-reached"
    HALT = "halt"
    SIZE_STAGE = "size-stage"
    CAPITAL_TIER = "capital-tier"
    NO_TRADES = "no-trades"
    DISCONNECTED = "disconnected"
    UNPROTECTED = "unprotected"
    STOP_REFUSED = "stop-refused"
    LIQUIDATION_NEAR = "liquidation-near"
    UNCONFIRMED = "unconfirmed"
    KEY_EXPIRY = "key-expiry"
    ACCOUNT_REFUSED = "account-refused"
    FROZEN = "frozen"
    SECOND_INSTANCE = "second-instance"
    DISCREPANCY = "discrepancy"
    REPLAY_DIFFERS = "replay-differs"
    MAINTENANCE = "maintenance"
    JOURNAL_FAILED = "journal-failed"
    DAEMON_FAILED = "daemon-failed"
    DAEMON_GONE = "daemon-gone"
    GUARD_GONE = "guard-gone"
    GUARD_ACTED = "guard-acted"
    GUARD_BLIND = "guard-blind"
    STARTED = "started"
    ENDED = "ended"
    DIGEST = "digest"


MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Event:
    """A log event by name; `where` are fields and the values that they must have (None: any but empty)."""

    name: str
    where: Mapping[str, object] = field(default_factory=dict)

    def matches(self, name: str, fields: Mapping[str, Any]) -> bool:
        """Is it this event?"""
        return name == self.name and all(
            bool(fields.get(key)) if value is None else fields.get(key) == value
            for key, value in self.where.items()
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class Rule:
    """One alarm. `events` raise it; `ended_by` says that it is over, which is sent too where the alarm was.

    The same alarm about the same `subject` (a field of the event) is raised again after `cool_down_s` at the soonest; what came
    meanwhile is counted. `lasting_s`: it must not have ended within so long.
    """

    alarm: Alarm
    severity: Severity
    when: str  # for docs
    text: str
    events: tuple[Event, ...]
    ended_by: tuple[Event, ...] = ()
    subject: str = "symbol"
    cool_down_s: float = 0.0
    lasting_s: float = 0.0


def _on(*names: str, **where: object) -> tuple[Event, ...]:
    return tuple(Event(name=name, where=where) for name in names)


_INFO, _WARNING, _CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        alarm=Alarm.ENTRY, severity=_INFO, text="an entry", events=_on("entry", "entry-ended"),
        when="an entry leaves, or ends without a fill",
    ),
    Rule(alarm=Alarm.EXIT, severity=_INFO, text="a trade is over", events=_on("trade"), when="a trade is over"),
    Rule(
        alarm=Alarm.LIMIT_NEAR, severity=_WARNING, text="a limit is nearly used up", subject="limit", cool_down_s=HOUR,
        events=_on("limit", what=SessionChange.WARNING), when="a limit is used to 80 % (WARN_SHARE)",
    ),
    Rule(
        alarm=Alarm.LIMIT_REACHED, severity=_WARNING, text="a limit is used up: no entries", subject="",
        events=_on("limit", what=SessionChange.PAUSED) + _on("limit", what=SessionChange.HALTED_BY_PAUSES),
        ended_by=_on("limit", what=SessionChange.PAUSE_OVER) + _on("limit", what=SessionChange.BEGUN),
        when="a limit is used to 100 %: the drawdown pause, and the halt after PAUSES_TO_HALT of them",
    ),
    Rule(
        alarm=Alarm.HALT, severity=_CRITICAL, text="halted: no entries until a person acts", subject="",
        events=_on("halt") + _on("control", verb=ControlVerb.HALT) + _on("control", verb=ControlVerb.FLATTEN),
        ended_by=_on("control", verb=ControlVerb.RESUME) + _on("control", verb=ControlVerb.SESSION_NEW),
        when="the session's loss or the edge watchdog halts, or a person (or the venue) does; also flatten",
    ),
    Rule(
        alarm=Alarm.SIZE_STAGE, severity=_INFO, text="the size of trades changes", events=_on("stage"),
        when="a signal tier comes to another stage (SIZE=earned)",
    ),
    Rule(
        alarm=Alarm.CAPITAL_TIER, severity=_INFO, text="other rules from here on", events=_on("tier"), cool_down_s=HOUR,
        when="the capital tier changes",
    ),
    Rule(
        alarm=Alarm.NO_TRADES, severity=_WARNING, text="nothing is traded", events=_on("no-trades"), cool_down_s=6 * HOUR,
        when="no trade is open or was closed for 6 hours; says which gates stop the scans, with shares",
    ),
    Rule(
        alarm=Alarm.DISCONNECTED, severity=_WARNING, text="no stream", subject="stream", cool_down_s=10 * MINUTE,
        lasting_s=20.0, events=_on("stream", up=False), ended_by=_on("stream", up=True),
        when="the public or private stream is down for 20 s",
    ),
    Rule(
        alarm=Alarm.UNPROTECTED, severity=_CRITICAL, text="a position is without its stop", cool_down_s=MINUTE,
        events=_on("unprotected", "stop-loosened", "guard-unprotected"),
        when="the venue shows a position without our stop, or with a looser one",
    ),
    Rule(
        alarm=Alarm.STOP_REFUSED, severity=_CRITICAL, text="the venue refuses a stop", cool_down_s=MINUTE,
        events=_on("stop-refused"), when="a stop change is refused",
    ),
    Rule(
        alarm=Alarm.LIQUIDATION_NEAR, severity=_CRITICAL, text="liquidation before the stop: it is closed",
        cool_down_s=MINUTE, events=_on("liquidation-near"), when="liquidation lies before the stop",
    ),
    Rule(
        alarm=Alarm.UNCONFIRMED, severity=_CRITICAL, text="the venue does not confirm", cool_down_s=5 * MINUTE,
        events=_on("flatten-unconfirmed", "ended-unconfirmed", "close-answer"),
        when="flattening, an end or a close is not confirmed by the venue",
    ),
    Rule(
        alarm=Alarm.KEY_EXPIRY, severity=_WARNING, text="the API key ends soon", events=_on("key-expires"),
        cool_down_s=12 * HOUR, when="the API key ends in 14, 7 or 1 days",
    ),
    Rule(
        alarm=Alarm.ACCOUNT_REFUSED, severity=_CRITICAL, text="the venue takes nothing from us", subject="code",
        events=_on("account-refused", "address-refused"), cool_down_s=10 * MINUTE,
        when="the venue refuses the key, the account or this address",
    ),
    Rule(
        alarm=Alarm.FROZEN, severity=_WARNING, text="a symbol is not traded until a person has looked", cool_down_s=HOUR,
        events=_on("frozen", "closed-outside"), when="a fill or a close is not ours, or cannot be explained",
    ),
    Rule(
        alarm=Alarm.SECOND_INSTANCE, severity=_CRITICAL, text="another process writes to this account: no entries",
        cool_down_s=HOUR, events=_on("second-instance", "fenced"),
        when="orders of an unknown start are seen, or another process holds the lease",
    ),
    Rule(
        alarm=Alarm.DISCREPANCY, severity=_WARNING, text="the wallet differs from the books", events=_on("discrepancy"),
        subject="coin", cool_down_s=HOUR, when="the wallet differs from the books and no transfer explains it",
    ),
    Rule(
        alarm=Alarm.REPLAY_DIFFERS, severity=_WARNING, text="a replay decides otherwise than the daemon did",
        events=_on("replay-differs"), cool_down_s=HOUR, when="the daily check of the recording finds a difference",
    ),
    Rule(
        alarm=Alarm.MAINTENANCE, severity=_INFO, text="the venue announces maintenance", cool_down_s=6 * HOUR,
        events=_on("maintenance-announced"), when="the venue announces maintenance",
    ),
    Rule(
        alarm=Alarm.JOURNAL_FAILED, severity=_CRITICAL, text="the journal cannot be written: no entries",
        cool_down_s=10 * MINUTE, events=_on("journal-failed"), ended_by=_on("journal-works"),
        when="the journal cannot be written",
    ),
    Rule(
        alarm=Alarm.DAEMON_FAILED, severity=_CRITICAL, text="the daemon broke and ends",
        events=_on("failed") + _on("process-crashed", process="daemon"),
        cool_down_s=MINUTE, when="an error of the daemon's own ends it",
    ),
    Rule(
        alarm=Alarm.DAEMON_GONE, severity=_CRITICAL, text="no daemon: it was killed, or does not run on",
        events=_on("daemon-gone", ended=False) + _on("process-gone", process="daemon"), ended_by=_on("daemon-back"),
        cool_down_s=MINUTE,
        when="the guard sees the lease run out; without a guard, its process ends silently",
    ),
    Rule(
        alarm=Alarm.GUARD_GONE, severity=_CRITICAL, text="the guard has ended", cool_down_s=MINUTE,
        events=_on("guard-ended") + _on("guard-begun", why=None) + _on("process-gone", "process-crashed", process="guard"),
        when="the guard was ended by a person, was killed, or broke",
    ),
    Rule(
        alarm=Alarm.GUARD_ACTED, severity=_CRITICAL, text="the guard acted, as no daemon does", events=_on("guard-acted"),
        when="the guard cancels, protects or closes",
    ),
    Rule(
        alarm=Alarm.GUARD_BLIND, severity=_WARNING, text="the guard cannot see", subject="", cool_down_s=10 * MINUTE,
        events=_on("guard-journal-unreadable", "guard-failed", "guard-read-failed", "guard-unjournaled"),
        when="the guard cannot read the journal or the account, or not write its intent",
    ),
    Rule(
        alarm=Alarm.STARTED, severity=_INFO, text="the daemon trades", events=_on("started"), when="the daemon has started",
    ),
    Rule(
        alarm=Alarm.ENDED, severity=_INFO, text="the daemon has ended", events=_on("process-ended", process="daemon"),
        when="the daemon has ended by itself or because it was asked to",
    ),
    Rule(
        alarm=Alarm.DIGEST, severity=_INFO, text="summary", events=(),
        when="the end of each hour or UTC day, as NOTIFY_DIGEST says",
    ),
)  # fmt: skip

BY_ALARM: Final[Mapping[Alarm, Rule]] = {rule.alarm: rule for rule in RULES}
#: The log events that alarms need to see: `raising` and `digest`.
WANTED: Final = frozenset(
    {event.name for rule in RULES for event in (*rule.events, *rule.ended_by)} | {"summary", "guard-found"}
)

"""From log events to alarms: what lasts long enough and was not reported just before.

Pure: times are given, in seconds of a clock that never jumps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from turbo_trader.console.alarms.catalogue import RULES, Alarm, Rule, Severity
from turbo_trader.console.sentences import sentence


@dataclass(kw_only=True, frozen=True, slots=True)
class Raised:
    """An alarm to be sent. `ts`: of its event, ns UTC; `over`: it has ended."""

    alarm: Alarm
    severity: Severity
    ts: int
    subject: str
    text: str
    over: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class Choice:
    """What a person wants to be sent: NOTIFY_KINDS and NOTIFY_LEVEL."""

    alarms: Collection[Alarm] = frozenset(Alarm)
    least: Severity = Severity.INFO

    def takes(self, raised: Raised) -> bool:
        """Is it to be sent? The end of an alarm is where the alarm was; a summary was asked for by itself."""
        grave = raised.severity.rank >= self.least.rank or raised.alarm is Alarm.DIGEST
        return grave and raised.alarm in self.alarms


@dataclass(slots=True)
class _State:
    """Of one rule and subject."""

    said: float | None = None  # when it was last raised
    lasting: bool = False  # raised, and not over
    since: float | None = None  # began, and has yet to last
    held: int = 0  # came within the cool-down
    text: str = ""
    ts: int = 0


class Raising:
    """Takes events one after another; `due` are the alarms that only time brings."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self._rules = rules
        self._states: dict[tuple[Alarm, str], _State] = {}
        self.counts: Counter[Alarm] = Counter()  # raised or held back, since they were last taken

    def take(self, name: str, fields: Mapping[str, Any], ts: int, now: float) -> list[Raised]:
        """The alarms that an event raises or ends."""
        raised: list[Raised] = []
        for rule in self._rules:
            if any(event.matches(name, fields) for event in rule.ended_by):
                raised += self._end(rule, fields, ts, now)
            elif any(event.matches(name, fields) for event in rule.events):
                raised += self._begin(rule, name, fields, ts, now)
        return raised

    def due(self, now: float) -> list[Raised]:
        """The alarms whose event has lasted for long enough."""
        raised = []
        for rule, key, state in self._waiting():
            if state.since is not None and now - state.since >= rule.lasting_s:
                state.since = None
                raised += self._raise(rule, key[1], state, now)
        return raised

    def next_due(self) -> float | None:
        """When `due` may bring something; None: nothing is waited for."""
        return min(
            (state.since + rule.lasting_s for rule, _, state in self._waiting() if state.since is not None), default=None
        )  # fmt: skip

    def _waiting(self) -> list[tuple[Rule, tuple[Alarm, str], _State]]:
        rules = {rule.alarm: rule for rule in self._rules}
        return [(rules[key[0]], key, state) for key, state in self._states.items() if state.since is not None]

    def _begin(self, rule: Rule, name: str, fields: Mapping[str, Any], ts: int, now: float) -> list[Raised]:
        subject = str(fields.get(rule.subject, ""))
        state = self._states.setdefault((rule.alarm, subject), _State())
        state.text, state.ts = sentence(name, fields).removeprefix(f"{name}: "), ts
        if rule.lasting_s:
            state.since = now if state.since is None and not state.lasting else state.since
            return []
        return self._raise(rule, subject, state, now)

    def _raise(self, rule: Rule, subject: str, state: _State, now: float) -> list[Raised]:
        self.counts[rule.alarm] += 1
        if state.said is not None and now - state.said < rule.cool_down_s:
            state.held += 1
            return []
        again = f" ({state.held} more since the last)" if state.held else ""
        state.said, state.held, state.lasting = now, 0, bool(rule.ended_by)
        text = f"{rule.text}: {state.text}{again}"
        return [
            Raised(alarm=rule.alarm, severity=rule.severity, ts=state.ts, subject=subject, text=text)
        ]  # fmt: skip

    def _end(self, rule: Rule, fields: Mapping[str, Any], ts: int, now: float) -> list[Raised]:
        """It is over: of the event's subject, or of every one where the event has none."""
        raised = []
        for (alarm, subject), state in self._states.items():
            if alarm is not rule.alarm or str(fields.get(rule.subject, subject)) != subject:
                continue
            state.since = None
            if state.lasting and state.said is not None:
                state.lasting = False
                text = f"over after {_span(now - state.said)}: {rule.text}"
                raised.append(
                    Raised(alarm=alarm, severity=rule.severity, ts=ts, subject=subject, text=text, over=True)
                )
        return raised


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

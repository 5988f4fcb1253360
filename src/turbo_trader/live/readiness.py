"""Would this daemon trade now? Why not, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turbo_trader.trader.view import View


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it is not ready: `what` is stable (starting, reconciling, stream-down, stream-stale, halted, journal, lease)."""

    what: str
    why: str


def reasons(
    view: View | None, status: Mapping[str, Any], ages: Mapping[str, float], stale_s: float
) -> list[Reason]:
    """Nothing: it is reconciled with the venue, its streams are fresh, it may write and is not halted.

    `ages`: seconds since the last message of a stream. A drawdown pause is no reason: it ends by itself.
    """
    if view is None:
        return [Reason("starting", "the venue has not been read yet")]
    found = []
    if not view.reconciled:
        found.append(Reason("reconciling", "the account has not been compared with the venue yet"))
    found += [
        Reason("stream-down", f"the {name} stream is down")
        for name in ("public", "private")
        if not status[f"{name}_up"]
    ]
    age = ages.get("public", 0.0)  # a private stream may say nothing for hours
    if status["public_up"] and age > stale_s:
        found.append(Reason("stream-stale", f"the public stream has said nothing for {age:.0f} s"))
    if view.halted:
        found.append(Reason("halted", view.refusal))
    if status["journal_failed"]:
        found.append(Reason("journal", str(status["journal_failed"])))
    if not status["may_write"]:
        found.append(Reason("lease", "another process may write, or the lease has run out"))
    return found

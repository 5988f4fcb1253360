"""How a call ended, and how a REST answer's bytes say it. Pure: no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from turbo_trader.bybit.commands import Call
from turbo_trader.bybit.errors import NO_ANSWER, Verdict, judge, judge_http


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended. `code`: the venue's retCode, an HTTP status, or one of ours (errors.NO_ANSWER, NOT_SENT)."""

    verdict: Verdict
    code: int
    message: str
    sent: int  # ns of the session's clock, taken when the request was about to leave
    result: Mapping[str, Any] = field(default_factory=dict)
    time_ms: int = 0  # the venue's time in the answer
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """The venue accepted the request (retCode 0)."""
        return self.code == 0


def read_answer(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, sent: int, redact: Callable[[str], str]
) -> Answer:
    """The answer in an HTTP response; `redact` takes keys out of what the venue says. Unreadable is unanswered."""
    if status != 200:
        text = redact(body.decode("utf-8", "replace"))[:200]
        return Answer(judge_http(status), status, text, sent, headers=headers)
    try:
        said = msgspec.json.decode(body)
        code = int(said["retCode"])
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        return Answer(judge(NO_ANSWER), NO_ANSWER, "unreadable answer", sent, headers=headers)
    result, time_ms = said.get("result"), said.get("time")
    return Answer(
        judge(code, cancel=call.cancel),
        code,
        redact(str(said.get("retMsg", ""))) if code else "",
        sent,
        result if isinstance(result, dict) else {},
        int(time_ms) if isinstance(time_ms, int | str) and str(time_ms).isdigit() else 0,
        headers,
    )

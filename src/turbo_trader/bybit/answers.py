"""How a call ended, and how a REST answer's bytes are read. Pure: no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.schemas import whole
from turbo_trader.bybit.venue_errors import NO_ANSWER, Verdict, classify, classify_http


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

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The objects of the result's list; what is none is passed over."""
        items = self.result.get("list")
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def unreadable(why: str, sent: int, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that says nothing of the request."""
    return Answer(classify(NO_ANSWER), NO_ANSWER, why, sent, headers=headers or {})


def read_answer(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, sent: int, redact: Callable[[str], str]
) -> Answer:
    """The answer in an HTTP response; `redact` takes keys out of what the venue says. Unreadable is unanswered."""
    if status != 200:
        text = redact(body.decode("utf-8", "replace"))[:200]
        return Answer(classify_http(status), status, text, sent, headers=headers)
    try:
        said = msgspec.json.decode(body)
        code = said["retCode"]
    except Exception:  # whatever a decoder of bytes from outside raises, RecursionError too
        return unreadable("unreadable answer", sent, headers)
    if not isinstance(code, int) or isinstance(code, bool):
        return unreadable("unreadable answer: its code is no whole number", sent, headers)
    result, time_ms = said.get("result"), said.get("time")
    return Answer(
        verdict=classify(code, cancel=call.cancel),
        code=code,
        message=redact(str(said.get("retMsg", ""))) if code else "",
        sent=sent,
        result=result if isinstance(result, dict) else {},
        time_ms=whole(time_ms),
        headers=headers,
    )

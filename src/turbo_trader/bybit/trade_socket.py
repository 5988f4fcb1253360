"""Order entry over the trade socket, as bytes: which calls it takes, how a request is written, how an answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.schemas import whole
from turbo_trader.bybit.venue_errors import NO_ANSWER, classify

#: The REST calls that have an operation; trading stops, leverage and every read do not.
OPERATIONS: Final = {
    "place_order": "order.create",
    "amend_order": "order.amend",
    "cancel_order": "order.cancel",
}
RESTARTING: Final = 10019  # the venue asks for a new connection


def takes(call: Call) -> bool:
    """Does this call go over the socket? A close does not: what is lost on the way would cost it a look-up before the next try."""
    return call.method in OPERATIONS and not call.params.get("reduceOnly")


def request(call: Call, req_id: str, stamp_ms: int) -> str:
    """The frame that carries `call`, stamped with the venue's time. Values that are None are left out, as pybit does."""
    return msgspec.json.encode({
        "reqId": req_id,
        "header": {"X-BAPI-TIMESTAMP": str(stamp_ms), "X-BAPI-RECV-WINDOW": str(call.recv_window_ms)},
        "op": OPERATIONS[call.method],
        "args": [{name: value for name, value in call.params.items() if value is not None}],
    }).decode()  # fmt: skip


def read(raw: bytes) -> tuple[str, Mapping[str, Any]]:
    """The reqId of a frame ("" where it has none) and the frame; an empty one where it cannot be read."""
    try:
        message = msgspec.json.decode(raw)
    except Exception:  # whatever a decoder of bytes from outside raises
        return "", {}
    if not isinstance(message, dict):
        return "", {}
    name = message.get("reqId")
    return name if isinstance(name, str) else "", message


def answer(call: Call, message: Mapping[str, Any], sent: int) -> Answer:
    """How the call ended, by the table of `errors`, as for REST; one that says nothing of it leaves it unknown."""
    code = message.get("retCode")
    if not isinstance(code, int) or isinstance(code, bool):
        return unanswered("unreadable answer", sent)
    data, header = message.get("data"), message.get("header")
    headers = (
        {str(name).title(): str(value) for name, value in header.items()} if isinstance(header, dict) else {}
    )
    return Answer(
        verdict=classify(code, cancel=call.method == "cancel_order"),
        code=code,
        message=str(message.get("retMsg", ""))[:1_000] if code else "",
        sent=sent,
        result=data if isinstance(data, dict) else {},
        time_ms=whole(headers.get("Timenow")),
        headers=headers,
    )


def unanswered(why: str, sent: int) -> Answer:
    """The request was handed over and nothing is known of it."""
    return Answer(classify(NO_ANSWER), NO_ANSWER, why, sent)

"""Messages and answers of a venue in trouble: rows from the future, invalid figures, bodies that end early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.simulation.faults import Faults

Choose = Callable[[int], int]  # one of so many things

MILLISECOND: Final = 1_000_000
_TIMES: Final = ("creationTime", "time", "updatedTime", "createdTime", "execTime")
_FIGURES: Final = (
    "qty",
    "cumExecQty",
    "execQty",
    "execPrice",
    "execFee",
    "size",
    "stopLoss",
    "walletBalance",
    "change",
)
_ODD: Final = ("many", "1e999", {"value": 1}, ["1"])


def future(raw: bytes, ahead_ns: int) -> bytes:
    """Dated so much later, rows and all; the same bytes where nothing is dated."""
    body = msgspec.json.decode(raw)
    for part in (body, *_rows(body)):
        for name in _TIMES:
            if part.get(name):
                part[name] = type(part[name])(int(part[name]) + ahead_ns // MILLISECOND)
    return msgspec.json.encode(body)


def odd(raw: bytes, choose: Choose) -> bytes:
    """With one row that cannot be read, or cut off in the middle; the same bytes where there are no rows."""
    body = msgspec.json.decode(raw)
    rows = [row for row in _rows(body) if any(name in row for name in _FIGURES)]
    if not rows:
        return raw
    if choose(4) == 0:
        return raw[: len(raw) // 2]
    row = rows[choose(len(rows))]
    names = [name for name in _FIGURES if name in row]
    row[names[choose(len(names))]] = _ODD[choose(len(_ODD))]
    return msgspec.json.encode(body)


def answer(reply: HttpReply, faults: Faults) -> HttpReply:
    """An answer with an odd row or one from the future; as it is where it has no rows."""
    if faults.chance(0.5):
        return replace(reply, body=odd(reply.body, faults.choose))
    return replace(reply, body=future(reply.body, faults.ahead()))


def _rows(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a private message or of a list that was asked for; of a wallet its coins too."""
    result = body.get("result")
    rows = result.get("list") if isinstance(result, dict) else body.get("data")
    for row in rows if isinstance(rows, list) else ():
        yield row
        yield from row.get("coin") or ()

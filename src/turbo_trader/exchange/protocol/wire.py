"""JSON on the wire: written as the venue writes it, without spaces, and read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

MOST_BRACKETS: Final = (
    500  # more opening brackets than any request has: what is nested deeper need not be read
)
MOST_ECHOED: Final = 100  # characters of a client's own text that an answer repeats


encode: Final = msgspec.json.Encoder().encode
_object: Final = msgspec.json.Decoder(dict[str, Any])


def decode(raw: bytes) -> dict[str, Any]:
    """The object a client sent. ValueError where it is none: no JSON in UTF-8, another value, NaN, figures out of all bounds, or
    more brackets than a request has."""
    if raw.count(b"[") + raw.count(b"{") > MOST_BRACKETS:
        raise ValueError("nested too deeply")
    return _object.decode(raw)


def operation(raw: bytes) -> tuple[str, str | int, list[Any] | None]:
    """(op, req_id, args) of what was said on a public or private stream; ValueError as `decode`. `args` is None where it is no
    list, and empty where there is none."""
    message = decode(raw)
    args = message.get("args", [])
    return (
        str(message.get("op", ""))[:MOST_ECHOED],
        echoed(message, "req_id"),
        args if isinstance(args, list) else None,
    )


def echoed(message: Mapping[str, Any], name: str) -> str | int:
    """The id by which a client knows the answer: as it was given, a text or a whole number; "" for anything else."""
    found = message.get(name)
    return found if isinstance(found, str) or type(found) is int else ""

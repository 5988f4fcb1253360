"""Events, commands and what a start restores, as msgpack and back: what is read is equal to what was written, digit for digit."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, get_args

import msgspec
import numpy as np

from turbo_trader.journal.encoding import plain_text
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import BAR, Rows
from turbo_trader.trader.commands import Command
from turbo_trader.trader.events import Event

_KINDS: Final[dict[str, type]] = {kind.__name__: kind for kind in (*get_args(Event), *get_args(Command))}


def pack(value: Any) -> bytes:
    """An event, a command or plain values as msgpack; Decimals as their text, arrays as their bytes. An event or a command carries
    its name."""
    if type(value).__name__ in _KINDS:
        return _encoder.encode((type(value).__name__, value))
    return _encoder.encode(value)


def unpack(packed: bytes) -> Any:
    """Plain values as they were packed; tuples as lists, Decimals as text."""
    return msgspec.msgpack.decode(packed)


def unpack_event(packed: bytes) -> Event:
    """An event, equal to the one that was packed. InputError where this version knows no such event."""
    name, value = _named.decode(packed)
    try:
        event: Event = _decoder(name).decode(value)
    except (KeyError, msgspec.DecodeError) as error:
        raise InputError(f"an event {name} that this version cannot read: {error}") from None
    return event


def unpack_command(packed: bytes) -> tuple[str, Any]:
    """A command's name and its fields as plain values; arrays are bytes."""
    name, value = _named.decode(packed)
    return name, msgspec.msgpack.decode(value)


def _plain(value: Any) -> Any:
    return value.tobytes() if isinstance(value, np.ndarray) else plain_text(value)


def _bars(_: Any, packed: Any) -> Rows:
    """The only arrays of an event that is packed are bars."""
    return np.frombuffer(packed, BAR).copy()


@cache
def _decoder(name: str) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(_KINDS[name], dec_hook=_bars)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_named = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])

"""Signatures of V5 requests, checked over the bytes that arrived."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from turbo_trader.exchange.messages import Reply

AHEAD_MS = 1_000  # a clock may be this far ahead of the venue's


@dataclass(frozen=True, slots=True)
class Key:
    """An API key of an account; `secret` is kept out of its repr."""

    key: str
    secret: str
    uid: str

    def __repr__(self) -> str:
        return f"Key(uid={self.uid!r})"

    def sign(self, text: bytes) -> str:
        """Lowercase hex HMAC-SHA256."""
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()


def check_request(
    keys: Mapping[str, Key],
    headers: Mapping[str, str],
    payload: bytes,
    clocks_ms: tuple[int, ...],
    stretch: float,
) -> tuple[Key | None, Reply | None]:
    """The key of a signed REST request, or the refusal. `headers`: lower-case names; `payload`: raw query or raw body.

    `clocks_ms`: the venue's time first; the stamp must fit one of them (a simulated venue also takes the wall's, so that clients
    that cannot be told another time work at any speed and on any tape). `stretch` widens the window where time runs faster.
    """
    name = headers.get("x-bapi-api-key", "")
    stamp, window = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", "5000")
    if not name or not stamp or not headers.get("x-bapi-sign"):
        return None, Reply(
            10001, f"empty value: apiTimestamp[{stamp}] apiKey[{name}]: openapi sign params error!"
        )
    key = keys.get(name)
    if key is None:
        return None, Reply(10003, "API key is invalid.")
    if not stamp.isdigit() or not window.isdigit():
        return None, Reply(10001, "Request parameter error: timestamp and recv_window are whole milliseconds")
    wanted = key.sign(f"{stamp}{name}{window}".encode() + payload)
    if not hmac.compare_digest(wanted, headers["x-bapi-sign"].lower()):
        return None, Reply(10004, "error sign! origin_string[...]")
    if not any(_fits(int(stamp), now, int(window), stretch) for now in clocks_ms):
        text = f"req_timestamp[{stamp}],server_timestamp[{clocks_ms[0]}],recv_window[{window}]"
        return None, Reply(
            10002, f"invalid request, please check your server timestamp or recv_window param. {text}"
        )
    return key, None


def _fits(stamp: int, now: int, window: int, stretch: float) -> bool:
    """server time - window <= stamp < server time + 1 s."""
    return now - int(window * stretch) <= stamp < now + int(AHEAD_MS * stretch)


def check_stream(keys: Mapping[str, Key], args: object, clocks_ms: tuple[int, ...]) -> Key | None:
    """The key of an `auth` operation `[key, expires, signature]`; None when it is not good."""
    if not isinstance(args, list) or len(args) != 3:
        return None
    key = keys.get(str(args[0]))
    expires = str(args[1])
    if key is None or not expires.isdigit() or int(expires) < min(clocks_ms):
        return None
    good = hmac.compare_digest(key.sign(f"GET/realtime{expires}".encode()), str(args[2]).lower())
    return key if good else None

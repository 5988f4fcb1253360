"""API keys, and signatures checked over the bytes that arrived."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from turbo_trader.exchange.messages import Reply

AHEAD_MS = 1_000  # a clock may be this far ahead of the venue's
TRADING = {"ContractTrade": ("Order", "Position"), "Derivatives": ("DerivativesTrade",)}


#: What the venue may have against whoever holds a key.
BARRED: Final = {
    10007: "User authentication failed.",
    10008: "User has been banned.",
    10009: "IP has been banned.",
    10024: "Compliance rules triggered.",
    10027: "Transactions are banned.",
    10028: "The API can only be accessed by unified account users.",
    110066: "Trading is currently not allowed",
    110123: "The trading terms have to be agreed to first.",
    110124: "Trading is cooling off.",
    110125: "Trading is cooling off until the questionnaire has been answered.",
    110132: "This product is not available in your region.",
}


@dataclass(kw_only=True, frozen=True, slots=True)
class Key:
    """An API key of an account; `secret` is kept out of its repr. `expires_ms`: None = never; `addresses`: () = from anywhere."""

    key: str
    secret: str
    uid: str
    read_only: bool = False
    permissions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(TRADING))
    expires_ms: int | None = None
    addresses: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()  # () = all may be traded
    barred: int = 0  # a code of BARRED that every request is answered with

    def __repr__(self) -> str:
        return f"Key(uid={self.uid!r})"

    def sign(self, text: bytes) -> str:
        """Lowercase hex HMAC-SHA256."""
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()

    def refusal(
        self, route: str, *, writes: bool, address: str, now_ms: int, symbols: Sequence[object] = ()
    ) -> Reply | None:
        """Why this key may not use `route` (path after /v5/) for `symbols`, or None."""
        if self.barred:
            return Reply(self.barred, BARRED[self.barred])
        if self.addresses and address not in self.addresses:
            return Reply(10010, "Unmatched IP, please check your API key's bound IP addresses.")
        if self.expires_ms is not None and now_ms >= self.expires_ms:
            return Reply(33004, "Your api key has expired.")
        if not writes:
            return None
        needed = "Position" if route.startswith("position/") else "Order"
        if self.read_only or needed not in self.permissions.get("ContractTrade", ()):
            return Reply(10005, "Permission denied, please check your API key permissions.")
        if self.symbols and any(symbol not in self.symbols for symbol in symbols):
            return Reply(10029, "The requested symbol is invalid, please check symbol whitelist")
        return None


def check_request(
    keys: Mapping[str, Key],
    headers: Mapping[str, str],
    payload: bytes,
    clocks_ms: tuple[int, ...],
    stretch: float,
) -> tuple[Key, int] | Reply:
    """(key, the client's clock in ms) of a signed REST request, or the refusal. `headers`: lower-case names; `payload`: raw query
    or raw body.

    `clocks_ms`: the venue's time first; the stamp must fit one of them (a simulated venue also takes the wall's, so that clients
    that cannot be given another time work at any speed and on any tape). `stretch` widens the window where time runs faster.
    """
    name = headers.get("x-bapi-api-key", "")
    stamp, sent = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", "")
    window = sent or "5000"
    if not name or not stamp or not headers.get("x-bapi-sign"):
        return Reply(10001, f"empty value: apiTimestamp[{stamp}] apiKey[{name}]: openapi sign params error!")
    key = keys.get(name)
    if key is None:
        return Reply(10003, "API key is invalid.")
    if not is_whole(stamp) or not is_whole(window):
        return Reply(10001, "Request parameter error: timestamp and recv_window are whole milliseconds")
    wanted = key.sign(f"{stamp}{name}{sent}".encode() + payload)
    if not hmac.compare_digest(wanted.encode(), headers["x-bapi-sign"].lower().encode()):
        return Reply(10004, "error sign! origin_string[...]")
    clock = matching_clock(int(stamp), int(window), clocks_ms, stretch)
    if clock is None:
        text = f"req_timestamp[{stamp}],server_timestamp[{clocks_ms[0]}],recv_window[{window}]"
        return Reply(
            10002, f"invalid request, please check your server timestamp or recv_window param. {text}"
        )
    return key, clock


def matching_clock(stamp: int, window: int, clocks_ms: tuple[int, ...], stretch: float) -> int | None:
    """The first clock a stamp fits (all ms), or None."""
    return next((now for now in clocks_ms if _fits(stamp, now, window, stretch)), None)


def is_whole(text: str) -> bool:
    """Is it a whole number of ms, short enough to be one?"""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _fits(stamp: int, now: int, window: int, stretch: float) -> bool:
    """server time - window <= stamp < server time + 1 s."""
    return now - int(window * stretch) <= stamp < now + int(AHEAD_MS * stretch)


def check_stream(keys: Mapping[str, Key], args: object, clocks_ms: tuple[int, ...]) -> Key | None:
    """The key of an `auth` operation `[key, expires, signature]`; None when it is not good, or `expires` is past on every clock."""
    if not isinstance(args, list) or len(args) != 3:
        return None
    key = keys.get(str(args[0]))
    expires = str(args[1])
    if key is None or not is_whole(expires) or int(expires) < min(clocks_ms):
        return None
    if key.expires_ms is not None and min(clocks_ms) >= key.expires_ms:
        return None
    good = hmac.compare_digest(
        key.sign(f"GET/realtime{expires}".encode()).encode(), str(args[2]).lower().encode(errors="replace")
    )
    return key if good else None

"""The private stream of one client: authentication, subscriptions, and the account's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from turbo_trader.exchange.messages import (
    SETTLED_IN,
    ExecutionMessage,
    Message,
    OrderMessage,
    PositionMessage,
    WalletMessage,
)
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.dcp import TOPIC
from turbo_trader.exchange.protocol.params import OTHERS
from turbo_trader.exchange.protocol.signing import Key, check_stream
from turbo_trader.exchange.protocol.wire import encode, operation
from turbo_trader.market.order_terms import ExecKind

TOPICS = ("order", "execution", "execution.fast", "position", "wallet")
CATEGORIES = ("linear", *OTHERS)


class PrivateClient:
    """One connection to /v5/private."""

    def __init__(self, keys: Mapping[str, Key], connection: str) -> None:
        self.uid = ""  # "" until authenticated
        self._keys = keys
        self._connection = connection
        self._topics: dict[str, None] = {}
        self._numbers = 0

    def take(self, raw: bytes, now: int, wall: int = 0) -> list[bytes]:
        """Answer one operation of the client."""
        try:
            op, req_id, args = operation(raw)
        except ValueError:
            return [self._reply("", "", False, "error:invalid message")]
        if op == "ping":
            pong = {
                "req_id": req_id,
                "op": "pong",
                "args": [str(now // 1_000_000)],
                "conn_id": self._connection,
            }
            return [encode(pong)]
        if op == "auth":
            key = check_stream(self._keys, args, (now // 1_000_000, (wall or now) // 1_000_000))
            self.uid = key.uid if key is not None else ""
            return [
                self._reply(
                    "auth",
                    req_id,
                    key is not None,
                    "" if key is not None else "error:invalid signature or expired",
                )
            ]
        if not self.uid:
            return [self._reply(op, req_id, False, "Request not authorized")]
        names = [str(topic) for topic in args or ()]
        if op == "subscribe":
            wrong = [name for name in names if not _known(name)]
            # all-in-one and by category do not go together
            wrong += [name for name in names if any(f"{name}.{kind}" in names for kind in CATEGORIES)]
            if wrong or not names:
                said = f"error:handler not found,topic:{next(iter(wrong), '')}"
                return [self._reply(op, req_id, False, said[:1_000])]
            self._topics |= dict.fromkeys(names)
            return [self._reply(op, req_id, True, "")]
        if op == "unsubscribe":
            for name in names:
                self._topics.pop(name, None)
            return [self._reply(op, req_id, True, "")]
        return [self._reply(op, req_id, False, f"error:unknown op {op}")]

    @property
    def protected(self) -> bool:
        """Does the client want its account's orders cancelled when it is gone?"""
        return bool(self.uid) and TOPIC in self._topics

    def push(self, now: int, messages: Sequence[Message]) -> list[bytes]:
        """Frames of the account's messages, one each, in order; topics not subscribed to are left out."""
        frames = []
        for message in messages:
            topic, item = _item(message)
            if isinstance(message, ExecutionMessage) and message.kind == ExecKind.TRADE:
                frames += [
                    encode(
                        {
                            "topic": name,
                            "creationTime": now // 1_000_000,
                            "data": [render.fast_execution(message)],
                        }
                    )
                    for name in ("execution.fast", "execution.fast.linear")
                    if name in self._topics
                ]
            for name in (topic, f"{topic}.linear"):
                if name in self._topics:
                    self._numbers += 1
                    frame = {
                        "id": f"{self._connection}-{self._numbers}",
                        "topic": name,
                        "creationTime": now // 1_000_000,
                    }
                    frames.append(encode({**frame, "data": [item]}))
        return frames

    def _reply(self, op: str, req_id: str | int, success: bool, text: str) -> bytes:
        return encode(
            {"success": success, "ret_msg": text, "conn_id": self._connection, "req_id": req_id, "op": op}
        )


def _known(topic: str) -> bool:
    """Is there such a topic? Of other categories, and of options' greeks, nothing ever comes."""
    name, _, category = topic.rpartition(".")
    return topic in (*TOPICS, TOPIC, "greeks") or (category in CATEGORIES and name in TOPICS[:-1])


def _item(message: Message) -> tuple[str, dict[str, Any]]:
    match message:
        case OrderMessage():
            extra = {
                "category": "linear",
                "closedPnl": render.text(message.closed_pnl),
                "feeCurrency": next((coin for coin, _ in message.coin_fees), SETTLED_IN),
            }
            return "order", {**extra, **render.order(message)}
        case ExecutionMessage():
            return "execution", {
                "category": "linear",
                **render.execution(message),
                "isLeverage": "0",
                "marketUnit": "",
            }
        case PositionMessage():
            return "position", {"category": "linear", **render.position(message, stream=True)}
        case WalletMessage():
            return "wallet", render.wallet(message)

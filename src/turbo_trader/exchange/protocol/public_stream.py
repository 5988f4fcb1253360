"""Public streams: the topics in use, and each client's subscriptions to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from turbo_trader.exchange.protocol.book_channel import BookChannel
from turbo_trader.exchange.protocol.channels import Channel, channel
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.passing import Head, Passed, passed, read
from turbo_trader.exchange.protocol.symbol_market import Print
from turbo_trader.exchange.protocol.wire import encode, operation

_LARGEST = 21_000  # characters of all topics of a connection


class PublicFeed:
    """The topics someone listens to; one frame of each serves all its subscribers.

    Frames are made from the market's rows, but for the topics `passed_on`: their frames the market has itself (`hear`).
    """

    def __init__(self, data: MarketData, passed_on: Collection[str] = ()) -> None:
        self.data = data
        self._users: dict[str, int] = {}
        self._made: dict[str, Channel] = {}  # those in use
        self._due: dict[str, int] = {}
        self._prints: dict[str, list[Print]] = {}
        known = (topic for topic in passed_on if channel(data, topic) is not None)
        self._passed: dict[str, Passed] = {topic: passed(topic) for topic in known}
        self._heard: dict[str, list[bytes]] = {}  # since the last push, of those in use
        self.unreadable = 0  # frames of the market that were left out
        for topic, kept in self._passed.items():
            data.follow(topic, kept)

    def has(self, topic: str) -> bool:
        """Is there such a topic?"""
        return channel(self.data, topic) is not None

    def topics(self) -> list[str]:
        """Those in use."""
        return list(self._users)

    def hear(self, raw: bytes) -> None:
        """A frame of the market itself: passed on as it is. Frames of other topics are passed over. What cannot be read is left out
        and counted; of its topic nothing is known then until all of it is said again."""
        head = Head()
        try:
            head = read(raw)
            kept = self._passed.get(head.topic)
            useful = kept is not None and kept.hear(raw, head)
        except ValueError:
            self.unreadable += 1
            if head.topic in self._passed:
                self._passed[head.topic].forget()
            return
        if useful and head.topic in self._users:
            self._heard.setdefault(head.topic, []).append(raw)

    def forget(self) -> None:
        """The market was lost: what it said holds no more."""
        for kept in self._passed.values():
            kept.forget()

    def join(self, topic: str, now: int) -> list[bytes]:
        """A subscriber more; returns what it gets at once. The topic exists (`has`)."""
        self._users[topic] = self._users.get(topic, 0) + 1
        if topic in self._passed:
            return self._passed[topic].snapshot()
        found = self._made.get(topic)
        if found is None:
            found = channel(self.data, topic)
            assert found is not None
            self._made[topic] = found
            self._due[topic] = now + found.cadence
            self._prints[topic] = []
        return found.snapshot(now)

    def leave(self, topic: str) -> None:
        """A subscriber less."""
        self._users[topic] -= 1
        if not self._users[topic]:
            for kept in (self._users, self._made, self._due, self._prints, self._heard):
                kept.pop(topic, None)

    def renew(self, symbol: str) -> None:
        """The book of `symbol` restarts: its next frame is a snapshot."""
        for topic in self._made:
            if topic.startswith("orderbook.") and topic.endswith(f".{symbol}"):
                found = channel(self.data, topic)
                assert found is not None
                self._made[topic] = found

    def restart(self) -> None:
        """The books restart: the next frame of each is a snapshot with `u` 1."""
        for found in self._made.values():
            if isinstance(found, BookChannel):
                found.restart()

    def push(self, now: int, prints: Mapping[int, list[Print]]) -> dict[str, list[bytes]]:
        """Frames due at `now` (ns), by topic; `prints` since the last call, by symbol index."""
        frames, self._heard = self._heard, {}
        index = self.data.exchange.index
        for topic, found in self._made.items():
            fresh = prints.get(index.get(topic.rpartition(".")[2], -1))
            if fresh and found.cadence == 0:
                self._prints[topic] += fresh
            if now < self._due[topic]:
                continue
            self._due[topic] = max(self._due[topic] + found.cadence, now + 1)
            reported = found.push(now, self._prints[topic])
            self._prints[topic] = []
            if reported:
                frames[topic] = reported
        return frames


class Feed(Protocol):
    """What a public connection subscribes to."""

    def has(self, topic: str) -> bool:
        """Is there such a topic?"""

    def join(self, topic: str, now: int) -> list[bytes]:
        """A subscriber more; returns what it gets at once."""

    def leave(self, topic: str) -> None:
        """A subscriber less."""


class PublicClient:
    """One connection to a public path. `take` answers operations; `push` picks this client's frames."""

    def __init__(self, feed: Feed, connection: str) -> None:
        self._feed = feed
        self._connection = connection
        self._topics: dict[str, None] = {}

    def take(self, raw: bytes, now: int, wall: int = 0) -> list[bytes]:
        """Answer one operation of the client; nothing public is signed, so `wall` does not matter."""
        del wall
        try:
            op, req_id, args = operation(raw)
        except ValueError:
            return [self._reply("", "", success=False, text="error:invalid message")]
        if op == "ping":
            return [self._reply("ping", req_id, success=True, text="pong")]
        if op not in ("subscribe", "unsubscribe") or args is None:
            return [self._reply(op, req_id, success=False, text=f"error:unknown op {op}")]
        topics = [str(topic) for topic in args]
        if op == "unsubscribe":
            for topic in topics:
                self._drop(topic)
            return [self._reply(op, req_id, success=True, text="")]
        wrong = [topic for topic in topics if not self._feed.has(topic)]
        size = sum(map(len, self._topics)) + sum(len(topic) for topic in topics if topic not in self._topics)
        if wrong or size > _LARGEST:
            # as the venue does: the first one is named, and nothing of the request is in force
            said = (
                f"error:handler not found,topic:{wrong[0]}"[:1_000] if wrong else "error:args size over limit"
            )
            return [self._reply(op, req_id, success=False, text=said)]
        frames = [self._reply(op, req_id, success=True, text="")]
        for topic in dict.fromkeys(topics):
            if topic not in self._topics:
                self._topics[topic] = None
                frames += self._feed.join(topic, now)
        return frames

    def push(self, frames: Mapping[str, list[bytes]]) -> list[bytes]:
        """Those due that this client subscribed to."""
        return [frame for topic in self._topics if topic in frames for frame in frames[topic]]

    def close(self) -> None:
        """The connection ended."""
        for topic in list(self._topics):
            self._drop(topic)

    def _drop(self, topic: str) -> None:
        if topic in self._topics:
            del self._topics[topic]
            self._feed.leave(topic)

    def _reply(self, op: str, req_id: str | int, *, success: bool, text: str) -> bytes:
        return encode(
            {"success": success, "ret_msg": text, "conn_id": self._connection, "req_id": req_id, "op": op}
        )

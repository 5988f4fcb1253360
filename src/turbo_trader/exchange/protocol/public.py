"""The public stream of one client: subscriptions, and frames made from what the venue shows now.

A book frame is the difference between the levels last shown and those of now, so pushes merge by themselves when they are rarer
than the book's changes (at speeds above 1, or for a slow cadence).
"""

from __future__ import annotations

import json
from typing import Any

from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.render import side

DEPTHS = (1, 50, 200, 1000)
_TOPICS = ("publicTrade", "tickers", "kline.1")
_LARGEST = 21_000  # characters of all topics of a connection


class PublicClient:
    """One connection to /v5/public/linear. `take` answers operations; `push` returns the frames due at `now` (ns)."""

    def __init__(self, data: MarketData, connection: str) -> None:
        self._data = data
        self._connection = connection
        self._books: dict[tuple[int, int], tuple[dict[int, int], dict[int, int], int]] = {}
        self._tickers: dict[int, dict[str, Any]] = {}
        self._trades: set[int] = set()
        self._klines: set[int] = set()
        self._topics: dict[str, None] = {}

    def take(self, raw: bytes, now: int, wall: int = 0) -> list[bytes]:
        """Answer one operation of the client; nothing public is signed, so `wall` does not matter."""
        del wall
        try:
            message = json.loads(raw)
            op, req_id, args = message.get("op"), message.get("req_id", ""), message.get("args", [])
        except (ValueError, AttributeError, RecursionError):
            return [
                _encode(
                    {
                        "success": False,
                        "ret_msg": "error:invalid message",
                        "conn_id": self._connection,
                        "op": "",
                    }
                )
            ]
        if op == "ping":
            return [self._reply("ping", req_id, True, "pong")]
        if op == "unsubscribe" and isinstance(args, list):
            for topic in args:
                self._drop(str(topic))
            return [self._reply("unsubscribe", req_id, True, "")]
        if op != "subscribe" or not isinstance(args, list):
            return [self._reply(str(op), req_id, False, f"error:unknown op {op}")]
        wrong = [str(topic) for topic in args if self._parse(str(topic)) is None]
        if wrong or sum(map(len, self._topics)) + sum(len(str(t)) for t in args) > _LARGEST:
            return [self._reply("subscribe", req_id, False, f"Invalid topic: {','.join(wrong)}")]
        frames = [self._reply("subscribe", req_id, True, "")]
        for topic in args:
            frames += self._add(str(topic), now)
        return frames

    def push(self, now: int, prints: dict[int, list[tuple[int, int, int, int, int]]]) -> list[bytes]:
        """Frames of everything that changed since the last push; `prints`: (number, ts, price, lots, side) per symbol."""
        frames = []
        for (s, depth), (bids, asks, update) in self._books.items():
            frame = self._book_delta(s, depth, bids, asks, update, now)
            if frame is not None:
                frames.append(frame)
        frames += [self._prints(s, prints[s], now) for s in sorted(self._trades & prints.keys())]
        for s in self._tickers:
            frame = self._ticker_delta(s, now)
            if frame is not None:
                frames.append(frame)
        return frames + [self._kline(s, now) for s in sorted(self._klines & prints.keys())]

    # -- topics

    def _parse(self, topic: str) -> tuple[str, int] | None:
        kind, _, symbol = topic.rpartition(".")
        s = self._data.exchange.index.get(symbol)
        known = kind in _TOPICS or (kind.startswith("orderbook.") and kind[10:] in map(str, DEPTHS))
        return (kind, s) if s is not None and known else None

    def _add(self, topic: str, now: int) -> list[bytes]:
        parsed = self._parse(topic)
        if parsed is None or topic in self._topics:
            return []
        self._topics[topic] = None
        kind, s = parsed
        if kind == "publicTrade":
            self._trades.add(s)
        elif kind == "kline.1":
            self._klines.add(s)
        elif kind == "tickers":
            self._tickers[s] = ticker = self._data.ticker(s, now)
            return [
                _encode(
                    {
                        "topic": topic,
                        "type": "snapshot",
                        "data": ticker,
                        "cs": now // 1000,
                        "ts": now // 1_000_000,
                    }
                )
            ]
        else:
            depth = int(kind[10:])
            bids, asks = self._data.levels(s, depth)
            self._books[s, depth] = (bids, asks, 1)
            if bids:
                return [self._book(s, depth, "snapshot", bids, asks, 1, now)]
            self._books[s, depth] = (bids, asks, 0)
        return []

    def _drop(self, topic: str) -> None:
        parsed = self._parse(topic)
        if parsed is None or self._topics.pop(topic, 0) == 0:
            return
        kind, s = parsed
        self._trades.discard(s) if kind == "publicTrade" else None
        self._klines.discard(s) if kind == "kline.1" else None
        self._tickers.pop(s, None) if kind == "tickers" else None
        if kind.startswith("orderbook."):
            self._books.pop((s, int(kind[10:])), None)

    # -- frames

    def _book_delta(
        self, s: int, depth: int, bids: dict[int, int], asks: dict[int, int], update: int, now: int
    ) -> bytes | None:
        new_bids, new_asks = self._data.levels(s, depth)
        if not new_bids or (new_bids == bids and new_asks == asks):
            return None
        self._books[s, depth] = (new_bids, new_asks, update + 1)
        if update == 0 or depth == 1:
            return self._book(s, depth, "snapshot", new_bids, new_asks, update + 1, now)
        return self._book(
            s, depth, "delta", _changes(bids, new_bids, -1), _changes(asks, new_asks, 1), update + 1, now
        )

    def _book(
        self, s: int, depth: int, kind: str, bids: dict[int, int], asks: dict[int, int], update: int, now: int
    ) -> bytes:
        data, symbol = self._data, self._data.exchange.instruments[s].symbol
        state = data.exchange.states[s]
        return _encode(
            {
                "topic": f"orderbook.{depth}.{symbol}",
                "type": kind,
                "ts": now // 1_000_000,
                "data": {
                    "s": symbol,
                    "b": [
                        [data.price(s, price), data.size(s, lots) if lots else "0"]
                        for price, lots in bids.items()
                    ],
                    "a": [
                        [data.price(s, price), data.size(s, lots) if lots else "0"]
                        for price, lots in asks.items()
                    ],
                    "u": update + 1,  # 1 would mean a restart of the service
                    "seq": now // 1_000,
                },
                "cts": int(state["book_ts"]) // 1_000_000,
            }
        )

    def _prints(self, s: int, prints: list[tuple[int, int, int, int, int]], now: int) -> bytes:
        data, symbol = self._data, self._data.exchange.instruments[s].symbol
        items = [
            {
                "T": ts // 1_000_000, "s": symbol, "S": side(taker), "v": data.size(s, lots), "p": data.price(s, price),
                "L": "ZeroPlusTick", "i": f"{symbol}-{number}", "BT": False, "RPI": False, "seq": number,
            }
            for number, ts, price, lots, taker in prints
        ]  # fmt: skip
        return _encode(
            {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": now // 1_000_000, "data": items}
        )

    def _ticker_delta(self, s: int, now: int) -> bytes | None:
        before, ticker = self._tickers[s], self._data.ticker(s, now)
        changed = {name: value for name, value in ticker.items() if before[name] != value}
        if not changed:
            return None
        self._tickers[s] = ticker
        symbol = ticker["symbol"]
        data = {"symbol": symbol, **changed}
        return _encode(
            {
                "topic": f"tickers.{symbol}",
                "type": "delta",
                "data": data,
                "cs": now // 1000,
                "ts": now // 1_000_000,
            }
        )

    def _kline(self, s: int, now: int) -> bytes:
        symbol = self._data.exchange.instruments[s].symbol
        row = self._data.klines(s, 1, 0, 10**15, 1)[0]
        start = int(row[0])
        item = {
            "start": start, "end": start + 59_999, "interval": "1", "open": row[1], "close": row[4], "high": row[2],
            "low": row[3], "volume": row[5], "turnover": row[6], "confirm": now // 1_000_000 >= start + 60_000,
            "timestamp": now // 1_000_000,
        }  # fmt: skip
        return _encode(
            {"topic": f"kline.1.{symbol}", "data": [item], "ts": now // 1_000_000, "type": "snapshot"}
        )

    def _reply(self, op: str, req_id: Any, success: bool, text: str) -> bytes:
        return _encode(
            {"success": success, "ret_msg": text, "conn_id": self._connection, "req_id": req_id, "op": op}
        )


def _changes(before: dict[int, int], after: dict[int, int], order: int) -> dict[int, int]:
    """Levels that are new or differ, and 0 for those that are gone, best first."""
    changed = {price: lots for price, lots in after.items() if before.get(price) != lots}
    changed |= {price: 0 for price in before if price not in after}
    return dict(sorted(changed.items(), key=lambda item: order * item[0]))


def _encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()

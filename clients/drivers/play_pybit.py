"""pybit: REST, public and private streams, the trade socket. What it believes comes from its private streams alone."""

from __future__ import annotations

import queue
import time
from decimal import Decimal
from typing import Any

import given
import pybit._websocket_trading
import pybit.unified_trading
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

SYMBOLS = {"BTCUSDT": ("0.01", "0.1"), "ETHUSDT": ("0.1", "0.01")}  # quantity, tick
OPEN = ("New", "PartiallyFilled", "Untriggered")
ROUNDS = 6


class Books:
    """What the private streams said last."""

    def __init__(self) -> None:
        self.positions: dict[str, Decimal] = {}
        self.orders: dict[str, str] = {}
        self.balance = Decimal(0)
        self.executions = 0

    def order(self, message: dict[str, Any]) -> None:
        for row in message["data"]:
            self.orders[row["orderId"]] = row["orderStatus"]

    def execution(self, message: dict[str, Any]) -> None:
        self.executions += len(message["data"])

    def position(self, message: dict[str, Any]) -> None:
        for row in message["data"]:
            sign = {"Buy": 1, "Sell": -1}.get(row["side"], 0)
            self.positions[row["symbol"]] = sign * Decimal(row["size"])

    def wallet(self, message: dict[str, Any]) -> None:
        for row in message["data"]:
            self.balance = Decimal(next(c["walletBalance"] for c in row["coin"] if c["coin"] == "USDT"))


class Play:
    """The three classes of pybit on one account."""

    def __init__(self, where: dict[str, Any]) -> None:
        keys = {"api_key": where["key"], "api_secret": where["secret"]}
        pybit.unified_trading.PUBLIC_WSS = f"{where['stream']}/v5/public/{{CHANNEL_TYPE}}"
        pybit.unified_trading.PRIVATE_WSS = f"{where['stream']}/v5/private"
        pybit._websocket_trading.TRADE_WSS = f"{where['stream']}/v5/trade"
        self.rest = HTTP(**keys)
        self.rest.endpoint = where["url"]
        self.rest.client.trust_env = False
        self.books = Books()
        self.frames: dict[str, int] = {}
        self.public = WebSocket(testnet=False, channel_type="linear")
        self.private = WebSocket(testnet=False, channel_type="private", private_auth_expire=10, **keys)
        self.trading = WebSocketTrading(testnet=False, **keys)
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()

    def subscribe(self) -> None:
        for symbol in SYMBOLS:
            for depth in (1, 50, 200):
                self.public.orderbook_stream(depth, symbol, self.frame)
            self.public.trade_stream(symbol, self.frame)
            self.public.ticker_stream(symbol, self.frame)
            self.public.kline_stream(1, symbol, self.frame)
        self.private.order_stream(self.books.order)
        self.private.execution_stream(self.books.execution)
        self.private.position_stream(self.books.position)
        self.private.wallet_stream(self.books.wallet)
        given.until(lambda: len(self.frames) == 6 * len(SYMBOLS), f"a frame of each topic: {self.frames}", 90)
        time.sleep(1)  # nothing is sent of what was before a subscription

    def frame(self, message: dict[str, Any]) -> None:
        self.frames[message["topic"]] = self.frames.get(message["topic"], 0) + 1

    def price(self, symbol: str, factor: str) -> str:
        answer: Any = self.rest.get_tickers(category="linear", symbol=symbol)
        return str(
            (Decimal(answer["result"]["list"][0]["lastPrice"]) * Decimal(factor)).quantize(
                Decimal(SYMBOLS[symbol][1])
            )
        )

    def order(self, symbol: str, side: str, kind: str, qty: str, **more: Any) -> str:
        answer: Any = self.rest.place_order(
            category="linear", symbol=symbol, side=side, orderType=kind, qty=qty, **more
        )
        return str(answer["result"]["orderId"])

    def status(self, order_id: str, *wanted: str) -> None:
        given.until(
            lambda: self.books.orders.get(order_id) in wanted,
            f"{order_id} {wanted}: {self.books.orders.get(order_id)}",
        )

    def rounds(self, symbol: str, qty: str) -> None:
        """There and back, resting orders, a guarded position, a conditional order, a batch, the trade socket."""
        self.rest.set_leverage(category="linear", symbol=symbol, buyLeverage="5", sellLeverage="5")
        for n in range(ROUNDS):
            side, back = ("Buy", "Sell") if n % 2 else ("Sell", "Buy")
            self.status(self.order(symbol, side, "Market", qty), "Filled")
            self.status(self.order(symbol, back, "Market", qty, reduceOnly=True), "Filled")
        resting = self.order(
            symbol, "Buy", "Limit", qty, price=self.price(symbol, "0.98"), timeInForce="PostOnly"
        )
        self.status(resting, "New")
        self.rest.amend_order(
            category="linear", symbol=symbol, orderId=resting, price=self.price(symbol, "0.975")
        )
        self.rest.cancel_order(category="linear", symbol=symbol, orderId=resting)
        self.status(resting, "Cancelled")
        up = {"triggerPrice": self.price(symbol, "1.05"), "triggerDirection": 1}
        conditional = self.order(symbol, "Buy", "Market", qty, **up)
        self.status(conditional, "Untriggered")
        self.rest.cancel_order(category="linear", symbol=symbol, orderId=conditional)
        self.status(conditional, "Cancelled", "Deactivated")
        items = [{"symbol": symbol, "side": "Buy", "orderType": "Limit", "qty": qty, "price": self.price(symbol, "0.97")}
                 for _ in range(3)]  # fmt: skip
        made: Any = self.rest.place_batch_order(category="linear", request=items)
        assert [row["code"] for row in made["retExtInfo"]["list"]] == [0, 0, 0]
        self.rest.cancel_all_orders(category="linear", symbol=symbol)
        for row in made["result"]["list"]:
            self.status(row["orderId"], "Cancelled")
        self.over_the_trade_socket(symbol, qty)

    def over_the_trade_socket(self, symbol: str, qty: str) -> None:
        base = {"category": "linear", "symbol": symbol}
        order = {**base, "side": "Buy", "orderType": "Limit", "qty": qty, "price": self.price(symbol, "0.97")}
        self.trading.place_order(self.answers.put, **order)
        made = self.answers.get(timeout=15)["data"]["orderId"]
        self.status(made, "New")
        self.trading.amend_order(self.answers.put, **base, orderId=made, price=self.price(symbol, "0.96"))
        self.answers.get(timeout=15)
        self.trading.cancel_order(self.answers.put, **base, orderId=made)
        self.answers.get(timeout=15)
        self.status(made, "Cancelled")

    def leave_something(self) -> None:
        """A guarded position and a resting order at the end, so that the books have rows."""
        stop, target = self.price("BTCUSDT", "0.9"), self.price("BTCUSDT", "1.1")
        self.status(
            self.order("BTCUSDT", "Buy", "Market", "0.02", stopLoss=stop, takeProfit=target), "Filled"
        )
        self.status(self.order("ETHUSDT", "Sell", "Market", "0.2"), "Filled")
        self.rest.set_trading_stop(category="linear", symbol="ETHUSDT", tpslMode="Full", positionIdx=0,
                                   stopLoss=self.price("ETHUSDT", "1.1"))  # fmt: skip
        self.status(self.order("ETHUSDT", "Buy", "Limit", "0.1", price=self.price("ETHUSDT", "0.95")), "New")
        time.sleep(1)


def main() -> None:
    """Play, and say what the streams left."""
    play = Play(given.read())
    play.subscribe()
    for symbol, (qty, _) in SYMBOLS.items():
        play.rounds(symbol, qty)
    play.leave_something()
    books = play.books
    for socket in (play.public, play.private, play.trading):
        socket.exit()
    given.say(
        positions=books.positions,
        balance=books.balance,
        orders=[order for order, status in books.orders.items() if status in OPEN],
    )


if __name__ == "__main__":
    main()

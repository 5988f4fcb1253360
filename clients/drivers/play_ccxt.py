"""ccxt for Python: `sync`, `async` (REST both) and `pro` (streams and trade socket). One play, through unified methods alone."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
import given

PAIRS = {"BTC/USDT:USDT": 0.01, "ETH/USDT:USDT": 0.1}
CLASSES = {"sync": ccxt.bybit, "async": ccxt.async_support.bybit, "pro": ccxt.pro.bybit}
ROUNDS = 6


def made(where: dict[str, Any]) -> Any:
    """The client, pointed at the exchange."""
    client = CLASSES[where["mode"]]({"apiKey": where["key"], "secret": where["secret"]})
    streams = client.urls["api"].get("ws")
    client.urls["api"] = {name: where["url"] for name in client.urls["api"] if name != "ws"}
    if where["mode"] == "pro":
        client.urls["api"]["ws"] = at(streams, where["stream"])
    return client


def at(urls: Any, stream: str) -> Any:
    """Nested stream addresses with another host."""
    if isinstance(urls, dict):
        return {name: at(url, stream) for name, url in urls.items()}
    return f"{stream}/v5/{urls.partition('/v5/')[2]}"


async def done(answer: Any) -> Any:
    """Of a sync client the answer itself."""
    return await answer if inspect.isawaitable(answer) else answer


class Play:
    """Orders through the REST methods, or with `pro` through the socket's."""

    def __init__(self, client: Any, *, pro: bool) -> None:
        self.client, self.pro = client, pro
        self.trades: list[Any] = []
        self.errors: list[str] = []

    async def create(self, *asked: Any, **params: Any) -> Any:
        method = self.client.create_order_ws if self.pro else self.client.create_order
        return await done(method(*asked, params=params))

    async def cancel(self, order: Any, pair: str) -> Any:
        method = self.client.cancel_order_ws if self.pro else self.client.cancel_order
        return await done(method(order["id"], pair))

    async def near(self, pair: str, factor: float) -> float:
        last = (await done(self.client.fetch_ticker(pair)))["last"]
        return float(self.client.price_to_precision(pair, last * factor))

    async def rounds(self, pair: str, qty: float) -> None:
        """There and back, resting orders edited and cancelled, conditional orders, several at once."""
        await done(self.client.set_leverage(5, pair))
        for n in range(ROUNDS):
            side, back = ("buy", "sell") if n % 2 else ("sell", "buy")
            await self.create(pair, "market", side, qty)
            await self.create(pair, "market", back, qty, None, reduceOnly=True)
        resting = await self.create(pair, "limit", "buy", qty, await self.near(pair, 0.98), postOnly=True)
        edit = self.client.edit_order_ws if self.pro else self.client.edit_order
        await done(edit(resting["id"], pair, "limit", "buy", 2 * qty, await self.near(pair, 0.975)))
        self.expect((await done(self.client.fetch_open_order(resting["id"], pair)))["amount"], 2 * qty)
        await self.cancel(resting, pair)
        trigger = {"triggerPrice": await self.near(pair, 1.05), "triggerDirection": "ascending"}
        conditional = await self.create(pair, "market", "buy", qty, None, **trigger)
        waiting = await done(self.client.fetch_open_orders(pair, params={"trigger": True}))
        self.expect([order["id"] for order in waiting], [conditional["id"]])
        await self.cancel(conditional, pair)
        price = await self.near(pair, 0.97)
        item = {"symbol": pair, "type": "limit", "side": "buy", "amount": qty, "price": price}
        await done(self.client.create_orders([item, item, item]))
        await done(self.client.cancel_all_orders(pair))
        self.expect(await done(self.client.fetch_open_orders(pair)), [])

    def expect(self, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.errors.append(f"found {found}, not {wanted}")

    async def reads(self) -> None:
        """What a bot reads of the market and of itself."""
        pair = next(iter(PAIRS))
        for frame in ("1m", "15m", "1h", "1d"):
            rows = await done(self.client.fetch_ohlcv(pair, frame, limit=50))
            self.expect(all(low <= close <= high for _, _, high, low, close, _ in rows), True)
        await done(self.client.fetch_tickers(list(PAIRS)))
        await done(self.client.fetch_order_book(pair))
        await done(self.client.fetch_funding_rate(pair))
        await done(self.client.fetch_leverage_tiers([pair]))
        trades = await done(self.client.fetch_my_trades(pair))
        self.expect(len(trades) >= 2 * ROUNDS, True)
        self.expect(len(await done(self.client.fetch_closed_orders(pair))) > 0, True)
        self.expect(len(await done(self.client.fetch_ledger("USDT"))) > 0, True)

    async def leave_something(self) -> None:
        btc, eth = PAIRS
        exits = {"stopLoss": {"triggerPrice": await self.near(btc, 0.9)},
                 "takeProfit": {"triggerPrice": await self.near(btc, 1.1)}}  # fmt: skip
        await self.create(btc, "market", "buy", 0.02, None, **exits)
        await self.create(eth, "market", "sell", 0.2)
        await self.create(eth, "limit", "buy", 0.1, await self.near(eth, 0.95))

    async def believe(self) -> None:
        """Through REST: what the client makes of the answers."""
        positions = {row["info"]["symbol"]: (1 if row["side"] == "long" else -1) * row["contracts"]
                     for row in await done(self.client.fetch_positions())}  # fmt: skip
        orders = []
        for pair in PAIRS:
            for params in ({}, {"trigger": True}):
                orders += [
                    order["id"] for order in await done(self.client.fetch_open_orders(pair, params=params))
                ]
        balance = (await done(self.client.fetch_balance()))["info"]["result"]["list"][0]["coin"][0][
            "walletBalance"
        ]
        given.say(positions=positions, balance=balance, orders=sorted(set(orders)), errors=self.errors)


class Watched:
    """What ccxt.pro says of the account without being asked."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.orders: dict[str, str] = {}
        self.positions: dict[str, float] = {}
        self.balance = "0"
        self.books = 0

    def jobs(self) -> list[asyncio.Task[None]]:
        watches = (self._orders, self._positions, self._balances, self._book)
        return [asyncio.ensure_future(self._forever(watch)) for watch in watches]

    async def _forever(self, watch: Any) -> None:
        while True:
            await watch()

    async def _orders(self) -> None:
        for order in await self.client.watch_orders():
            self.orders[order["id"]] = order["status"]

    async def _positions(self) -> None:
        for row in await self.client.watch_positions():
            size = (row["contracts"] or 0.0) * (-1 if row["side"] == "short" else 1)
            self.positions[row["info"]["symbol"]] = size

    async def _balances(self) -> None:
        (said,) = (await self.client.watch_balance())["info"]  # "total" is the equity
        self.balance = next(coin["walletBalance"] for coin in said["coin"] if coin["coin"] == "USDT")

    async def _book(self) -> None:
        book = await self.client.watch_order_book(next(iter(PAIRS)))
        assert book["bids"][0][0] < book["asks"][0][0]
        self.books += 1


async def play(where: dict[str, Any]) -> None:
    """One play."""
    client = made(where)
    pro = where["mode"] == "pro"
    one = Play(client, pro=pro)
    jobs: list[asyncio.Task[None]] = []
    try:
        await done(client.load_markets())
        watched = Watched(client) if pro else None
        if watched is not None:
            jobs = watched.jobs()
            await asyncio.sleep(3)  # nothing is sent of what was before a subscription
        for pair, qty in PAIRS.items():
            await one.rounds(pair, qty)
        await one.reads()
        await one.leave_something()
        if watched is None:
            await one.believe()
            return
        await asyncio.sleep(2)
        failed = [str(job.exception()) for job in jobs if job.done()]
        one.expect(watched.books > 10, True)
        given.say(
            positions=watched.positions, balance=watched.balance,
            orders=[order for order, status in watched.orders.items() if status == "open"],
            errors=[*one.errors, *failed],
        )  # fmt: skip
    finally:
        for job in jobs:
            job.cancel()
        closed: Awaitable[None] | None = client.close() if where["mode"] != "sync" else None
        if closed is not None:
            await closed


if __name__ == "__main__":
    asyncio.run(play(given.read()))

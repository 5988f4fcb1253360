"""ccxt (pro): raw frames to the handler of its Bybit stream."""

import asyncio
import json
import sys

import ccxt.pro
from passes import frames, serve

MARKET = {
    "id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT", "baseId": "BTC",
    "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False, "margin": False, "swap": True, "future": False,
    "option": False, "active": True, "contract": True, "linear": True, "inverse": False, "contractSize": 1,
    "precision": {"amount": 0.001, "price": 0.1}, "limits": {"amount": {}, "price": {}, "cost": {}, "leverage": {}}, "info": {},
}  # fmt: skip


class Client:
    """What a handler resolves."""

    url = "wss://stream.bybit.com/v5/public/linear"

    def __init__(self):
        self.resolved = 0

    def resolve(self, result, name):
        self.resolved += 1


async def made():
    exchange = ccxt.pro.bybit({"enableRateLimit": False})
    exchange.set_markets([MARKET])
    return exchange


def main():
    raws = [raw.decode() for raw in frames(sys.argv[1])]
    loop = asyncio.new_event_loop()
    exchange = loop.run_until_complete(made())

    def one_pass():
        client = Client()
        for raw in raws:
            exchange.handle_message(client, json.loads(raw))
        if not client.resolved:
            raise SystemExit("no frame was resolved")
        return len(raws)

    one_pass()
    serve(one_pass)


main()

"""cryptofeed: raw frames to its handler, a callback for each."""

import asyncio
import sys
from types import SimpleNamespace

from cryptofeed.defines import BYBIT, L2_BOOK, PERPETUAL, TRADES
from cryptofeed.exchanges import Bybit
from cryptofeed.symbols import Symbol, Symbols
from passes import frames, serve


def main():
    symbol = Symbol("BTC", "USDT", PERPETUAL).normalized
    Symbols.set(
        BYBIT, {symbol: "BTCUSDT"}, {"tick_size": {symbol: "0.1"}, "instrument_type": {symbol: PERPETUAL}}
    )
    taken = []

    async def seen(update, received):
        taken.append(received)

    raws = [raw.decode() for raw in frames(sys.argv[1])]
    feed = Bybit(symbols=[symbol], channels=[L2_BOOK, TRADES], callbacks={L2_BOOK: seen, TRADES: seen})
    connection = SimpleNamespace(address="wss://stream.bybit.com/v5/public/linear", uuid="bench")

    async def run():
        for raw in raws:
            await feed.message_handler(raw, connection, 0.0)

    def one_pass():
        taken.clear()
        asyncio.run(run())
        if len(taken) < len(raws):
            raise SystemExit("frames without a callback")
        return len(raws)

    serve(one_pass)


main()

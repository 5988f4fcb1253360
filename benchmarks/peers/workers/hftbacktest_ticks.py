"""hftbacktest, tick-exact: both sides of the latency, fees, queue position, a bracket around each entry, a decision every 30 s."""

import sys

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit
from passes import serve

TRADE = 1
LATENCY = 20_000_000


def events(path):
    tape = np.load(path)
    out = np.zeros(len(tape["ts"]), event_dtype)
    trade = tape["kind"] & 15 == TRADE
    side = np.where(tape["side"] > 0, BUY_EVENT, SELL_EVENT)
    out["ev"] = np.where(trade, TRADE_EVENT, DEPTH_EVENT) | EXCH_EVENT | LOCAL_EVENT | side
    out["exch_ts"], out["local_ts"] = tape["ts"], tape["ts"] + LATENCY
    out["px"], out["qty"] = tape["price"] * tape["tick"], tape["lots"] * tape["lot"]
    return out, float(tape["tick"]), float(tape["lot"])


@njit
def run(hbt, lot):
    """Every 30 s: where flat, an entry at the best bid; where long, a bracket of 0.1 % either way."""
    number = 0
    while hbt.elapse(30_000_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        number += 2
        if hbt.position(0) <= 0.0:
            hbt.submit_buy_order(0, number, depth.best_bid, lot, GTX, LIMIT, False)
        else:
            hbt.submit_sell_order(0, number, depth.best_ask * 1.001, lot, GTX, LIMIT, False)
            if depth.best_bid < depth.best_ask * 0.999:
                hbt.submit_sell_order(0, number + 1, depth.best_bid, lot, GTC, LIMIT, False)
    return number


def main():
    data, tick, lot = events(sys.argv[1])

    def one_pass():
        asset = (
            BacktestAsset().data(data).linear_asset(1.0).constant_order_latency(LATENCY, LATENCY).risk_adverse_queue_model()
            .no_partial_fill_exchange().trading_value_fee_model(0.0002, 0.00055).tick_size(tick).lot_size(lot)
        )  # fmt: skip
        hbt = HashMapMarketDepthBacktest([asset])
        run(hbt, lot)
        hbt.close()
        return len(data)

    one_pass()  # compiled
    serve(one_pass)


main()

"""NautilusTrader's BacktestEngine: latency of orders, fees, both books, a bracket around each entry, a decision every 30 s."""

import sys
from datetime import timedelta
from decimal import Decimal

import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    OrderType,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from passes import serve

TRADE, LAST = 1, 32
LATENCY = 20_000_000
BALANCE = Money(1_000_000, USDT)


def perpetual(tick, lot):
    return CryptoPerpetual(
        instrument_id=InstrumentId.from_str("BTCUSDT.BENCH"), raw_symbol=Symbol("BTCUSDT"), base_currency=BTC,
        quote_currency=USDT, settlement_currency=USDT, is_inverse=False, price_precision=tick.precision,
        size_precision=lot.precision, price_increment=tick, size_increment=lot, ts_event=0, ts_init=0,
        margin_init=Decimal("0.01"), margin_maint=Decimal("0.005"), maker_fee=Decimal("0.0002"), taker_fee=Decimal("0.00055"),
    )  # fmt: skip


def events(tape, instrument):
    """A delta a level, a tick a trade."""
    tick, lot = float(tape["tick"]), float(tape["lot"])
    prices = {each: instrument.make_price(each * tick) for each in np.unique(tape["price"]).tolist()}
    sizes = {each: instrument.make_qty(each * lot) for each in np.unique(tape["lots"]).tolist()}
    columns = (tape[name].tolist() for name in ("ts", "lots", "price", "kind", "side"))
    found = []
    for ts, lots, price, kind, side in zip(*columns, strict=True):
        if kind & 15 == TRADE:
            aggressor = AggressorSide.BUYER if side > 0 else AggressorSide.SELLER
            found.append(
                TradeTick(
                    instrument.id, prices[price], sizes[lots], aggressor, TradeId(str(len(found))), ts, ts
                )
            )
            continue
        action = BookAction.UPDATE if lots else BookAction.DELETE
        order = BookOrder(OrderSide.BUY if side > 0 else OrderSide.SELL, prices[price], sizes[lots], 0)
        last = RecordFlag.F_LAST.value if kind & LAST else 0
        found.append(OrderBookDelta(instrument.id, action, order, last, len(found), ts, ts))
    return found


class Brackets(Strategy):
    """Every 30 s: where flat, an entry at the best bid, with a bracket of 0.1 % either way."""

    def __init__(self, instrument):
        super().__init__()
        self.instrument = instrument

    def on_start(self):
        self.subscribe_order_book_deltas(self.instrument.id, BookType.L2_MBP)
        self.subscribe_trade_ticks(self.instrument.id)
        self.clock.set_timer("decide", timedelta(seconds=30), callback=self.decide)

    def decide(self, event):
        if not self.portfolio.is_flat(self.instrument.id):
            return
        self.cancel_all_orders(self.instrument.id)
        bid = float(self.cache.order_book(self.instrument.id).best_bid_price())
        self.submit_order_list(
            self.order_factory.bracket(
                instrument_id=self.instrument.id, order_side=OrderSide.BUY, quantity=self.instrument.size_increment,
                entry_order_type=OrderType.LIMIT, entry_price=self.instrument.make_price(bid), entry_post_only=True,
                tp_price=self.instrument.make_price(bid * 1.001), sl_trigger_price=self.instrument.make_price(bid * 0.999),
            )
        )  # fmt: skip


def main():
    tape = np.load(sys.argv[1])
    instrument = perpetual(Price.from_str(str(tape["tick"])), Quantity.from_str(str(tape["lot"])))
    data = events({name: tape[name] for name in tape}, instrument)
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        venue=Venue("BENCH"), oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, starting_balances=[BALANCE],
        book_type=BookType.L2_MBP, latency_model=LatencyModel(LATENCY), trade_execution=True,
    )  # fmt: skip
    engine.add_instrument(instrument)
    engine.add_data(data)
    engine.add_strategy(Brackets(instrument))

    def one_pass():
        engine.reset()
        engine.run()
        if not engine.cache.positions():
            raise SystemExit("no entry was filled")
        return len(data)

    one_pass()
    serve(one_pass)


main()

"""nautilus_trader: a live node with instruments, book, trades, bars and every order type; then a second node that reconciles.

The first node trades, lets a stop loss and a take profit fire, and leaves positions, stops and a resting order; the second one, a
new process, has no memory and says what it believes after its reconciliation.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import given
from nautilus_trader.adapters.bybit import factories
from nautilus_trader.adapters.bybit.common.enums import (
    BybitOrderType,
    BybitProductType,
    BybitTpSlMode,
    BybitTriggerType,
)
from nautilus_trader.adapters.bybit.config import BybitDataClientConfig, BybitExecClientConfig
from nautilus_trader.adapters.bybit.factories import BybitLiveDataClientFactory, BybitLiveExecClientFactory
from nautilus_trader.adapters.bybit.http.account import BybitAccountHttpAPI
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BookType, OrderSide, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.trading.strategy import Strategy

BTC, ETH = (InstrumentId.from_str(f"{symbol}-LINEAR.BYBIT") for symbol in ("BTCUSDT", "ETHUSDT"))
ROUND_TRIPS = 11
STEP_S, LONG_STEP_S = 3, 10
MOST_STEPS = 10  # that a stop is waited for
FIRING = ("stop loss", "take profit")

Stop = Callable[[InstrumentId, Any, Any, Any], None]  # trigger and limit price, quantity
Jump = Callable[[str], None]  # of BTC, percent


class Plan(StrategyConfig, frozen=True):
    """What to do: trade (the first node) or watch (the second); round trips go on for `seconds`, and are ROUND_TRIPS at least."""

    trades: bool = True
    result: str = ""
    seconds: float = 0.0
    step_s: int = STEP_S


class Trades(Strategy):
    """One step every few seconds; what it sees and believes is written to the file `result` at its end."""

    def __init__(self, config: Plan, stop: Stop, jump: Jump) -> None:
        super().__init__(config)
        self.stop_loss, self.jump = stop, jump
        self.fired: list[str] = []
        self.seen = {"deltas": 0, "quotes": 0, "trades": 0, "bars": 0}
        self.denied: list[str] = []
        self.steps = self._steps() if config.trades else self._watching()

    def on_start(self) -> None:
        """Subscribe, and step."""
        self.subscribe_order_book_deltas(BTC, BookType.L2_MBP, depth=50)
        for instrument in (BTC, ETH):
            self.subscribe_quote_ticks(instrument)
            self.subscribe_trade_ticks(instrument)
        self.subscribe_bars(BarType.from_str(f"{BTC}-1-MINUTE-LAST-EXTERNAL"))
        self.request_bars(
            BarType.from_str(f"{BTC}-1-MINUTE-LAST-EXTERNAL"), start=self.clock.utc_now() - timedelta(hours=2)
        )
        self.clock.set_timer("step", timedelta(seconds=self.config.step_s), callback=self.on_step)

    def on_stop(self) -> None:
        """Orders and positions stay: the second node is to find them."""

    def on_order_book_deltas(self, deltas: Any) -> None:
        self.seen["deltas"] += 1

    def on_quote_tick(self, tick: Any) -> None:
        self.seen["quotes"] += 1

    def on_trade_tick(self, tick: Any) -> None:
        self.seen["trades"] += 1

    def on_bar(self, bar: Any) -> None:
        self.seen["bars"] += 1

    def on_order_denied(self, event: Any) -> None:
        self.denied.append(str(event))

    def on_order_rejected(self, event: Any) -> None:
        self.denied.append(str(event))

    def on_order_modify_rejected(self, event: Any) -> None:
        self.denied.append(str(event))

    def on_order_cancel_rejected(self, event: Any) -> None:
        self.denied.append(str(event))

    def on_step(self, event: Any) -> None:
        """The next one; at the end, the node is stopped."""
        if next(self.steps, self) is self:
            self.clock.cancel_timer("step")
            self.note()
            self.shutdown_system("the play is over")

    def _watching(self) -> Any:
        yield from range(3)

    def _steps(self) -> Any:
        yield from range(4)  # quotes first
        n, ends = 0, time.monotonic() + self.config.seconds
        while n < ROUND_TRIPS or time.monotonic() < ends:
            n += 1
            sides = (OrderSide.BUY, OrderSide.SELL) if n % 2 else (OrderSide.SELL, OrderSide.BUY)
            for instrument, qty in ((BTC, "0.010"), (ETH, "0.10")):
                self.market(instrument, sides[0], qty)
            yield
            for instrument, qty in ((BTC, "0.010"), (ETH, "0.10")):
                self.market(instrument, sides[1], qty)
            yield
        resting = self.limit(BTC, "0.98", "0.010")
        yield
        self.modify_order(resting, self.qty(BTC, "0.020"), self.price(BTC, "0.975"))
        yield
        self.cancel_order(resting)
        yield
        yield from self._stops()
        self.submit_order(
            self.order_factory.trailing_stop_market(
                BTC, OrderSide.SELL, self.qty(BTC, "0.020"), trailing_offset=Decimal(4_000),
                trailing_offset_type=TrailingOffsetType.PRICE, trigger_type=TriggerType.LAST_PRICE, reduce_only=True,
            )
        )  # fmt: skip
        self.stop_loss(ETH, self.price(ETH, "1.10"), self.price(ETH, "1.12"), self.qty(ETH, "0.20"))
        yield
        self.limit(ETH, "0.95", "0.10")
        yield from range(2)

    def _stops(self) -> Any:
        """A stop loss and a take profit that fire; then the positions that stay.

        The stop loss is a limit order of trading-stop, the one kind of child of a position that this version's adapter can
        read; the take profit is a limit order that reduces. Conditional orders are left out: its stop-market orders are sent
        without their price, and its market-if-touched ones fail in its own reader at `Triggered`.
        """
        self.market(BTC, OrderSide.BUY, "0.010")
        yield
        self.stop_loss(BTC, self.price(BTC, "0.998"), self.price(BTC, "0.98"), self.qty(BTC, "0.010"))
        yield from self._until_flat("stop loss", "-0.4")
        self.market(BTC, OrderSide.BUY, "0.010")
        yield
        self.limit(BTC, "1.002", "0.010", OrderSide.SELL, reduce_only=True)
        yield from self._until_flat("take profit", "0.4")
        self.market(BTC, OrderSide.BUY, "0.020")
        self.market(ETH, OrderSide.SELL, "0.20")
        yield

    def _until_flat(self, by: str, percent: str) -> Any:
        """The market moves, and the order ends the position."""
        yield
        self.jump(percent)
        for _ in range(MOST_STEPS):
            yield
            if not self.portfolio.net_position(BTC):
                self.fired.append(by)
                return

    def last(self, instrument: InstrumentId) -> Decimal:
        return Decimal(str(self.cache.quote_tick(instrument).bid_price))

    def price(self, instrument: InstrumentId, factor: str) -> Any:
        return self.cache.instrument(instrument).make_price(self.last(instrument) * Decimal(factor))

    def qty(self, instrument: InstrumentId, qty: str) -> Any:
        return self.cache.instrument(instrument).make_qty(Decimal(qty))

    def market(self, instrument: InstrumentId, side: Any, qty: str) -> None:
        self.submit_order(self.order_factory.market(instrument, side, self.qty(instrument, qty)))

    def limit(
        self,
        instrument: InstrumentId,
        factor: str,
        qty: str,
        side: Any = OrderSide.BUY,
        *,
        reduce_only: bool = False,
    ) -> Any:
        order = self.order_factory.limit(
            instrument, side, self.qty(instrument, qty), self.price(instrument, factor),
            time_in_force=TimeInForce.GTC, post_only=True, reduce_only=reduce_only,
        )  # fmt: skip
        self.submit_order(order)
        return order

    def note(self) -> None:
        """What this node believes now."""
        balances = self.portfolio.account(Venue("BYBIT")).balances_total()
        found = {
            "positions": {str(i.symbol).partition("-")[0]: str(self.portfolio.net_position(i)) for i in (BTC, ETH)},
            "orders": [str(order.venue_order_id) for order in self.cache.orders_open()],
            "balance": next(str(money.as_decimal()) for coin, money in balances.items() if coin.code == "USDT"),
            "seen": self.seen, "denied": self.denied, "fired": self.fired,
        }  # fmt: skip
        Path(self.config.result).write_text(json.dumps(found))


def stop_of(node: TradingNode, where: dict[str, Any]) -> Stop:
    """What sets a stop loss, a limit order, by the adapter's own trading-stop: its strategies have no order for it."""
    client = factories.get_bybit_http_client(node.kernel.clock, where["key"], where["secret"], where["url"])
    account, loop = BybitAccountHttpAPI(client, node.kernel.clock), node.kernel.loop

    def stop(instrument: InstrumentId, trigger: Any, limit: Any, qty: Any) -> None:
        asked: Coroutine[Any, Any, Any] = account.set_trading_stop(
            BybitProductType.LINEAR, str(instrument.symbol).partition("-")[0], stop_loss=str(trigger),
            sl_order_type=BybitOrderType.LIMIT, trigger_type=BybitTriggerType.LAST_PRICE, tpsl_mode=BybitTpSlMode.PARTIAL,
            sl_quantity=str(qty), sl_limit_price=str(limit),
        )  # fmt: skip
        asyncio.run_coroutine_threadsafe(asked, loop)

    return stop


def run(where: dict[str, Any], *, trades: bool) -> None:
    """One node, to its end."""
    name = "first" if trades else "second"
    factories.get_ws_base_url_public = lambda *_, **__: f"{where['stream']}/v5/public/linear"
    common = {
        "api_key": where["key"], "api_secret": where["secret"], "base_url_http": where["url"],
        "product_types": [BybitProductType.LINEAR], "instrument_provider": InstrumentProviderConfig(load_all=True),
    }  # fmt: skip
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("PLAY-001"),
            logging=LoggingConfig(log_level="INFO", log_level_file="INFO", log_directory=where["folder"],
                                  log_file_name=name, clear_log_file=True, log_colors=False),
            exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_lookback_mins=1440),
            data_clients={"BYBIT": BybitDataClientConfig(**common)},
            exec_clients={"BYBIT": BybitExecClientConfig(
                **common, base_url_ws_private=f"{where['stream']}/v5/private", base_url_ws_trade=f"{where['stream']}/v5/trade")},
            timeout_connection=60.0, timeout_reconciliation=30.0,
        )
    )  # fmt: skip
    result = str(Path(where["folder"]) / f"{name}.json")
    plan = Plan(
        trades=trades, result=result, seconds=where["seconds"] if where["long"] else 0.0,
        step_s=LONG_STEP_S if where["long"] and trades else STEP_S,
        external_order_claims=[BTC, ETH],  # the children of positions are orders without a name of ours
    )  # fmt: skip
    node.trader.add_strategy(Trades(plan, stop_of(node, where), partial(given.jump, where, "BTCUSDT")))
    node.add_data_client_factory("BYBIT", BybitLiveDataClientFactory)
    node.add_exec_client_factory("BYBIT", BybitLiveExecClientFactory)
    node.build()
    try:
        node.run()
    finally:
        node.dispose()


#: What is no fault of the exchange.
EXPLAINED = ("Cache: Residual",)  # what the first node leaves for the second


def main() -> None:
    """Both nodes, each in a process of its own; what the second one believes."""
    where = given.read()
    folder = Path(where["folder"])
    errors = []
    for name in ("first", "second"):
        (folder / f"{name}.json").unlink(missing_ok=True)
        (folder / f"{name}.log").unlink(missing_ok=True)
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, input=json.dumps(where), text=True, stdout=sys.stderr, check=False)
        if done.returncode or not (folder / f"{name}.json").is_file():
            errors.append(f"the {name} node ended with {done.returncode}")
        errors += [each for log in folder.glob(f"{name}*.log") for each in given.logged(log, EXPLAINED)]
    first, second = (json.loads((folder / f"{name}.json").read_text()) for name in ("first", "second"))
    for node in (first, second):
        errors += node["denied"]
        errors += [f"no {name} came" for name in ("deltas", "quotes", "trades") if not node["seen"][name]]
    errors += [f"no {by} fired" for by in FIRING if by not in first["fired"]]
    errors += [f"{name}: first {first[name]}, second {second[name]}" for name in ("positions", "orders", "balance")
               if sorted(first[name]) != sorted(second[name])]  # fmt: skip
    given.say(
        positions=second["positions"], balance=second["balance"], orders=second["orders"], errors=errors
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        run(given.read(), trades=sys.argv[1] == "first")
    else:
        main()

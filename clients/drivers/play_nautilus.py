"""nautilus_trader: a live node with instruments, book, trades, bars and every order type; then a second node that reconciles.

The first node trades and leaves a position, a stop and a resting order; the second one, a new process, has no memory and says what
it believes after its reconciliation.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import given
from nautilus_trader.adapters.bybit import factories
from nautilus_trader.adapters.bybit.common.enums import BybitProductType
from nautilus_trader.adapters.bybit.config import BybitDataClientConfig, BybitExecClientConfig
from nautilus_trader.adapters.bybit.factories import BybitLiveDataClientFactory, BybitLiveExecClientFactory
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
STEP_S = 3


class Plan(StrategyConfig, frozen=True):
    """What to do: trade (the first node) or watch (the second)."""

    trades: bool = True
    result: str = ""
    round_trips: int = ROUND_TRIPS


class Trades(Strategy):
    """One step every few seconds; what it sees and believes is written to the file `result` at its end."""

    def __init__(self, config: Plan) -> None:
        super().__init__(config)
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
        self.clock.set_timer("step", timedelta(seconds=STEP_S), callback=self.on_step)

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
        for n in range(self.config.round_trips):
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
        self.market(BTC, OrderSide.BUY, "0.020")
        self.market(ETH, OrderSide.SELL, "0.20")
        yield
        # a trailing stop alone: this version sends the stop-market orders of linear contracts without their price, and asks for
        # conditional orders by a symbol that there is not
        self.submit_order(
            self.order_factory.trailing_stop_market(
                BTC, OrderSide.SELL, self.qty(BTC, "0.020"), trailing_offset=Decimal(4_000),
                trailing_offset_type=TrailingOffsetType.PRICE, trigger_type=TriggerType.LAST_PRICE, reduce_only=True,
            )
        )  # fmt: skip
        yield
        self.limit(ETH, "0.95", "0.10")
        yield from range(2)

    def last(self, instrument: InstrumentId) -> Decimal:
        return Decimal(str(self.cache.quote_tick(instrument).bid_price))

    def price(self, instrument: InstrumentId, factor: str) -> Any:
        return self.cache.instrument(instrument).make_price(self.last(instrument) * Decimal(factor))

    def qty(self, instrument: InstrumentId, qty: str) -> Any:
        return self.cache.instrument(instrument).make_qty(Decimal(qty))

    def market(self, instrument: InstrumentId, side: Any, qty: str) -> None:
        self.submit_order(self.order_factory.market(instrument, side, self.qty(instrument, qty)))

    def limit(self, instrument: InstrumentId, factor: str, qty: str) -> Any:
        order = self.order_factory.limit(
            instrument, OrderSide.BUY, self.qty(instrument, qty), self.price(instrument, factor),
            time_in_force=TimeInForce.GTC, post_only=True,
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
            "seen": self.seen, "denied": self.denied,
        }  # fmt: skip
        Path(self.config.result).write_text(json.dumps(found))


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
    round_trips = 400 if where["long"] else ROUND_TRIPS
    node.trader.add_strategy(Trades(Plan(trades=trades, result=result, round_trips=round_trips)))
    node.add_data_client_factory("BYBIT", BybitLiveDataClientFactory)
    node.add_exec_client_factory("BYBIT", BybitLiveExecClientFactory)
    node.build()
    try:
        node.run()
    finally:
        node.dispose()


def logged(log: Path) -> list[str]:
    """Errors and warnings of a node's log, each kind once."""
    kinds: dict[str, None] = {}
    for line in log.read_text(errors="replace").splitlines():
        found = re.search(r"\[(ERROR|WARN|WARNING)\] (.*)", line)
        if found and not any(known in line for known in EXPLAINED):
            kinds.setdefault(f"{log.stem}: {found[1]}: {re.sub('[0-9]+', '#', found[2])[:160]}")
    return list(kinds)


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
        errors += [each for log in folder.glob(f"{name}*.log") for each in logged(log)]
    first, second = (json.loads((folder / f"{name}.json").read_text()) for name in ("first", "second"))
    for node in (first, second):
        errors += node["denied"]
        errors += [f"no {name} came" for name in ("deltas", "quotes", "trades") if not node["seen"][name]]
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

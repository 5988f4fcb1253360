"""freqtrade's backtesting of loaded bars: perpetuals, long and short, leverage, fees, funding, a stop on every trade."""

import logging
import pathlib
import sys
import tempfile

import numpy as np
import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.data.btanalysis import get_tick_size_over_time
from freqtrade.enums import RunMode
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver
from freqtrade.strategy import IStrategy
from passes import serve

WINDOW, FAR = 120, 3.0
FUNDING_S = 8 * 3600
TIER = {
    "minNotional": 0.0,
    "maxNotional": 1e9,
    "maintenanceMarginRate": 0.005,
    "maxLeverage": 50.0,
    "maintAmt": 0.0,
}


class Reversion(IStrategy):
    """In far from the mean of two hours; out at it, at a target or at the stop."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    can_short = True
    stoploss = -0.012  # of the stake, which the leverage multiplies
    minimal_roi = {"0": 0.024}  # noqa: RUF012 - as its documentation writes them
    startup_candle_count = WINDOW

    def populate_indicators(self, dataframe, metadata):
        window = dataframe["close"].rolling(WINDOW)
        dataframe["z"] = (dataframe["close"] - window.mean()) / window.std()
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        now, before = dataframe["z"], dataframe["z"].shift()
        dataframe.loc[(now < -FAR) & (before >= -FAR), "enter_long"] = 1
        dataframe.loc[(now > FAR) & (before <= FAR), "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["z"] > 0.0, "exit_long"] = 1
        dataframe.loc[dataframe["z"] < 0.0, "exit_short"] = 1
        return dataframe

    def leverage(self, *args, **kwargs):
        return 3.0


def market(symbol, tick, step):
    """As ccxt describes it."""
    coin = symbol.removesuffix("USDT")
    return {
        "id": symbol, "symbol": f"{coin}/USDT:USDT", "base": coin, "quote": "USDT", "settle": "USDT", "baseId": coin,
        "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False, "margin": False, "swap": True, "future": False,
        "option": False, "active": True, "contract": True, "linear": True, "inverse": False, "contractSize": 1.0,
        "taker": 0.00055, "maker": 0.0002, "precision": {"amount": step, "price": tick}, "info": {},
        "limits": {name: {"min": least, "max": None} for name, least in (("amount", step), ("price", tick), ("cost", 5.0))},
    }  # fmt: skip


def config(pairs, folder):
    return validate_config_schema(
        {
            "strategy": Reversion.__name__, "strategy_path": str(pathlib.Path(__file__).parent), "user_data_dir": folder,
            "datadir": folder, "runmode": RunMode.BACKTEST, "dry_run": True, "dry_run_wallet": 10_000, "stake_currency": "USDT",
            "stake_amount": 300, "max_open_trades": len(pairs), "fee": 0.00055, "trading_mode": "futures",
            "margin_mode": "isolated", "timeframe": "1m", "exchange": {"name": "bybit", "pair_whitelist": pairs},
            "pairlists": [{"method": "StaticPairList"}], "entry_pricing": {"price_side": "other"},
            "exit_pricing": {"price_side": "other"},
        },
        preliminary=True,  # the strategy says the rest
    )  # fmt: skip


def candles(bars):
    """A symbol's bars, as its loader gives them."""
    dates = pd.to_datetime(bars["ts"], utc=True).astype("datetime64[ms, UTC]")
    return pd.DataFrame(
        {"date": dates, **{name: bars[name] for name in ("open", "high", "low", "close", "volume")}}
    )


def loaded(settings, described, data):
    """A Backtesting that has the markets, and what it would have loaded beside the candles."""
    exchange = ExchangeResolver.load_exchange(settings, validate=False)
    exchange._markets = {each["symbol"]: each for each in described}
    exchange._leverage_tiers = {pair: [TIER] for pair in data}
    for api in (exchange._api, exchange._api_async):
        api.set_markets(described)
    run = Backtesting(settings, exchange)
    run.available_pairs = list(data)
    run.funding_fee_timeframe_secs = FUNDING_S
    for pair, frame in data.items():
        run.price_pair_prec[pair] = get_tick_size_over_time(frame.copy())
        marks = frame[frame["date"].dt.floor("8h") == frame["date"]]
        rates = pd.DataFrame({"date": marks["date"], "funding_rate": 0.0001})
        run.futures_data[pair] = exchange.combine_funding_and_mark(funding_rates=rates, mark_rates=marks)
    return run


def main():
    logging.disable(logging.INFO)
    tape = np.load(sys.argv[1])
    columns = (tape[name].tolist() for name in ("symbols", "ticks", "steps"))
    described = [market(*each) for each in zip(*columns, strict=True)]
    data = {each["symbol"]: candles(tape[each["id"]]) for each in described}
    with tempfile.TemporaryDirectory() as folder:
        run = loaded(config(list(data), pathlib.Path(folder)), described, data)
        (strategy,) = run.strategylist

        def one_pass():
            run.backtest_one_strategy(strategy, data, TimeRange())
            if not len(run.all_bt_content[strategy.get_strategy_name()]["results"]):
                raise SystemExit("no trade was made")
            return sum(map(len, data.values()))

        serve(one_pass)


if __name__ == "__main__":  # freqtrade imports this file again for its strategy
    main()

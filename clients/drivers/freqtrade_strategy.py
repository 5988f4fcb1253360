"""The strategy that freqtrade is played with: in at each new candle, out after half a minute, so that there is much to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from freqtrade.strategy import IStrategy
from pandas import DataFrame


class InAndOut(IStrategy):
    """Long or short by the last candle; leverage 3; a stop on the exchange, far away. The file `hold` keeps positions open."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "1m"
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10.0}
    stoploss = -0.30
    startup_candle_count = 5
    process_only_new_candles = True
    order_types: ClassVar[dict[str, Any]] = {"entry": "market", "exit": "market", "stoploss": "market", "emergency_exit": "market",
                   "stoploss_on_exchange": True, "stoploss_on_exchange_interval": 10}  # fmt: skip

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """None are needed."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Always: with the last candle."""
        up = dataframe["close"] >= dataframe["open"]
        dataframe.loc[up, "enter_long"] = 1
        dataframe.loc[~up, "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """By time alone."""
        return dataframe

    def custom_exit(
        self, pair: str, trade: Any, current_time: datetime, *args: Any, **kwargs: Any
    ) -> str | None:
        """After half a minute."""
        if Path("hold").exists() or current_time - trade.date_last_filled_utc < timedelta(seconds=25):
            return None
        return "time"

    def leverage(self, *args: Any, **kwargs: Any) -> float:
        """Three."""
        return 3.0

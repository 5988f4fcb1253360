"""Compiles every kernel by using it once on minutes of made-up market. `python -m turbo_trader.console.warm_up`"""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.market.reference import universe
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket

_START = 1_767_603_600 * SECOND


def warm_up() -> None:
    """Run two symbols for a few made-up minutes through market, signals, rules and exchange."""
    instruments = universe()[:2]
    market = SyntheticMarket(instruments, 1, _START, 1.0)
    policy = Policy()
    rows = tuple(market.read(s, _START + 7 * MINUTE) for s in range(len(instruments)))
    test = Backtest(Tape(instruments, rows, "warm-up", made_up=True), policy, Decimal(1000))
    test.run(tuple(market.history(i.symbol) for i in instruments))


if __name__ == "__main__":
    warm_up()

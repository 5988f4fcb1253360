"""E = wallet + unrealised at the worse of mark and closable price - exit fees; B = available + margin in
use.
"""

from decimal import Decimal

import pytest

from turbo_trader.rules.equity import Holding, equity, trading_balance, unrealised

D = Decimal


@pytest.mark.parametrize(
    ("direction", "mark", "closable", "result"),
    [
        (1, "101", "102", "2"),
        (1, "102", "101", "2"),
        (-1, "99", "98", "2"),
        (-1, "98", "99", "2"),
        (1, None, "101", "2"),
        (1, "101", None, "2"),
        (1, None, None, "0"),
    ],
)
def test_the_worse_price_counts(direction: int, mark: str | None, closable: str | None, result: str) -> None:
    worse = D(result) / 2 * direction + 100
    holding = Holding(
        direction, D(2), D(100), (mark and D(mark)) or None, (closable and D(closable)) or None, D("0.001")
    )
    assert unrealised(holding) == D(result) - worse * 2 * D("0.001")


def test_equity_and_balance() -> None:
    holding = Holding(1, D(1), D(100), D(100), D(100), D("0.001"))
    assert equity(D(18), [holding, holding]) == D("17.8")
    assert equity(D(18), []) == 18
    assert trading_balance(D(10), D(5), D(1)) == 16

"""What 18 USDT can trade, and why not the rest."""

from decimal import Decimal

import pytest

from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.rules.feasibility import break_even_win_rate, feasible
from turbo_trader.rules.gate import TIER_B
from turbo_trader.rules.policy import Policy

D = Decimal


def instrument(symbol: str, step: str, status: str = "Trading") -> Instrument:
    return Instrument(
        symbol, status, D("0.0001"), D(step), D(step), D(10**7), D(10**6), D(5), D("0.0001"), D(10**6), D(75),
        D("0.01"), 480, D("0.01"), D("0.1"), D("0.1"), 0, simulated_tiers(D(75)),
    )  # fmt: skip


INSTRUMENTS = [
    instrument("BTCUSDT", "0.001"),
    instrument("XRPUSDT", "0.1"),
    instrument("ADAUSDT", "1", "PreLaunch"),
]
PRICES = {"BTCUSDT": D(97000), "XRPUSDT": D("0.6"), "ADAUSDT": D("0.5")}


def test_18_usdt_trades_xrp() -> None:
    rows = {row.symbol: row for row in feasible(Policy(), D(18), INSTRUMENTS, PRICES)}
    xrp = rows["XRPUSDT"]
    assert xrp.reason == ""
    assert xrp.qty > 0
    assert xrp.smallest_notional == D("5.04")
    assert xrp.margin_needed == D("5.04") / xrp.leverage
    assert xrp.cost == D("0.0011") + D("0.0001") / D("0.6")  # a spread of one tick
    assert xrp.cost_of_target == xrp.cost / D("0.006")
    assert xrp.margin == xrp.notional / xrp.leverage <= D("0.4") * 18
    assert xrp.liquidation_distance >= 2 * xrp.stop_loss


def test_why_not() -> None:
    rows = {row.symbol: row for row in feasible(Policy(), D(3), INSTRUMENTS, PRICES)}
    assert "the smallest order needs 97.00 USDT notional" in rows["BTCUSDT"].reason
    assert rows["ADAUSDT"].reason == "ADAUSDT is PreLaunch"
    wide = feasible(Policy(), D(18), INSTRUMENTS[1:2], PRICES, {"XRPUSDT": D("0.002")})[0]
    assert wide.reason == "half the target does not exceed the cost"
    growing = feasible(Policy(), D(500), INSTRUMENTS[1:2], PRICES, {"XRPUSDT": D("0.0015")})[0]
    assert growing.reason == "the target does not pay 2.5 x the cost"
    (b_trade,) = feasible(Policy(), D(500), INSTRUMENTS[1:2], PRICES, trade_tier=TIER_B)
    assert b_trade.reason == "no B-trades in the growing tier"


def test_without_a_price_there_is_no_row() -> None:
    assert feasible(Policy(), D(18), INSTRUMENTS, {}) == []


@pytest.mark.parametrize(
    ("tp", "sl", "low", "high"), [("0.0059", "0.0030", "0.46", "0.51"), ("0.004", "0.0025", "0.55", "0.62")]
)
def test_break_even_win_rates_of_section_10(tp: str, sl: str, low: str, high: str) -> None:
    assert D(low) <= round(break_even_win_rate(D(tp), D(sl), D("0.0011")), 2) <= D(high)


def test_b_trades_have_narrower_exits() -> None:
    row = feasible(Policy(), D(18), INSTRUMENTS[1:2], PRICES, trade_tier=TIER_B)[0]
    assert (row.take_profit, row.stop_loss) == (D("0.004"), D("0.0025"))


def test_wider_exits_allow_less() -> None:
    (narrow,) = feasible(Policy(), D(18), INSTRUMENTS[1:2], PRICES)
    (wide,) = feasible(Policy(), D(18), INSTRUMENTS[1:2], PRICES, widest=True)
    assert (wide.take_profit, wide.stop_loss) == (D("0.015"), D("0.006"))
    assert 5 < wide.notional < narrow.notional
    assert wide.break_even_win_rate < narrow.break_even_win_rate

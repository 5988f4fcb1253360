"""Section 7, whatever the account, the entry and what is open: no limit is ever exceeded."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.sized import TINY, D, P, entry, instrument

from turbo_trader.market.instruments import RiskTier, simulated_tiers
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.sizing import (
    Account,
    Entry,
    OpenRisk,
    liquidation_distance,
    margin_cap,
    margin_target,
    order_cost_rate,
    size_entry,
)

money = st.decimals(min_value=D("0.5"), max_value=D(20000), places=2)
fraction = st.decimals(min_value=D("0.0005"), max_value=D("0.03"), places=5)
risk = st.builds(
    OpenRisk,
    symbol=st.just("ETHUSDT"),
    direction=st.sampled_from([1, -1]),
    notional=st.decimals(min_value=0, max_value=3000, places=2),
    margin=st.decimals(min_value=0, max_value=300, places=2),
    stop_distance=st.decimals(min_value=D("-0.02"), max_value=D("0.01"), places=4),
    cost=st.just(D("0.0012")),
    range_tail=fraction,
)


steps = st.sampled_from([D("0.001"), D("0.1"), D(1), D(10)])


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    step = draw(steps)
    top = draw(st.sampled_from([D("12.5"), D(25), D(50), D(75), D(100)]))
    tiers = simulated_tiers(top, draw(money) * 50)
    if draw(st.booleans()):  # a second row with half the leverage, its deduction as the venue computes it
        low = tiers[0]
        rate, limit = 2 * low.maintenance_rate, low.limit * draw(st.integers(2, 10))
        deduction = low.limit * (rate - low.maintenance_rate)
        tiers = (low, RiskTier(limit, rate, 2 / top, top / 2, deduction))
    item = instrument(step=step, min_qty=step, max_leverage=top, tiers=tiers)
    return entry(
        instrument=item,
        direction=draw(st.sampled_from([1, -1])),
        trade_tier=draw(st.sampled_from([TIER_A, TIER_B])),
        price=draw(st.decimals(min_value=D("0.01"), max_value=D(100000), places=4)),
        stop_loss=draw(fraction),
        cost=draw(fraction),
        slippage=draw(st.decimals(min_value=0, max_value=D("0.002"), places=5)),
        range_tail=draw(fraction),
        mark_gap=draw(st.decimals(min_value=0, max_value=D("0.002"), places=5)),
        weight=draw(st.decimals(min_value=0, max_value=1, places=3)),
        symbols=draw(st.integers(1, 15)),
    )


@settings(max_examples=400, deadline=None)
@given(
    equity=money,
    start=money,
    result=st.decimals(min_value=-200, max_value=200, places=2),
    used=st.decimals(min_value=0, max_value=1, places=3),
    risks=st.lists(risk, max_size=4),
    e=entries(),
    losses=st.integers(0, 5),
)
def test_no_limit_is_ever_exceeded(
    equity: Decimal,
    start: Decimal,
    result: Decimal,
    used: Decimal,
    risks: list[OpenRisk],
    e: Entry,
    losses: int,
) -> None:
    acc = Account(equity, equity, equity * (1 - used), start, result)
    s = size_entry(P, acc, risks, e, losses)
    if s.qty == 0:
        assert s.refusal
        return
    slack = 1 + TINY
    notional = s.qty * e.price
    loss = notional * (e.stop_loss + e.cost + e.slippage)
    assert s.qty % e.instrument.step == 0
    assert s.qty >= e.instrument.min_qty
    assert notional >= 5
    assert loss <= (P.a_risk if e.trade_tier == TIER_A else P.b_risk) * equity * slack
    open_losses = sum((item.loss_at_stop for item in risks), D(0))
    assert result - open_losses - loss >= -P.session_loss * start * slack
    together = sum((item.loss_together for item in risks if item.direction == e.direction), D(0))
    assert (
        together + notional * (e.stop_loss + e.cost + e.slippage + e.range_tail) <= D("0.30") * equity * slack
    )
    assert s.margin <= margin_cap(P, equity) * equity * slack
    assert s.margin <= margin_target(P, e.trade_tier, e.weight, e.symbols) * equity * slack
    assert s.margin + sum((item.margin for item in risks), D(0)) <= D("0.90") * equity * slack
    assert notional * order_cost_rate(e, s.leverage) <= acc.available * slack
    assert 1 <= s.leverage <= min(D(50), e.instrument.max_leverage, e.instrument.tier(notional).max_leverage)
    assert s.leverage % e.instrument.leverage_step == 0
    rate = e.instrument.tier(notional).maintenance_rate
    room = liquidation_distance(e.direction, s.leverage, rate) - e.mark_gap
    assert room * slack >= 2 * (e.stop_loss + e.slippage)
    assert e.direction * (e.price - s.liquidation) >= 2 * e.stop_loss * e.price * (1 - TINY)
    assert s.qty <= min(e.instrument.max_qty, e.instrument.max_market_qty)
    assert s.binding.removesuffix(", halved") in s.limits

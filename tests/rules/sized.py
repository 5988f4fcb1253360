"""Instruments, entries and accounts to size, as plain numbers."""

from dataclasses import replace
from decimal import Decimal

from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.rules.gate import TIER_A
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.sizing import (
    Account,
    Entry,
    OpenRisk,
    Sizing,
    size_entry,
)

D = Decimal
P = Policy(same_direction=D("0.30"), min_size_share=D(0))  # every limit on, nothing too small
TINY = D("1e-20")


def instrument(**changes: object) -> Instrument:
    base = Instrument(
        symbol="XRPUSDT",
        status="Trading",
        tick=D("0.0001"),
        step=D("0.1"),
        min_qty=D("0.1"),
        max_qty=D("2000000"),
        max_market_qty=D("1000000"),
        min_notional=D(5),
        min_price=D("0.0001"),
        max_price=D(200),
        max_leverage=D(75),
        leverage_step=D("0.01"),
        funding_interval_min=480,
        funding_cap=D("0.02"),
        price_limit_x=D("0.1"),
        price_limit_y=D("0.15"),
        tiers=simulated_tiers(D(75)),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def entry(**changes: object) -> Entry:
    base = Entry(
        instrument=instrument(),
        direction=1,
        trade_tier=TIER_A,
        price=D("0.6"),
        stop_loss=D("0.006"),
        cost=D("0.0012"),
        slippage=D(0),
        range_tail=D("0.004"),
        mark_gap=D(0),
        taker_fee=D("0.00055"),
        weight=D(1) / 15,
        symbols=15,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def account(equity: str, **changes: str) -> Account:
    e = D(equity)
    base = Account(equity=e, balance=e, available=e, session_start_equity=e, session_result=D(0))
    return replace(base, **{name: D(value) for name, value in changes.items()})


def size(equity: str = "18", risks: tuple[OpenRisk, ...] = (), losses: int = 0, **changes: object) -> Sizing:
    return size_entry(P, account(equity), risks, entry(**changes), losses)


def open_risk(notional: str, direction: int = 1, stop: str = "0.006", margin: str = "1") -> OpenRisk:
    return OpenRisk(
        symbol="ETHUSDT",
        direction=direction,
        notional=D(notional),
        margin=D(margin),
        stop_distance=D(stop),
        cost=D("0.0012"),
        range_tail=D("0.004"),
    )

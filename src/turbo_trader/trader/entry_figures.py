"""The parts of an entry: the figures of its scan as exact numbers, the inputs of its size, the order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.market import book
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.candidates import signals
from turbo_trader.rules.choices import EntryStyle
from turbo_trader.rules.exits import entry_exits
from turbo_trader.rules.sizing import Entry, Sizing
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.trader_state import SymbolState, TraderState


def decimal(value: Any) -> Decimal:
    """A float figure as a Decimal with the digits it shows."""
    return Decimal(repr(float(value)))


def pending_entry(
    d: TraderState,
    state: SymbolState,
    row: Any,
    *,
    direction: int,
    limit: Decimal,
    cost: Decimal,
    sizing: Sizing,
) -> PendingEntry:
    """The entry as it is sent: size, limit, stop and backstop, and what it was decided on."""
    take_profit, stop_loss = decimal(row["take_profit"]), decimal(row["stop_loss"])
    stop, backstop = entry_exits(direction, limit, take_profit, stop_loss, state.instrument, d.policy)
    figures = {
        name: float(row[name])
        for name in ("used_p_tp", "used_ev", "p_tp", "ev", "snr", "confidence", "forecast")
    }
    return PendingEntry(
        id=d.ids.next("entry"),
        direction=direction,
        qty=sizing.qty,
        limit=limit,
        stop=stop,
        backstop=backstop,
        leverage=sizing.leverage,
        margin=sizing.margin,
        trade_tier=int(row["tier"]),
        take_profit=take_profit,
        stop_loss=stop_loss,
        cost=cost,
        range_tail=decimal(row["range_tail"]),
        hold_ns=int(float(row["hold_s"]) * SECOND),
        decided_ts=d.now,
        resting=d.policy.entry_style is EntryStyle.MAKER,
        floor=sizing.floor,
        figures={
            **figures,
            "signals": signals(row),
            "binding": sizing.binding,
            "allowed": sizing.allowed,
            "leverage_most": float(sizing.highest),
            "leverage_by": sizing.highest_by,
        },
    )


def sizing_figures(
    d: TraderState,
    state: SymbolState,
    row: Any,
    limit: Decimal,
    direction: int,
    *,
    weight: Decimal,
    cost: Decimal,
    slippage: Decimal,
) -> Entry:
    """What its size is made from."""
    return Entry(
        instrument=state.instrument,
        direction=direction,
        trade_tier=int(row["tier"]),
        price=limit,
        stop_loss=decimal(row["stop_loss"]),
        cost=cost,
        slippage=slippage,
        range_tail=decimal(row["range_tail"]),
        mark_gap=decimal(row["mark_gap"]),
        taker_fee=state.taker,
        weight=weight,
        symbols=len(d.symbols),
    )


def book_walk(d: TraderState, state: SymbolState, direction: int, qty: Decimal) -> Decimal:
    """Average price beyond the touch for leaving with `qty` now, as a fraction of the touch."""
    thin, lots = float(d.policy.entry_slip_max), float(state.instrument.lots(qty))
    return decimal(book.walk(d.states, state.s, direction, lots, thin))

"""Why a TP, SL or trailing stop is refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from turbo_trader.exchange.accounts import Position
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.requests import SetTradingStop, Stop
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import Side, TriggerBy

TRIGGERS = tuple(TriggerBy)
OFF_TICK = Reply(10001, "The price is not a multiple of the tick size")
TOO_MANY = Reply(110061, "Under partial TP/SL mode, TP/SL set more than 20")
_SCALED = 10_000  # prices in the venue's messages are x 10^4
_PARTIAL = 20  # of a kind, per position


def on_tick(instrument: Instrument, *prices: Decimal | None) -> Reply | None:
    """Prices are positive multiples of the tick."""
    for price in prices:
        if price is not None and (not price.is_finite() or price <= 0 or price % instrument.tick):
            return OFF_TICK
    return None


def possible(instrument: Instrument, *prices: Decimal | None) -> Reply | None:
    """Prices are within what the instrument can have."""
    for price in prices:
        if price is not None and not instrument.min_price <= price <= instrument.max_price:
            return Reply(110003, "Order price exceeds the allowable range.")
    return None


def stop(state: State, position: Position, stop: Stop, s: int) -> Reply | None:
    """A stop of a position lies beyond the price that triggers it, on its own side."""
    instrument, base = state.instruments[s], state.reference(s, stop.trigger_by)
    if stop.trigger_by not in TRIGGERS:
        return Reply(10001, "Request parameter error: triggerBy")
    if (refusal := on_tick(instrument, stop.price, stop.limit, stop.distance)) is not None:
        return refusal
    if stop.distance is not None and stop.distance >= base:
        return Reply(10001, "TrailingStop is not below the price")
    d = 1 if position.size > 0 else -1
    above = stop.kind.stops_loss == (d < 0)
    at_once = stop.distance is not None and stop.price == base
    if at_once or (stop.price > base if above else stop.price < base):
        return None
    side, relation = Side(d).venue_name, "greater" if above else "lower"
    scaled, at = int(stop.price * _SCALED), int(base * _SCALED)
    return Reply(
        10001,
        f"{stop.kind}:{scaled} set for {side} position should {relation} base_price:{at}??{stop.trigger_by}",
    )


def size(
    position: Position, request: SetTradingStop, pair: Sequence[Stop], instrument: Instrument
) -> Reply | None:
    """The size of a Partial pair: one for both, on the step, not above the position's; and their number."""
    sizes = [
        asked
        for price, asked in ((request.take_profit, request.tp_size), (request.stop_loss, request.sl_size))
        if price
    ]
    qty = sizes[0]
    if qty is None or qty <= 0 or qty % instrument.step or any(other != qty for other in sizes):
        return Reply(10001, "Qty invalid: tpSize and slSize must be equal and a multiple of the step")
    if qty > abs(position.size):
        return Reply(
            110058, "Insufficient number of remaining position size to set take profit and stop loss"
        )
    return count(position, pair)


def count(position: Position, pair: Sequence[Stop]) -> Reply | None:
    """A position has twenty Partial stops of a kind at most."""
    kinds = [child.stop_type for child in position.stops.values()]
    if any(stop.kind.partial and kinds.count(stop.kind) >= _PARTIAL for stop in pair):
        return TOO_MANY
    return None


def exits(instrument: Instrument, side: int, base: Decimal, pair: Sequence[Stop]) -> Reply | None:
    """TP and SL of an order lie on their own sides of the price it would be filled at."""
    for stop in pair:
        if stop.trigger_by not in TRIGGERS:
            return Reply(10001, "Request parameter error: triggerBy")
        if (refusal := on_tick(instrument, stop.price, stop.limit)) is not None:
            return refusal
        if stop.limit is not None and not stop.kind.partial:
            return Reply(110057, "Limit TP/SL need tpslMode Partial")
        winning = side * stop.price > side * base
        if stop.price == base or winning != stop.kind.takes_profit:
            return Reply(10001, f"{stop.kind} is on the wrong side of the order price")
    return None

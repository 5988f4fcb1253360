"""Notes become trades: fills, stops and targets over time, and ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.reports.costs import split
from turbo_trader.reports.trades import trades_of

ENTRY = {
    "name": "entry", "ts": 1_000, "symbol": "XRPUSDT", "id": "e1", "tier": "A", "direction": -1, "qty": "10",
    "stop": "2.02", "backstop": "1.96", "take_profit": "1.98", "stage": "scout", "bid": "2.000", "ask": "2.002",
}  # fmt: skip
OPENED = {
    "name": "fill",
    "ts": 2_000,
    "symbol": "XRPUSDT",
    "side": -1,
    "qty": "10",
    "price": "1.999",
    "fee": "0.011",
}
CLOSED = {**OPENED, "ts": 9_000, "side": 1, "price": "1.981", "fee": "0.0109"}
TRADE = {
    "name": "trade", "ts": 9_000, "symbol": "XRPUSDT", "id": "e1", "tier": "A", "direction": -1, "qty": "10", "entry": "1.999",
    "exit": "1.981", "result": "0.18", "fees": "0.0219", "funding": "0", "net": "0.1581", "net_fraction": 0.0079,
    "reason": "target", "seconds": 0,
}  # fmt: skip


def test_a_trade_has_its_fills_stops_targets_and_zones() -> None:
    zone = {"name": "zone", "ts": 3_000, "symbol": "XRPUSDT", "zone": 1, "stop": "1.99", "reason": "zone-1"}
    longer = {"name": "extension", "ts": 4_000, "symbol": "XRPUSDT", "backstop": "1.95"}
    (trade,) = trades_of([ENTRY, OPENED, zone, longer, CLOSED, TRADE])
    assert [(step.ts, str(step.price)) for step in trade.stops] == [(1_000, "2.02"), (3_000, "1.99")]
    assert [(step.ts, str(step.price)) for step in trade.targets] == [(1_000, "1.98"), (4_000, "1.97")]
    assert trade.zones == [(3_000, "zone-1")]
    assert [(fill.side, str(fill.price)) for fill in trade.fills] == [(-1, "1.999"), (1, "1.981")]
    assert (trade.opened_ts, trade.closed_ts, trade.reason, trade.stage) == (2_000, 9_000, "target", "scout")


def test_an_open_trade_comes_last_and_says_what_it_holds() -> None:
    later = {**ENTRY, "id": "e2", "ts": 10_000}
    again = {**OPENED, "ts": 11_000, "qty": "4"}
    more = {**again, "ts": 12_000, "qty": "6", "price": "2.009"}
    closed, held = trades_of([ENTRY, OPENED, CLOSED, TRADE, later, again, more])
    assert (closed.id, held.id, held.closed) == ("e1", "e2", False)
    assert (held.qty, held.entry) == (Decimal(10), Decimal("2.005"))


def test_an_entry_without_a_fill_is_no_trade() -> None:
    assert (
        trades_of([ENTRY, {"name": "entry-ended", "ts": 2, "symbol": "XRPUSDT", "id": "e1", "why": "x"}])
        == []
    )
    assert trades_of([ENTRY]) == []


def test_a_trade_whose_entry_was_not_kept_is_read_from_its_end() -> None:
    (trade,) = trades_of([TRADE])
    assert (trade.id, trade.net, trade.stops) == ("e1", Decimal("0.1581"), [])


def test_trades_of_two_symbols_are_not_mixed() -> None:
    other = [{**note, "symbol": "BTCUSDT", "id": "b1"} for note in (ENTRY, OPENED, TRADE)]
    notes: list[dict[str, Any]] = [ENTRY, other[0], other[1], OPENED, CLOSED, other[2], TRADE]
    assert [(t.id, len(t.fills)) for t in trades_of(notes)] == [("b1", 1), ("e1", 2)]


def test_costs_add_up_to_the_net_result_to_the_last_digit() -> None:
    leave = {
        "name": "exit",
        "ts": 8_000,
        "symbol": "XRPUSDT",
        "reason": "target",
        "bid": "1.978",
        "ask": "1.980",
    }
    costs = split(trades_of([ENTRY, OPENED, leave, CLOSED, TRADE]))
    assert costs.spread == Decimal("0.02")  # half of 0.002, twice, for 10
    assert costs.slippage == Decimal("0.02")  # sold at 1.999 for 2.000, bought at 1.981 for 1.980
    assert costs.gross - costs.spread - costs.slippage - costs.fees + costs.funding == costs.net
    assert (costs.net, costs.unknown) == (Decimal("0.1581"), 0)


def test_slippage_of_a_stop_is_measured_from_its_trigger() -> None:
    stopped = {**CLOSED, "price": "2.025", "stop_type": "StopLoss"}
    ended = {**TRADE, "exit": "2.025", "result": "-0.26", "net": "-0.2819", "reason": "stop"}
    costs = split(trades_of([ENTRY, OPENED, stopped, ended]))
    assert costs.slippage == Decimal("0.01") + Decimal("0.05")  # entry 2.000 -> 1.999; stop 2.02 -> 2.025
    assert costs.gross == Decimal("-0.2819") + Decimal("0.0219") + costs.spread + costs.slippage


def test_a_quote_that_was_not_kept_is_said_and_costs_nothing() -> None:
    costs = split(trades_of([TRADE]))
    assert costs.unknown == 1
    assert costs.spread == costs.slippage == Decimal(0)
    assert costs.gross == Decimal("0.18")

"""ccxt and ccxt.pro, which nobody here wrote, against the venue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import ccxt.pro
import pytest

from turbo_trader.exchange_server.server_thread import ServedVenue

PAIR = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def exchange(lively: ServedVenue) -> Iterator[Any]:
    client = ccxt.bybit(
        {"apiKey": "key", "secret": "secret", "enableRateLimit": False, "options": {"recvWindow": 20_000}}
    )
    client.urls["api"] = dict.fromkeys(client.urls["api"], lively.url)
    client.load_markets()
    yield client
    for order in client.fetch_open_orders(PAIR):
        client.cancel_order(order["id"], PAIR)


@pytest.fixture
def last(exchange: Any) -> float:
    return float(exchange.fetch_ticker(PAIR)["last"])


@pytest.fixture
def flat(exchange: Any) -> Iterator[None]:
    """Whatever a test leaves is closed and cancelled."""
    yield
    exchange.cancel_all_orders(PAIR)
    for position in exchange.fetch_positions([PAIR]):
        if position["contracts"]:
            side = "sell" if position["side"] == "long" else "buy"
            exchange.create_order(PAIR, "market", side, position["contracts"], params={"reduceOnly": True})


def near(exchange: Any, price: float) -> float:
    return float(exchange.price_to_precision(PAIR, price))


def test_markets_of_every_category_load(exchange: Any) -> None:
    market = exchange.market(PAIR)
    assert (market["type"], market["linear"], market["contractSize"]) == ("swap", True, 1.0)
    assert market["limits"]["amount"]["min"] == 0.001
    assert {other["type"] for other in exchange.markets.values()} == {"swap"}


def test_the_account_is_read(exchange: Any) -> None:
    balance = exchange.fetch_balance()
    assert 9_000 < balance["USDT"]["total"] < 11_000
    assert exchange.fetch_trading_fee(PAIR)["taker"] == 0.00032  # of VIP 5
    assert abs(exchange.fetch_time() / 1000 - 1_767_603_600) < 10_000


def test_fees_are_read_of_all_symbols(exchange: Any) -> None:
    assert exchange.fetch_trading_fees()[PAIR]["taker"] == exchange.fetch_trading_fee(PAIR)["taker"] > 0


def test_leverage_tiers_and_modes(exchange: Any) -> None:
    tiers = exchange.fetch_leverage_tiers([PAIR])[PAIR]
    assert tiers[0]["maxLeverage"] >= 50
    exchange.set_leverage(6, PAIR)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        exchange.set_leverage(6, PAIR)
    with pytest.raises(ccxt.NoChange):
        exchange.set_position_mode(False, PAIR)
    exchange.set_margin_mode("isolated", PAIR)


@pytest.mark.usefixtures("flat")
def test_margin_is_added_and_cross_margin_shows_what_is_free(exchange: Any) -> None:
    exchange.create_order(PAIR, "market", "buy", 0.01)
    before = exchange.fetch_position(PAIR)
    asked = {"category": "linear", "symbol": "BTCUSDT", "margin": "5", "positionIdx": 0}
    exchange.private_post_v5_position_add_margin(asked)  # ccxt has no unified call for it
    assert exchange.fetch_position(PAIR)["initialMargin"] == pytest.approx(
        before["initialMargin"] + 5, abs=1e-6
    )
    exchange.set_margin_mode("cross", PAIR)
    try:
        balance = exchange.fetch_balance()["USDT"]
        assert 0 < balance["free"] < balance["total"]
        assert exchange.fetch_position(PAIR)["liquidationPrice"] is None  # the balance carries it to 0
    finally:
        exchange.set_margin_mode("isolated", PAIR)


def test_both_sides_are_held_in_hedge_mode(exchange: Any) -> None:
    pair = "ETH/USDT:USDT"
    exchange.set_position_mode(True, pair)
    try:
        exchange.create_order(pair, "market", "buy", 0.1, None, {"hedged": True})
        exchange.create_order(pair, "market", "sell", 0.2, None, {"hedged": True})
        held = {p["side"]: (p["contracts"], p["hedged"]) for p in exchange.fetch_positions([pair])}
        assert held == {"long": (0.1, True), "short": (0.2, True)}
        with pytest.raises(ccxt.ExchangeError, match="110024"):
            exchange.set_position_mode(False, pair)
    finally:
        for position in exchange.fetch_positions([pair]):
            side = "sell" if position["side"] == "long" else "buy"
            closing = {"hedged": True, "reduceOnly": True}
            exchange.create_order(pair, "market", side, position["contracts"], None, closing)
        exchange.set_position_mode(False, pair)


@pytest.mark.usefixtures("flat")
def test_limit_orders_are_made_changed_and_cancelled(exchange: Any, last: float) -> None:
    price = near(exchange, last * 0.99)
    made = exchange.create_order(PAIR, "limit", "buy", 0.01, price)
    changed = exchange.edit_order(made["id"], PAIR, "limit", "buy", 0.02, near(exchange, last * 0.985))
    assert changed["id"] == made["id"]
    shown = exchange.fetch_open_order(made["id"], PAIR)
    assert (shown["amount"], shown["status"]) == (0.02, "open")
    exchange.cancel_order(made["id"], PAIR)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(made["id"], PAIR)
    assert exchange.fetch_order(made["id"], PAIR, {"acknowledged": True})["status"] == "canceled"


@pytest.mark.usefixtures("flat")
def test_post_only_that_would_take_is_cancelled(exchange: Any, last: float) -> None:
    made = exchange.create_order(PAIR, "limit", "buy", 0.01, near(exchange, last * 1.005), {"postOnly": True})
    assert exchange.fetch_order(made["id"], PAIR, {"acknowledged": True})["status"] in (
        "canceled",
        "rejected",
    )


@pytest.mark.usefixtures("flat")
def test_conditional_orders_wait_for_their_trigger(exchange: Any, last: float) -> None:
    params = {"triggerPrice": near(exchange, last * 1.02), "triggerDirection": "ascending"}
    made = exchange.create_order(PAIR, "market", "buy", 0.01, None, params)
    shown = exchange.fetch_open_orders(PAIR, params={"trigger": True})
    assert [order["id"] for order in shown] == [made["id"]]
    assert shown[0]["triggerPrice"] == near(exchange, last * 1.02)
    exchange.cancel_order(made["id"], PAIR)


@pytest.mark.usefixtures("flat")
def test_a_market_order_with_stop_and_target_makes_a_guarded_position(exchange: Any, last: float) -> None:
    stop, target = near(exchange, last * 0.95), near(exchange, last * 1.05)
    params = {"stopLoss": {"triggerPrice": stop}, "takeProfit": {"triggerPrice": target}}
    made = exchange.create_order(PAIR, "market", "buy", 0.01, None, params)
    position = exchange.fetch_position(PAIR)
    assert (position["side"], position["contracts"]) == ("long", 0.01)
    assert (position["stopLossPrice"], position["takeProfitPrice"]) == (stop, target)
    assert exchange.fetch_my_trades(PAIR)[-1]["order"] == made["id"]
    assert [order["id"] for order in exchange.fetch_closed_orders(PAIR)][-1] == made["id"]
    assert [p["symbol"] for p in exchange.fetch_positions()] == [PAIR]


@pytest.mark.usefixtures("flat")
def test_a_trailing_order_is_a_stop_of_the_position(exchange: Any, last: float) -> None:
    exchange.create_order(PAIR, "market", "buy", 0.01)
    trigger = near(exchange, last * 1.03)
    params = {"trailingAmount": "500", "trailingTriggerPrice": trigger}
    exchange.create_order(PAIR, "market", "sell", 0.01, None, params)
    assert float(exchange.fetch_position(PAIR)["info"]["trailingStop"]) == 500
    shown = exchange.fetch_open_orders(PAIR, params={"trigger": True})
    assert [(order["info"]["stopOrderType"], order["triggerPrice"]) for order in shown] == [
        ("TrailingStop", trigger)
    ]
    exchange.cancel_order(shown[0]["id"], PAIR)
    assert float(exchange.fetch_position(PAIR)["info"]["trailingStop"]) == 0


@pytest.mark.usefixtures("flat")
def test_parts_of_a_position_have_limit_exits(exchange: Any, last: float) -> None:
    stop, target = near(exchange, last * 0.95), near(exchange, last * 1.05)
    exits = {
        "stopLoss": {"triggerPrice": stop, "price": near(exchange, last * 0.949)},
        "takeProfit": {"triggerPrice": target, "price": near(exchange, last * 1.049)},
    }
    exchange.create_order(PAIR, "market", "buy", 0.01, None, exits)
    more = {"takeProfitPrice": target, "stopLossPrice": stop}  # through trading-stop, with a size
    exchange.create_order(PAIR, "market", "sell", 0.004, None, more)
    shown = exchange.fetch_open_orders(PAIR, params={"trigger": True})
    assert sorted((o["info"]["stopOrderType"], o["type"], o["amount"]) for o in shown) == [
        ("PartialStopLoss", "limit", 0.01),
        ("PartialStopLoss", "market", 0.004),
        ("PartialTakeProfit", "limit", 0.01),
        ("PartialTakeProfit", "market", 0.004),
    ]
    moved = near(exchange, last * 0.94)
    smaller = next(o for o in shown if o["type"] == "market" and o["triggerPrice"] == stop)
    exchange.edit_order(smaller["id"], PAIR, "market", "sell", 0.003, None, {"triggerPrice": moved})
    seen = exchange.fetch_open_order(smaller["id"], PAIR, {"trigger": True})
    assert (seen["amount"], seen["triggerPrice"]) == (0.003, moved)
    exchange.cancel_order(smaller["id"], PAIR)
    assert len(exchange.fetch_open_orders(PAIR, params={"trigger": True})) == 2  # its pair went with it


@pytest.mark.usefixtures("flat")
def test_the_exits_of_a_resting_order_are_edited(exchange: Any, last: float) -> None:
    stop, lower = near(exchange, last * 0.95), near(exchange, last * 0.94)
    price = near(exchange, last * 0.98)
    made = exchange.create_order(PAIR, "limit", "buy", 0.01, price, {"stopLoss": {"triggerPrice": stop}})
    exchange.edit_order(made["id"], PAIR, "limit", "buy", params={"stopLoss": str(lower)})
    assert exchange.fetch_open_order(made["id"], PAIR)["stopLossPrice"] == lower


@pytest.mark.usefixtures("flat")
def test_several_orders_at_once(exchange: Any, last: float) -> None:
    price = near(exchange, last * 0.98)
    orders = [
        {"symbol": PAIR, "type": "limit", "side": "buy", "amount": 0.01, "price": price} for _ in range(3)
    ]
    made = exchange.create_orders(orders)
    assert len({order["id"] for order in made}) == 3
    exchange.cancel_all_orders(PAIR)
    assert not exchange.fetch_open_orders(PAIR)


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize("tif", ["IOC", "FOK"])
def test_orders_that_must_fill_at_once_end_or_fill(exchange: Any, last: float, tif: str) -> None:
    far = exchange.create_order(PAIR, "limit", "buy", 0.01, near(exchange, last * 0.99), {"timeInForce": tif})
    assert exchange.fetch_order(far["id"], PAIR, {"acknowledged": True})["status"] == "canceled"
    near_by = exchange.create_order(
        PAIR, "limit", "buy", 0.01, near(exchange, last * 1.01), {"timeInForce": tif}
    )
    assert exchange.fetch_order(near_by["id"], PAIR, {"acknowledged": True})["filled"] == 0.01


@pytest.mark.usefixtures("flat")
def test_resting_orders_may_reduce_only(exchange: Any, last: float) -> None:
    exchange.create_order(PAIR, "market", "buy", 0.01)
    made = exchange.create_order(
        PAIR, "limit", "sell", 0.02, near(exchange, last * 1.01), {"reduceOnly": True}
    )
    shown = exchange.fetch_open_order(made["id"], PAIR)
    assert (shown["amount"], shown["reduceOnly"]) == (0.01, True)  # cut to the position


@pytest.mark.usefixtures("flat")
def test_funding_that_was_charged_is_listed(exchange: Any, lively: ServedVenue) -> None:
    exchange.create_order(PAIR, "market", "buy", 0.01)
    lively.call(lambda venue: venue.exchange.settle(venue.now + 9 * 3_600 * 1_000_000_000))
    charged = exchange.fetch_funding_history(PAIR)
    assert charged
    assert charged[-1]["symbol"] == PAIR
    assert charged[-1]["code"] == "USDT"


def test_market_data(exchange: Any) -> None:
    for frame in ("1m", "5m", "1h", "1d", "1w", "1M"):
        candles = exchange.fetch_ohlcv(PAIR, frame, limit=5)
        assert candles
        assert all(low <= close <= high for _, _, high, low, close, _ in candles)
    since = exchange.fetch_ohlcv(PAIR, "1m", limit=100)[0][0]
    assert [row[0] for row in exchange.fetch_ohlcv(PAIR, "1m", since=since, limit=3)] == [
        since,
        since + 60_000,
        since + 120_000,
    ]
    assert exchange.fetch_ohlcv(PAIR, "5m", limit=3, params={"price": "mark"})
    assert exchange.fetch_funding_rate(PAIR)["fundingRate"] is not None
    assert exchange.fetch_open_interest(PAIR)["openInterestAmount"] == 0
    assert len(exchange.fetch_open_interest_history(PAIR, "5m")) > 0
    assert PAIR in exchange.fetch_tickers()
    assert isinstance(exchange.fetch_funding_rate_history(PAIR), list)
    assert exchange.fetch_trades(PAIR)
    book = exchange.fetch_order_book(PAIR)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_tickers([PAIR])[PAIR]["ask"]
    assert exchange.fetch_ledger("USDT")


def test_errors_become_the_exceptions_a_bot_expects(exchange: Any, last: float) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(PAIR, "limit", "buy", 100, near(exchange, last))
    with pytest.raises(ccxt.InvalidOrder):
        exchange.create_order(PAIR, "limit", "buy", 0.001, 100.0)
    with pytest.raises(ccxt.ExchangeError):
        exchange.create_order(PAIR, "market", "buy", 0.01, None, {"reduceOnly": True})


# -- ccxt.pro


def at(urls: Any, stream: str) -> Any:
    """The nested stream addresses with another host."""
    if isinstance(urls, dict):
        return {name: at(url, stream) for name, url in urls.items()}
    return f"{stream}/v5/{urls.partition('/v5/')[2]}"


def with_pro(lively: ServedVenue, work: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        client = ccxt.pro.bybit(
            {"apiKey": "key", "secret": "secret", "enableRateLimit": False, "options": {"recvWindow": 20_000}}
        )
        streams = at(client.urls["api"]["ws"], lively.stream)
        rest = {name: lively.url for name in client.urls["api"] if name != "ws"}
        client.urls["api"] = {**rest, "ws": streams}
        try:
            await asyncio.wait_for(work(client), 40)
        finally:
            await client.close()

    asyncio.run(main())


def test_pro_watches_the_market(lively: ServedVenue) -> None:
    async def work(client: Any) -> None:
        book, ticker, trades, candles = await asyncio.gather(
            client.watch_order_book(PAIR),
            client.watch_ticker(PAIR),
            client.watch_trades(PAIR),
            client.watch_ohlcv(PAIR, "1m"),
        )
        assert book["bids"][0][0] < book["asks"][0][0]
        assert ticker["last"] > 0
        assert trades[0]["price"] > 0
        assert candles[-1][5] >= 0
        for _ in range(20):
            book = await client.watch_order_book(PAIR)
            assert book["bids"][0][0] < book["asks"][0][0]

    with_pro(lively, work)


async def held(client: Any) -> tuple[str, float]:
    """Side and size of the first position that is not flat."""
    while True:
        for position in await client.watch_positions([PAIR]):
            if position["contracts"]:
                return position["side"], position["contracts"]


def test_pro_watches_the_account_and_trades_over_its_socket(lively: ServedVenue) -> None:
    async def work(client: Any) -> None:
        await client.load_markets()
        price = float(client.price_to_precision(PAIR, (await client.fetch_ticker(PAIR))["last"] * 0.98))
        watching = [
            asyncio.ensure_future(watch)
            for watch in (client.watch_orders(PAIR), client.watch_my_trades(PAIR), client.watch_balance())
        ]
        positions = asyncio.ensure_future(held(client))
        await asyncio.sleep(1)  # the venue sends nothing for what was before a subscription
        resting = await client.create_order_ws(PAIR, "limit", "buy", 0.01, price)
        edited = await client.edit_order_ws(resting["id"], PAIR, "limit", "buy", 0.02, price)
        assert edited["id"] == resting["id"]
        await client.cancel_order_ws(resting["id"], PAIR)
        await client.create_order_ws(PAIR, "market", "buy", 0.01)
        orders, trades, balance = await asyncio.gather(*watching)
        assert orders
        assert trades[-1]["amount"] == 0.01
        assert balance["USDT"]["total"] > 0
        assert await positions == ("long", 0.01)
        await client.create_order_ws(PAIR, "market", "sell", 0.01, None, {"reduceOnly": True})

    with_pro(lively, work)

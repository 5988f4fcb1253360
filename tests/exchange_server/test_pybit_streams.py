"""pybit's three websocket classes against the venue."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue

SYMBOL = "BTCUSDT"
Inbox = queue.Queue[dict[str, Any]]


@pytest.fixture(autouse=True)
def hosts(lively: ServedVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    """pybit's hosts are module constants."""
    monkeypatch.setattr(pybit.unified_trading, "PUBLIC_WSS", f"{lively.stream}/v5/public/{{CHANNEL_TYPE}}")
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", f"{lively.stream}/v5/private")
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", f"{lively.stream}/v5/trade")


@pytest.fixture
def public() -> Iterator[WebSocket]:
    socket = WebSocket(testnet=False, channel_type="linear")
    yield socket
    socket.exit()


@pytest.fixture
def private() -> Iterator[WebSocket]:
    socket = WebSocket(
        testnet=False, channel_type="private", api_key="key", api_secret="secret", private_auth_expire=10
    )
    yield socket
    socket.exit()


@pytest.fixture
def trading() -> Iterator[WebSocketTrading]:
    socket = WebSocketTrading(testnet=False, api_key="key", api_secret="secret", recv_window=20_000)
    yield socket
    socket.exit()


@pytest.fixture
def bybit(lively: ServedVenue, pybit_of: Callable[..., HTTP]) -> HTTP:
    return pybit_of(lively)


def until(inbox: Inbox, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message that is wanted."""
    while True:
        message = inbox.get(timeout=15)
        if wanted(message):
            return message


def test_public_topics_arrive(public: WebSocket) -> None:
    inbox: Inbox = queue.Queue()
    for depth in (1, 50, 200, 1000):
        public.orderbook_stream(depth, SYMBOL, inbox.put)
    public.ticker_stream(SYMBOL, inbox.put)
    public.trade_stream(SYMBOL, inbox.put)
    for interval in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, "D", "W", "M"):
        public.kline_stream(interval, SYMBOL, inbox.put)
    wanted = {f"orderbook.{depth}.{SYMBOL}" for depth in (1, 50, 200, 1000)}
    wanted |= {f"tickers.{SYMBOL}", f"publicTrade.{SYMBOL}"}
    wanted |= {f"kline.{i}.{SYMBOL}" for i in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, "D", "W", "M")}
    while wanted:
        wanted.discard(inbox.get(timeout=15)["topic"])


def test_the_price_band_arrives_and_liquidations_can_be_asked_for(public: WebSocket) -> None:
    inbox: Inbox = queue.Queue()
    public.all_liquidation_stream(SYMBOL, inbox.put)  # silent while nobody is liquidated
    public.price_limit_stream(SYMBOL, inbox.put)
    band = inbox.get(timeout=15)["data"]
    assert Decimal(band["sellLmt"]) < Decimal(band["buyLmt"])


def test_announced_maintenance_arrives(lively: ServedVenue) -> None:
    inbox: Inbox = queue.Queue()
    status = WebSocket(testnet=False, channel_type="misc/status")
    try:
        status.system_status_stream(inbox.put)
        day = 86_400_000_000_000
        lively.call(lambda venue: venue.notices.announce(venue.now + day, venue.now + 2 * day, "upgrade"))
        (notice,) = inbox.get(timeout=15)["data"]
        assert (notice["title"], notice["state"]) == ("upgrade", "scheduled")
    finally:
        status.exit()


def test_a_minute_is_confirmed_once_it_has_ended(public: WebSocket) -> None:
    inbox: Inbox = queue.Queue()
    public.kline_stream(1, SYMBOL, inbox.put)
    ended = until(inbox, lambda message: message["data"][0]["confirm"])["data"][0]
    assert ended["timestamp"] > ended["end"]
    following = until(inbox, lambda message: not message["data"][0]["confirm"])["data"][0]
    assert following["start"] == ended["end"] + 1


def subscribed(venue: ServedVenue, topics: int) -> None:
    """Wait until a private client has so many topics: pybit does not wait until a subscription is confirmed."""

    def most(served: Venue) -> int:
        clients = [line.client for line in served.lines]
        return max(
            (len(client._topics) for client in clients if isinstance(client, PrivateClient)), default=0
        )

    deadline = time.monotonic() + 30
    while venue.call(most) < topics:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_private_topics_report_of_a_trade(lively: ServedVenue, private: WebSocket, bybit: HTTP) -> None:
    inbox: Inbox = queue.Queue()
    private.order_stream(inbox.put)
    private.execution_stream(inbox.put)
    private.fast_execution_stream(inbox.put)
    private.position_stream(inbox.put)
    private.wallet_stream(inbox.put)
    subscribed(lively, 5)
    reported: dict[str, dict[str, Any]] = {}
    for side in ("Buy", "Sell"):
        bybit.place_order(category="linear", symbol=SYMBOL, side=side, orderType="Market", qty="0.01")
        for _ in range(5):
            message = inbox.get(timeout=15)
            reported[message["topic"]] = message["data"][0]
    assert set(reported) == {"order", "execution", "execution.fast", "position", "wallet"}
    assert (reported["order"]["orderStatus"], reported["order"]["cumExecQty"]) == ("Filled", "0.01")
    assert reported["execution.fast"]["execId"] == reported["execution"]["execId"]
    assert "execFee" not in reported["execution.fast"]
    assert (reported["position"]["side"], reported["position"]["size"]) == ("", "0")
    assert Decimal(reported["wallet"]["coin"][0]["walletBalance"]) < 10_000


def test_orders_over_the_trade_socket(trading: WebSocketTrading, bybit: HTTP) -> None:
    inbox: Inbox = queue.Queue()
    base = {"category": "linear", "symbol": SYMBOL}
    limit = {**base, "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "50000"}
    trading.place_order(inbox.put, **limit, orderLinkId="ws-1")
    created = inbox.get(timeout=15)
    assert (created["retCode"], created["op"], created["data"]["orderLinkId"]) == (0, "order.create", "ws-1")
    assert {
        "X-Bapi-Limit",
        "X-Bapi-Limit-Status",
        "X-Bapi-Limit-Reset-Timestamp",
        "Traceid",
        "Timenow",
    } == set(created["header"])
    trading.amend_order(inbox.put, **base, orderLinkId="ws-1", qty="0.002")
    assert inbox.get(timeout=15)["data"]["orderId"] == created["data"]["orderId"]
    answer: Any = bybit.get_open_orders(category="linear", symbol=SYMBOL)
    assert [row["qty"] for row in answer["result"]["list"]] == ["0.002"]
    trading.cancel_order(inbox.put, **base, orderLinkId="ws-1")
    assert inbox.get(timeout=15)["retCode"] == 0
    items = [{**limit, "orderLinkId": f"ws-b{n}"} for n in range(3)]
    trading.place_batch_order(inbox.put, category="linear", request=items)
    batch = inbox.get(timeout=15)
    assert [row["code"] for row in batch["retExtInfo"]["list"]] == [0, 0, 0]
    chosen = [{"symbol": SYMBOL, "orderId": row["orderId"]} for row in batch["data"]["list"]]
    amended = [{**item, "qty": "0.003"} for item in chosen]
    trading.amend_batch_order(inbox.put, category="linear", request=amended)
    assert [row["code"] for row in inbox.get(timeout=15)["retExtInfo"]["list"]] == [0, 0, 0]
    trading.cancel_batch_order(inbox.put, category="linear", request=chosen)
    assert [row["code"] for row in inbox.get(timeout=15)["retExtInfo"]["list"]] == [0, 0, 0]


def test_refusals_over_the_trade_socket_keep_their_codes(trading: WebSocketTrading) -> None:
    inbox, refused = queue.Queue[dict[str, Any]](), queue.Queue[dict[str, Any]]()
    trading.cancel_order(
        inbox.put, error_callback=refused.put, category="linear", symbol=SYMBOL, orderId="none"
    )
    assert refused.get(timeout=15)["retCode"] == 110001
    assert inbox.empty()

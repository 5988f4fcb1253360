"""Whatever is sent to a route or said on a stream: an answer in the venue's shape, and an Exchange whose books add up.

`scripts/test tests/exchange/protocol/test_fuzz.py -m slow` searches longer, and elsewhere each time.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.exchange.protocol.private_stream import TOPICS, PrivateClient
from turbo_trader.exchange.protocol.public_stream import PublicClient, PublicFeed
from turbo_trader.exchange.protocol.routes_empty import LISTS, PUBLIC
from turbo_trader.exchange.protocol.trade_stream import ROUTES as OPERATIONS
from turbo_trader.exchange.protocol.trade_stream import TradeClient

pytestmark = pytest.mark.long

Face = Any  # conftest.Face
MS: Final = 1_000_000
LINEAR: Final = {"category": "linear", "symbol": "BTCUSDT"}
ORDER: Final = {
    **LINEAR,
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "price": "50000",
    "timeInForce": "GTC",
}
ENTRY: Final = {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "0.01"}
ONE: Final = {**LINEAR, "orderLinkId": "known"}

#: Good parameters of each route, from which what is sent departs; a route that is not here begins with none.
GOOD: Final[dict[str, list[dict[str, Any]]]] = {
    "market/instruments-info": [{"category": "linear", "limit": "5", "status": "Trading"}],
    "market/risk-limit": [{"category": "linear"}],
    "market/tickers": [LINEAR],
    "market/orderbook": [{**LINEAR, "limit": "50"}],
    "market/recent-trade": [LINEAR],
    "market/kline": [{**LINEAR, "interval": "5", "start": "1767603600000"}],
    "market/mark-price-kline": [{**LINEAR, "interval": "D"}],
    "market/index-price-kline": [{**LINEAR, "interval": "W"}],
    "market/premium-index-price-kline": [{**LINEAR, "interval": "M", "end": "1767603600000"}],
    "market/funding/history": [LINEAR],
    "market/open-interest": [{**LINEAR, "intervalTime": "5min"}],
    "market/price-limit": [LINEAR],
    "order/create": [ORDER, ENTRY, {**ENTRY, "side": "Sell", "reduceOnly": True}, {**ENTRY, "stopLoss": "10000"},
                     {**ENTRY, "triggerPrice": "900000", "triggerDirection": 1}, {**ORDER, "orderLinkId": "known"},
                     {**ENTRY, "smpType": "CancelBoth", "slippageToleranceType": "Percent", "slippageTolerance": "0.5"},
                     {**ORDER, "bboSideType": "Queue", "bboLevel": "1"}],
    "order/amend": [{**ONE, "price": "50001"}, {**ONE, "takeProfit": "900000"}],
    "order/cancel": [ONE],
    "order/cancel-all": [LINEAR],
    "order/pre-check": [ORDER],
    "order/disconnected-cancel-all": [{"product": "DERIVATIVES", "timeWindow": 10}],
    "order/create-batch": [{"category": "linear", "request": [ORDER, ENTRY]}],
    "order/amend-batch": [{"category": "linear", "request": [{**ONE, "qty": "0.02"}]}],
    "order/cancel-batch": [{"category": "linear", "request": [ONE, LINEAR]}],
    "order/realtime": [LINEAR, {**LINEAR, "openOnly": "1"}],
    "order/history": [LINEAR, {"category": "linear", "orderStatus": "Filled"}],
    "execution/list": [LINEAR],
    "position/list": [LINEAR, {"category": "linear", "settleCoin": "USDT"}],
    "position/closed-pnl": [LINEAR],
    "position/set-leverage": [{**LINEAR, "buyLeverage": "5", "sellLeverage": "5"}],
    "position/trading-stop": [{**LINEAR, "tpslMode": "Full", "positionIdx": 0, "stopLoss": "10000"},
                              {**LINEAR, "trailingStop": "500"},
                              {**LINEAR, "tpslMode": "Partial", "takeProfit": "900000", "tpSize": "0.01", "slSize": "0.01"}],
    "position/switch-mode": [{**LINEAR, "symbol": "ETHUSDT", "mode": 3}, {**LINEAR, "mode": 0},
                             {"category": "linear", "coin": "USDT", "mode": 0}],
    "position/add-margin": [{**LINEAR, "margin": "5", "positionIdx": 0}],
    "position/set-auto-add-margin": [{**LINEAR, "autoAddMargin": 1}],
    "account/wallet-balance": [{"accountType": "UNIFIED", "coin": "USDT"}],
    "account/fee-rate": [LINEAR],
    "account/transaction-log": [{"accountType": "UNIFIED", "category": "linear", "currency": "USDT"}],
    "market/account-ratio": [{**LINEAR, "period": "5min"}],
    "account/instruments-info": [LINEAR],
    "asset/transfer/query-account-coins-balance": [{"accountType": "UNIFIED", "coin": "USDT"}],
    "asset/transfer/query-account-coin-balance": [{"accountType": "UNIFIED", "coin": "USDT"}],
    "market/adlAlert": [{"symbol": "BTCUSDT"}],
    "position/confirm-pending-mmr": [LINEAR],
    "account/set-limit-px-action": [{"category": "linear", "modifyEnable": True}],
    "account/demo-apply-money": [{"adjustType": 0, "utaDemoApplyMoney": [{"coin": "USDT", "amountStr": "10"}]},
                                 {"adjustType": 1, "utaDemoApplyMoney": [{"coin": "USDT", "amountStr": "10"}]}],
    "account/set-margin-mode": [{"setMarginMode": "REGULAR_MARGIN"}, {"setMarginMode": "ISOLATED_MARGIN"}],
}  # fmt: skip
NAMES: Final = sorted({name for forms in GOOD.values() for form in forms for name in form} | {
    "orderId", "cursor", "tpLimitPrice", "slLimitPrice", "tpOrderType", "slOrderType", "activePrice", "triggerBy",
    "closeOnTrigger", "orderFilter", "endTime", "startTime", "baseCoin", "execType", "type", "autoAddmargin",
    "smpType", "slippageToleranceType", "slippageTolerance", "bboSideType", "bboLevel", "state", "id", "stopOrderType",
})  # fmt: skip


def nested(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


#: What stands where something else should: wrong types, figures without end, what is no number at all.
VALUES: Any = st.one_of(
    st.sampled_from([
        "linear", "BTCUSDT", "ETHUSDT", "Sell", "Limit", "Market", "FOK", "PostOnly", "Partial", "MarkPrice", "UNIFIED",
        "0", "0.001", "0.01", "50000", "900000", "1e999", "1e-999999", "-1", "NaN", "-Infinity", "1_0", " 1", "١", "²", "",
        "known", "Filled", "UTA:9", "a:²", "%", "\x00", "\ud800", "é" * 300, "9" * 400, "0." + "0" * 400 + "1",
        0, 1, -1, 3, 1.5, 10**400, float("nan"), float("inf"), -0.0, True, False, None, [], {}, [{}], [None], {"a": {}},
        nested(50), nested(300), nested(900),
    ]),
    st.text(max_size=8), st.integers(), st.floats(), st.binary(max_size=4).map(lambda raw: raw.decode("latin-1")),
)  # fmt: skip
STATUSES: Final = {200, 403, 404}
LONG: Final = b"9" * 6_000
ODD: Final = [b"", b"{", b"[]", b"null", b"[" * 200_000, b'"\\ud800"', b"\xff", b'{"op":"ping"}\x00', b'{"a":1}{}',
              b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b'{"op":' * 900 + b"1" + b"}" * 900,
              b'{"op":' * 300 + b"1" + b"}" * 300]  # fmt: skip
ODD_BODIES: Final = [*ODD, b'{"qty":NaN}', b'{"qty":1e999}', b"{" + b" " * 70_000,
                     b'{"category":"linear","qty":' + LONG + b"}"]  # fmt: skip
ODD_FRAMES: Final = [*ODD, b'{"op":"ping","req_id":NaN}', b'{"op":"ping","reqId":1e999}', b'{"op":' + LONG + b"}",
                     b'{"op":"ping","req_id":' + LONG + b"}", b'{"op":"subscribe","args":["' + b"a" * 50_000 + b'"]}']  # fmt: skip


def refused(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def strict(raw: bytes) -> dict[str, Any]:
    """The object of an answer that any client can read."""
    found = json.loads(raw.decode(), parse_constant=refused)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def face(make_face: Callable[..., Face]) -> Face:
    """One for all that is sent here: what earlier requests left behind is met by later ones."""
    return make_face()


@pytest.fixture(scope="module")
def demo(make_face: Callable[..., Face]) -> Face:
    """The same, of demo accounts."""
    return make_face(demo=True)


@pytest.fixture(autouse=True)
def adds_up(face: Face, sound: Callable[[Any], None]) -> Iterator[None]:
    yield
    sound(face.exchange)
    assert (
        strict(face.reply("GET", "/v5/order/realtime", category="linear", settleCoin="USDT").body)["retCode"]
        == 0
    )


@st.composite
def changed(draw: st.DrawFn, form: dict[str, Any]) -> dict[str, Any]:
    """Good parameters with some gone, some replaced, some too many; in a batch its items are changed too."""
    found = {name: value for name, value in form.items() if draw(st.integers(0, 9))}
    names = st.one_of(st.sampled_from(NAMES), st.sampled_from(sorted(form) or ["a"]))
    found |= draw(st.dictionaries(names, VALUES, max_size=2))
    items = found.get("request")
    if isinstance(items, list) and items and isinstance(items[0], dict):
        found["request"] = [draw(changed(items[0]))] * draw(st.integers(1, 21))
    return found


def in_shape(reply: Any) -> None:
    """403 as text, else the envelope."""
    assert reply.status in STATUSES
    if reply.status == 403:
        return
    envelope = strict(reply.body)
    bare = set(envelope) == {"retCode", "retMsg"}  # the answer of disconnect protection
    assert bare or list(envelope) == ["retCode", "retMsg", "result", "retExtInfo", "time"]
    assert type(envelope["retCode"]) is int
    assert isinstance(envelope["retMsg"], str)
    assert bare or (isinstance(envelope["result"], dict) and type(envelope["time"]) is int)


def all_routes(face: Face) -> list[tuple[str, str]]:
    """Method and path (after /v5/) of every route there is."""
    signed = face.rest.signed
    reads = [("GET", name) for name in (*face.rest.public, *signed.reads, "user/query-api")]
    return reads + [("POST", name) for name in (*signed.writes, *signed.batches)]


def test_no_route_is_left_out(face: Face, demo: Face) -> None:
    bare = {"market/time", "system/status", "account/info", "account/query-dcp-info", "account/user-setting-config",
            "user/query-api", *LISTS, *PUBLIC} - set(GOOD)  # fmt: skip
    assert {name for shown in (face, demo) for _, name in all_routes(shown)} == set(GOOD) | bare


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_wrong_parameters_are_answered(
    face: Face, demo: Face, sound: Callable[[Any], None], data: st.DataObject
) -> None:
    asked = data.draw(st.sampled_from([face, face, face, demo]))
    method, name = data.draw(st.sampled_from(all_routes(asked)))
    params = data.draw(changed(data.draw(st.sampled_from(GOOD.get(name, [{}])))))
    asked.now += data.draw(st.sampled_from([0, 0, 0, MS, 60_000 * MS, 8 * 3_600_000 * MS]))
    in_shape(asked.sent(method, f"/v5/{name}", params))
    sound(asked.exchange)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_wrong_bytes_are_answered(face: Face, data: st.DataObject) -> None:
    method, name = data.draw(
        st.sampled_from([*all_routes(face), ("GET", "order/nothing"), ("DELETE", "order/create")])
    )
    path = data.draw(
        st.sampled_from([f"/v5/{name}", f"/v5/{name}/", f"/{name}", f"/v5//{name}", f"/v5/{name}/.."])
    )
    raw = data.draw(st.one_of(st.binary(max_size=60), st.sampled_from(ODD_BODIES)))
    in_shape(face.signed(method, path, *((raw, b"") if method == "GET" else (b"", raw))))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_wrong_headers_are_answered(face: Face, data: st.DataObject) -> None:
    method, name = data.draw(st.sampled_from(all_routes(face)))
    known = [
        "x-bapi-api-key",
        "x-bapi-timestamp",
        "x-bapi-recv-window",
        "x-bapi-sign",
        "x-bapi-sign-type",
        "content-type",
    ]
    values = st.one_of(st.text(st.characters(max_codepoint=255), max_size=20),
                       st.sampled_from(["k", str(face.now // MS), "5000", "-1", "9" * 5_000, "²", "0x10"]))  # fmt: skip
    headers = data.draw(st.dictionaries(st.sampled_from(known), values))
    in_shape(face.raw(method, f"/v5/{name}", b"category=linear&symbol=BTCUSDT", b"", **headers))


# -- streams

STREAM_ARGS: Final = [
    f"{name}.BTCUSDT" for name in ("orderbook.1", "orderbook.50", "tickers", "kline.1", "publicTrade")
]


@st.composite
def operation(draw: st.DrawFn, ops: list[str], args: list[Any], face: Face) -> bytes:
    """Something said on a stream: an operation with parts of it replaced, or bytes."""
    if not draw(st.integers(0, 9)):
        return draw(st.one_of(st.binary(max_size=40), st.sampled_from(ODD_FRAMES)))
    stamp = {"X-BAPI-TIMESTAMP": str(face.now // MS)}
    items = draw(st.lists(st.one_of(st.sampled_from(args), VALUES), max_size=3))
    good = {"op": draw(st.sampled_from(ops)), "args": items, "req_id": "r", "header": stamp}
    good["reqId"] = str(draw(st.integers(0, 10**9)))
    replaced = draw(
        st.dictionaries(st.sampled_from(["op", "args", "req_id", "reqId", "header"]), VALUES, max_size=1)
    )
    return json.dumps(good | replaced).encode()


def login(auth: list[Any]) -> st.SearchStrategy[bytes]:
    """An auth operation with one part of it replaced."""
    said = st.builds(lambda at, value: [*auth[:at], value, *auth[at + 1 :]], st.integers(0, 2), VALUES)
    return said.map(lambda args: json.dumps({"op": "auth", "args": args}).encode())


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_public_stream_answers_anything(face: Face, data: st.DataObject) -> None:
    client = PublicClient(PublicFeed(face.data), "sim-1")
    for raw in data.draw(
        st.lists(operation(["ping", "subscribe", "unsubscribe"], STREAM_ARGS, face), max_size=4)
    ):
        answer, *snapshots = (strict(frame) for frame in client.take(raw, face.now))
        assert {"success", "ret_msg", "conn_id", "op", "req_id"} == set(answer)
        assert len(answer["ret_msg"]) < 2_000
        assert all("topic" in frame for frame in snapshots)
    client.close()


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_private_stream_answers_anything(face: Face, data: st.DataObject) -> None:
    client = PrivateClient(face.keys, "sim-1")
    expires = face.now // MS + 5_000
    auth = ["k", expires, face.key.sign(f"GET/realtime{expires}".encode())]
    if data.draw(st.booleans()):
        client.take(json.dumps({"op": "auth", "args": auth}).encode(), face.now)
    said = st.one_of(
        operation(["ping", "auth", "subscribe", "unsubscribe"], [*TOPICS, "dcp.future"], face), login(auth)
    )
    for raw in data.draw(st.lists(said, max_size=4)):
        (answer,) = (strict(frame) for frame in client.take(raw, face.now))
        pong = answer.get("op") == "pong"
        assert set(answer) == {"req_id", "op", "conn_id"} | ({"args"} if pong else {"success", "ret_msg"})
        assert len(answer.get("ret_msg", "")) < 2_000


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_the_trade_socket_answers_anything(
    face: Face, sound: Callable[[Any], None], data: st.DataObject
) -> None:
    client = TradeClient(face.rest.signed, face.keys, "sim-1", "127.0.0.1")
    expires = face.now // MS + 5_000
    auth = ["k", expires, face.key.sign(f"GET/realtime{expires}".encode())]
    if data.draw(st.integers(0, 4)):
        client.take(json.dumps({"op": "auth", "args": auth}).encode(), face.now)
    op = data.draw(st.sampled_from(["ping", "auth", *OPERATIONS]))
    forms = GOOD.get(OPERATIONS.get(op, ""), [{}])
    args = [data.draw(changed(form)) for form in forms]
    said = (
        st.one_of(operation([op], args, face), login(auth)) if op == "auth" else operation([op], args, face)
    )
    for raw in data.draw(st.lists(said, min_size=1, max_size=3)):
        client.route(raw)
        (answer,) = (strict(frame) for frame in client.take(raw, face.now))
        assert {"retCode", "retMsg", "op", "connId"} <= set(answer)
        assert type(answer["retCode"]) is int
    sound(face.exchange)


# -- longer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "examples"),
    [
        (test_wrong_parameters_are_answered, 20_000), (test_wrong_bytes_are_answered, 10_000),
        (test_wrong_headers_are_answered, 10_000), (test_a_public_stream_answers_anything, 5_000),
        (test_a_private_stream_answers_anything, 10_000), (test_the_trade_socket_answers_anything, 10_000),
    ],
)  # fmt: skip
def test_a_longer_search_finds_nothing(search: Any, examples: int, request: pytest.FixtureRequest) -> None:
    inner = search.hypothesis.inner_test
    wanted = (name for name in inspect.signature(inner).parameters if name != "data")
    given_to = {name: request.getfixturevalue(name) for name in wanted}
    longer = settings(max_examples=examples, deadline=None, derandomize=False, database=None)

    @longer
    @given(data=st.data())
    def search_on(data: st.DataObject) -> None:
        inner(**given_to, data=data)

    search_on()

"""Every code the venue answers with, provoked by its own cause; the docs' table of refusals lists exactly these."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from turbo_trader.exchange.protocol import rate_limits
from turbo_trader.exchange.protocol.fault_terms import REQUEST
from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.signing import BARRED, Key
from turbo_trader.exchange.protocol.trade_stream import TradeClient
from turbo_trader.market.instruments import RiskTier

Face = Any  # conftest.Face
DOCS: Final = Path(__file__).resolve().parents[3] / "docs" / "simulated-exchange.md"
BTC: Final = {"category": "linear", "symbol": "BTCUSDT"}
MS: Final = 1_000_000


class Client:
    """Asks a face, whose market stands still around 112,595 USDT."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.account = face.exchange.accounts["1"]

    def post(self, path: str, **params: Any) -> int:
        return int(self.face.ask("POST", f"/v5/{path}", **{**BTC, **params})["retCode"])

    def get(self, path: str, **params: Any) -> int:
        return int(self.face.ask("GET", f"/v5/{path}", **{**BTC, **params})["retCode"])

    def limit(self, side: str = "Buy", qty: str = "0.001", price: str = "100000", **more: Any) -> int:
        return self.post("order/create", side=side, orderType="Limit", qty=qty, price=price, **more)

    def market(self, side: str = "Buy", qty: str = "0.010", **more: Any) -> int:
        return self.post("order/create", side=side, orderType="Market", qty=qty, **more)

    def conditional(self, price: str = "120000", direction: int = 1, **more: Any) -> int:
        return self.market(triggerPrice=price, triggerDirection=direction, **more)

    def stop(self, **more: Any) -> int:
        return self.post("position/trading-stop", **{"tpslMode": "Full", "positionIdx": 0, **more})

    def relist(self, **changes: Any) -> None:
        exchange = self.face.exchange
        exchange.listing.relist(replace(exchange.instruments[0], **changes))

    def ready(self, *codes: int) -> None:
        """What had to be done first was done."""
        assert set(codes) <= {0}, codes


Cause = Callable[[Client], int]


def partial_stop(client: Client, qty: str = "0.001") -> int:
    return client.stop(tpslMode="Partial", stopLoss="100000", slSize=qty)


def key(**changes: Any) -> Cause:
    """What a key with these restrictions hears when it orders."""

    def ask(client: Client) -> int:
        client.face.keys["k"] = Key(key="k", secret="s", uid="1", **changes)
        return client.limit()

    return ask


def wrong_secret(client: Client) -> int:
    client.face.keys["k"] = Key(key="k", secret="another", uid="1")
    return client.limit()


def unknown_key(client: Client) -> int:
    del client.face.keys["k"]
    return client.limit()


def filled_in_part(client: Client) -> None:
    """An order `part` of 300 BTC with a stop, of which the book has given the best level."""
    client.account.balance = Decimal(10_000_000)
    client.relist(
        tiers=(RiskTier(*(Decimal(figure) for figure in ("90000000", "0.005", "0.01", "100", "0"))),)
    )
    exchange = client.face.exchange
    best = str(exchange.instruments[0].price(int(exchange.states["ask"][0])))
    client.ready(client.limit(qty="300", price=best, orderLinkId="part", stopLoss="100000"))
    assert 0 < client.account.orders[client.account.links["part"]].filled < 300


def partly(**amended: Any) -> Cause:
    def ask(client: Client) -> int:
        filled_in_part(client)
        return client.post("order/amend", orderLinkId="part", **amended)

    return ask


def after(*steps: Cause, then: Cause) -> Cause:
    """`then`, once the steps have succeeded."""

    def ask(client: Client) -> int:
        client.ready(*(step(client) for step in steps))
        return then(client)

    return ask


def held(then: Cause) -> Cause:
    """`then`, with a long position of 0.010."""
    return after(lambda c: c.market(), then=then)


def refusing(then: Cause) -> Cause:
    """`then`, of an account that wants prices out of the band refused."""
    return after(lambda c: c.post("account/set-limit-px-action", modifyEnable=False), then=then)


def listed(then: Cause, **changes: Any) -> Cause:
    """`then`, after the contract has changed."""

    def ask(client: Client) -> int:
        client.relist(**changes)
        return then(client)

    return ask


def amend_full_stop(client: Client) -> int:
    client.ready(client.market(stopLoss="100000"))
    (child,) = client.account.open_orders.values()
    return client.post("order/amend", orderId=child.order_id, qty="0.005")


def empty_market(client: Client) -> int:
    face = client.face
    face.exchange.states["bid"][1] = face.exchange.states["ask"][1] = face.exchange.states["last"][1] = 0
    face.exchange.states["mark"][1] = 0
    return client.market(symbol="ETHUSDT", qty="0.1")


CAUSES: Final[dict[int, Cause]] = {
    10001: lambda c: c.limit(qty="0.0005"),
    10002: lambda c: int(c.face.ask("GET", "/v5/account/info", stamp_ms=c.face.now // MS - 5_001)["retCode"]),
    10003: unknown_key,
    10004: wrong_secret,
    10005: key(read_only=True),
    10010: key(addresses=("10.0.0.1",)),
    10029: key(symbols=("ETHUSDT",)),
    33004: key(expires_ms=1),
    110001: lambda c: c.post("order/cancel", orderLinkId="none"),
    110003: lambda c: c.limit(price="2000000"),
    110007: lambda c: c.limit(qty="50"),
    110009: after(*[lambda c: c.conditional()] * 10, then=lambda c: c.conditional()),
    110011: held(lambda c: after(
        lambda c: c.post("position/add-margin", margin="100", positionIdx=0), lambda c: drop(c, 0.85),
        then=lambda c: c.post("position/add-margin", margin="-100", positionIdx=0))(c)),
    110013: lambda c: c.post("position/set-leverage", buyLeverage="101", sellLeverage="101"),
    110014: held(lambda c: c.post("position/add-margin", margin="99999", positionIdx=0)),
    110015: after(lambda c: c.post("account/set-margin-mode", setMarginMode="REGULAR_MARGIN"),
                  then=lambda c: c.post("position/add-margin", margin="1", positionIdx=0)),
    110017: lambda c: c.market("Sell", reduceOnly=True),
    110020: after(*[lambda c: c.limit(qty="0.001")] * 500, then=lambda c: c.limit()),
    110024: held(lambda c: c.post("position/switch-mode", mode=3)),
    110025: lambda c: c.post("position/switch-mode", mode=0),
    110027: held(lambda c: c.post("position/add-margin", margin="0", positionIdx=0)),
    110028: after(lambda c: c.limit(), then=lambda c: c.post("position/switch-mode", mode=3)),
    110043: lambda c: c.post("position/set-leverage", buyLeverage="10", sellLeverage="10"),
    110057: lambda c: c.limit(stopLoss="90000", slOrderType="Limit", slLimitPrice="89000"),
    110058: held(lambda c: partial_stop(c, "0.011")),
    110059: partly(stopLoss="90000"),
    110060: amend_full_stop,
    110061: held(after(*[partial_stop] * 20, then=partial_stop)),
    110064: partly(qty="0.001"),
    110066: after(lambda c: c.face.exchange.halted.add("BTCUSDT") or 0, then=lambda c: c.limit()),
    110072: after(lambda c: c.limit(orderLinkId="once"), then=lambda c: c.limit(orderLinkId="once")),
    110074: listed(lambda c: c.limit(), status="PreLaunch"),
    110090: listed(lambda c: c.limit(qty="0.02"),
                   tiers=(RiskTier(*(Decimal(figure) for figure in ("1000", "0.005", "0.01", "100", "0"))),)),
    110092: lambda c: c.conditional("100000", 1),
    110093: lambda c: c.conditional("120000", 2),
    110094: lambda c: c.limit(symbol="ETHUSDT", qty="0.01", price="100"),
    110118: empty_market,
    30208: refusing(lambda c: c.limit(price="130000")),
    30209: refusing(lambda c: c.limit("Sell", price="90000")),
    30228: listed(lambda c: c.limit(), status="Delivering"),
    181017: lambda c: c.get("order/history", orderStatus="New"),
    34040: held(after(lambda c: c.stop(stopLoss="100000"), then=lambda c: c.stop(stopLoss="100000"))),
    3400045: lambda c: c.post("account/set-margin-mode", setMarginMode="PORTFOLIO_MARGIN"),
}  # fmt: skip


def drop(client: Client, share: float) -> int:
    """The mark falls to so much of what it was."""
    client.face.exchange.states["mark"][0] *= share
    return 0


@pytest.mark.parametrize("code", CAUSES)
def test_each_code_has_its_own_cause(face: Face, code: int) -> None:
    assert CAUSES[code](Client(face)) == code


# -- where the cause is how often one asks, or the trade socket


def said(face: Face, *messages: dict[str, Any]) -> list[int]:
    """Codes of what was said on a trade socket, the authentication first."""
    client = TradeClient(face.rest.signed, face.keys, "sim-1", "127.0.0.1")
    expires = face.now // MS + 5_000
    auth = {"op": "auth", "args": ["k", expires, face.key.sign(f"GET/realtime{expires}".encode())]}
    raws = (json.dumps(message).encode() for message in (auth, *messages))
    return [json.loads(client.take(raw, face.now)[0])["retCode"] for raw in raws]


def operation(req_id: str, op: str = "order.cancel") -> dict[str, Any]:
    header = {"X-BAPI-TIMESTAMP": "1767603602000"}
    return {"reqId": req_id, "op": op, "header": header, "args": [{**BTC, "orderLinkId": "none"}]}


def test_too_many_visits(make_face: Callable[..., Face]) -> None:
    client = Client(make_face(RateLimits()))
    assert [client.limit() for _ in range(11)] == [0] * 10 + [10006]


def test_codes_of_the_trade_socket(make_face: Callable[..., Face], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "OPERATIONS", 2)
    face = make_face(RateLimits())
    auth = {"op": "auth", "args": []}
    asked = (
        operation("1"),
        operation("1"),
        operation("2", "order.nothing"),
        operation("3"),
        operation("4"),
        auth,
    )
    assert said(face, *asked) == [0, 110001, 20006, 10404, 110001, 10403, 20001]


SOCKET: Final = {10006, 10403, 10404, 20001, 20006}
FAULTS: Final = {int(name.removeprefix("ret_")) for name in REQUEST if name.startswith("ret_")}


def printed() -> dict[str, set[int]]:
    """Codes of each paragraph of the docs' section on refusals."""
    section = DOCS.read_text().partition("## Refusals\n")[2].partition("\n## ")[0]
    table, _, rest = section.partition("\n\nOnly on demand")
    codes: dict[str, set[int]] = {name: set() for name in ("own", "demand")}
    for name, text in (("own", table), ("demand", rest)):
        codes[name] = {int(code) for code in re.findall(r"`(\d{3}|\d{5,7})`", text)}
    return codes


def test_the_docs_list_every_code_with_its_cause() -> None:
    assert printed() == {"own": {*CAUSES, *SOCKET}, "demand": {*BARRED, *FAULTS}}


def test_no_code_is_used_that_is_not_listed() -> None:
    folder = Path(__file__).resolve().parents[3] / "src" / "turbo_trader" / "exchange"
    found = {
        int(code)
        for path in folder.rglob("*.py")
        for code in re.findall(r"Reply\((\d{5,7}),", path.read_text())
    }
    assert found - {10000} <= {*CAUSES, *SOCKET, *BARRED, *FAULTS}

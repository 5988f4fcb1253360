"""Every field of the examples in Bybit's documentation (documented.json, July 2026) is in our answers and private messages."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange.protocol.private_stream import PrivateClient

Face = Any  # conftest.Face
EXAMPLES: dict[str, str] = json.loads(Path(__file__).with_name("documented.json").read_text())
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
UNIFIED = {"accountType": "UNIFIED"}
MORE: dict[str, dict[str, str]] = {
    "market/kline": {"interval": "1"}, "market/open-interest": {"intervalTime": "5min"}, "account/wallet-balance": UNIFIED,
    "account/transaction-log": UNIFIED,
}  # fmt: skip
#: A coin's name, and fees of some countries' taxes.
_FIVE_MINUTES = 300_000_000_000
_FEES = {"feeCoin", "feeType", "subFeeType", "feeRate", "fee"}
NOT_OURS = {f"{top}cumFeeDetail.MNT" for top in ("list.", "data.")} | {
    f"data.extraFees.{name}" for name in _FEES
}


def names(value: Any, before: str = "") -> set[str]:
    """Names of an object with those inside, a list by its first item."""
    if isinstance(value, list):
        return names(value[0], before) if value else set()
    if not isinstance(value, dict):
        return set()
    return {before + name for name in value}.union(
        *(names(item, f"{before}{name}.") for name, item in value.items())
    )


@pytest.fixture
def traded(face: Face) -> tuple[Face, PrivateClient]:
    """A face with a row in every list, and a client of its private streams."""
    client = PrivateClient(face.keys, "sim-1")
    expires = face.now // 1_000_000 + 5_000
    auth = {"op": "auth", "args": ["k", expires, face.key.sign(f"GET/realtime{expires}".encode())]}
    topics = {"op": "subscribe", "args": ["order", "execution", "execution.fast", "position", "wallet"]}
    for said in (auth, topics):
        assert json.loads(client.take(json.dumps(said).encode(), face.now)[0])["success"]
    face.trade("Buy", "0.02")
    face.trade("Sell", "0.01", reduceOnly=True)
    face.limit_order("rests")
    face.data.symbols[0].fundings.append((face.now, Decimal("0.0001")))
    face.data.symbols[0].interests.append((face.now // _FIVE_MINUTES * _FIVE_MINUTES, "1", "1"))
    face.ask("POST", "/v5/order/disconnected-cancel-all", product="DERIVATIVES", timeWindow=10)
    return face, client


@pytest.mark.parametrize("route", [route for route in EXAMPLES if not route.startswith("stream ")])
def test_an_answer_has_every_documented_field(traded: tuple[Face, PrivateClient], route: str) -> None:
    face, _ = traded
    method = "POST" if route == "position/add-margin" else "GET"
    given = {**LINEAR, **MORE.get(route, {}), **({"margin": "1"} if method == "POST" else {})}
    answer = face.ask(method, f"/v5/{route}", **given)
    assert answer["retCode"] == 0, answer
    assert set(EXAMPLES[route].split()) - NOT_OURS - names(answer["result"]) == set()


@pytest.mark.parametrize(
    "topic", [name.removeprefix("stream ") for name in EXAMPLES if name.startswith("stream ")]
)
def test_a_private_message_has_every_documented_field(traded: tuple[Face, PrivateClient], topic: str) -> None:
    face, client = traded
    messages = [message for _, message in face.exchange.drain()]
    sent = [json.loads(frame) for frame in client.push(face.now, messages)]
    ours = set().union(*(names(frame) for frame in sent if frame["topic"] == topic))
    assert set(EXAMPLES[f"stream {topic}"].split()) - NOT_OURS - ours == set()

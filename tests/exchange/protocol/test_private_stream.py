"""The private stream of one client: what may be subscribed to, and what then comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.exchange.protocol.private_stream import PrivateClient

Face = Any  # conftest.Face
MS = 1_000_000


def authenticated(face: Face) -> PrivateClient:
    client = PrivateClient(face.keys, "sim-1")
    expires = face.now // MS + 5_000
    auth = ["k", str(expires), face.key.sign(f"GET/realtime{expires}".encode())]  # ccxt sends a text
    assert said(client, face, "auth", auth)["success"] is True
    return client


def said(client: PrivateClient, face: Face, op: str, args: list[Any]) -> dict[str, Any]:
    (answer,) = client.take(json.dumps({"op": op, "args": args}).encode(), face.now)
    return dict(json.loads(answer))


def reported(client: PrivateClient, face: Face) -> list[str]:
    messages = [message for _, message in face.exchange.drain()]
    return [json.loads(frame)["topic"] for frame in client.push(face.now, messages)]


@pytest.mark.parametrize(
    ("topics", "taken"),
    [
        (["order", "position.linear"], True),
        (
            ["order.linear", "order.inverse", "execution.spot", "position.option", "greeks", "dcp.future"],
            True,
        ),
        (["order", "order.linear"], False),
        (["order", "order.spot"], False),
        (["order.swap"], False),
        (["wallet.linear"], False),
        (["tickers.BTCUSDT"], False),
        ([], False),
    ],
)
def test_topics_there_are_and_topics_there_are_not(face: Face, topics: list[str], taken: bool) -> None:
    client = authenticated(face)
    assert said(client, face, "subscribe", topics)["success"] is taken
    face.trade("Buy", "0.01")
    assert bool(reported(client, face)) is taken


def test_of_other_categories_nothing_comes(face: Face) -> None:
    client = authenticated(face)
    said(client, face, "subscribe", ["order.spot", "execution.inverse", "position.option", "greeks"])
    face.trade("Buy", "0.01")
    assert reported(client, face) == []


def test_one_change_comes_as_order_execution_position_wallet(face: Face) -> None:
    client = authenticated(face)
    said(client, face, "subscribe", ["wallet", "position", "execution", "order", "execution.fast"])
    face.trade("Buy", "0.01")
    assert reported(client, face) == ["order", "execution.fast", "execution", "position", "wallet"]
    said(client, face, "unsubscribe", ["wallet", "execution.fast"])
    face.trade("Sell", "0.01")
    assert reported(client, face) == ["order", "execution", "position"]


def test_nothing_comes_before_authentication_or_to_another_key(face: Face) -> None:
    client = PrivateClient(face.keys, "sim-1")
    assert said(client, face, "subscribe", ["order"])["success"] is False
    expires = face.now // MS + 5_000
    for auth in (
        ["k", expires, "0" * 64],
        ["nobody", expires, "0" * 64],
        ["k", face.now // MS - 1, "0" * 64],
        [],
    ):
        assert said(client, face, "auth", auth)["success"] is False
    face.trade("Buy", "0.01")
    assert (client.uid, reported(client, face)) == ("", [])

"""The connections of a venue are kept by kind."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange_server.line import Lines


def line(kind: type[Any]) -> Any:
    return Mock(client=object.__new__(kind))


def test_connections_of_a_kind_are_found_without_the_others() -> None:
    lines = Lines()
    first, public, second = line(PrivateClient), line(PublicClient), line(PrivateClient)
    for each in (first, public, second):
        lines.add(each)
    assert (lines.of(PrivateClient), lines.of(PublicClient), len(lines)) == ([first, second], [public], 3)
    lines.remove(first)
    assert lines.of(PrivateClient) == [second]
    assert set(lines) == {public, second}

"""The guard with a damaged journal and no daemon, against a served venue: it protects and closes by the venue's report."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pybit.unified_trading import HTTP

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import serve_in_thread
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.journal.schema import FILE
from turbo_trader.live.position_guard import Guard, GuardSettings
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.guard_interventions import guard_rules

LEASE = LeaseRules(renew_ns=200_000_000, fence_ns=1_000_000_000, window_ns=500_000_000)
RULES = replace(guard_rules(Policy()), look_ns=300_000_000, agree_ns=200_000_000, close_ns=4_000_000_000)


def test_a_guard_with_a_damaged_journal_protects_all_and_closes_ours(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database " * 400)
    market = SyntheticMarket(universe()[:2], 1, 1_767_603_600_000_000_000, 0.0)
    said: list[tuple[str, dict[str, Any]]] = []
    with serve_in_thread(
        Venue(market, VenueConfig("key", "secret", Decimal(50), speed=1.0, limits=False))
    ) as served:
        client = HTTP(api_key="key", api_secret="secret", recv_window=20_000)
        client.endpoint = served.url
        for symbol, qty, link in (("BTCUSDT", "0.001", "person"), ("ETHUSDT", "0.02", "tt-b1-1-entry")):
            client.place_order(
                category="linear", symbol=symbol, side="Buy", orderType="Market", qty=qty, orderLinkId=link
            )

        async def guard() -> None:
            ended = asyncio.Event()

            def hear(name: str, level: str, fields: dict[str, Any]) -> None:
                said.append((name, fields))
                if fields.get("what") == "close":
                    ended.set()

            settings = GuardSettings(
                endpoints=loopback(served.port),
                keys=Keys("key", "secret"),
                journal=tmp_path,
                rules=RULES,
                lease=LEASE,
            )
            async with asyncio.timeout(60):
                await Guard(settings, hear).run(ended)

        asyncio.run(guard())
        (stranger,) = client.get_positions(category="linear", symbol="BTCUSDT")["result"]["list"]
    acted = [(fields["what"], fields["symbol"]) for name, fields in said if name == "guard-acted"]
    assert set(acted[:2]) == {("protect", "BTCUSDT"), ("protect", "ETHUSDT")}
    assert acted[2:] == [("close", "ETHUSDT")]
    assert stranger["stopLoss"]
    assert [name for name, _ in said].count("guard-journal-unreadable") == 1

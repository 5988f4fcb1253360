"""The facts of the simulated exchange over loopback, and what the checks say of them."""

from __future__ import annotations

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.exchange_server.server_thread import ServedVenue
from turbo_trader.live import facts
from turbo_trader.live.account import account_checks
from turbo_trader.live.checks import Level, worst
from turbo_trader.live.doctor_checks import venue_checks
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.rules.policy import Policy

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def quiet(name: str, level: str, fields: dict[str, object]) -> None:
    pass


async def test_the_simulated_exchange_is_in_order(served: ServedVenue) -> None:
    gateway = Gateway(loopback(served.port), Keys("key", "secret"), VenueClock(), quiet)
    try:
        venue = await facts.venue_facts(
            gateway, served.url, (*SYMBOLS, "NOSUCHUSDT"), simulated=True, keyed=True
        )
        account = await facts.account_facts(gateway, served.url, SYMBOLS)
    finally:
        await gateway.close()
    assert venue.balance is not None
    assert venue.balance > 9_000
    assert set(venue.prices) == set(SYMBOLS)
    assert len(venue.missing) == 1
    assert "NOSUCHUSDT" in venue.missing[0]
    levels = {check.name: check.level for check in venue_checks(venue, Policy())}
    assert levels == {
        "venue": Level.PASS, "clock": Level.PASS, "maintenance": Level.PASS, "symbols": Level.FAIL, "balance": Level.PASS,
    }  # fmt: skip
    assert worst(account_checks(account, Policy())) is Level.PASS
    assert gateway.requests.fatal == ""


async def test_a_wrong_secret_is_named_and_nothing_raises(served: ServedVenue) -> None:
    gateway = Gateway(loopback(served.port), Keys("key", "wrong-secret"), VenueClock(), quiet)
    try:
        await gateway.sync_clock()
        account = await facts.account_facts(gateway, served.url, SYMBOLS)
    finally:
        await gateway.close()
    first = account_checks(account, Policy())[0]
    assert (first.name, first.level) == ("key", Level.FAIL)
    assert "BYBIT_API_SECRET" in first.fix

"""Gathers the facts for `live.doctor_checks`: the venue's answers, and the state of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.reads import pages
from turbo_trader.bybit.schemas import decimal, nanoseconds, price
from turbo_trader.journal.health import integrity, owner
from turbo_trader.live.account import AccountFacts
from turbo_trader.live.doctor_checks import MachineFacts, VenueFacts
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.startup import read_instruments
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument, resolve
from turbo_trader.runtime.venue_requests import Lane
from turbo_trader.trader.ids import boot_of

_LINEAR = {"category": "linear"}


async def account_facts(gateway: Gateway, where: str, symbols: Sequence[str]) -> AccountFacts:
    """Key, account and the positions of these symbols, as the venue answers."""
    names = list(dict.fromkeys(resolve(symbol) for symbol in symbols))
    key, account, *positions = await asyncio.gather(
        gateway.read(Call("get_api_key_information", "key", {})),
        gateway.read(Call("get_account_info", "account", {})),
        *(gateway.read(Call("get_positions", "positions", {**_LINEAR, "symbol": name})) for name in names),
    )
    return AccountFacts(where, gateway.clock.now(), key, account, dict(zip(names, positions, strict=True)))


async def strangers(gateway: Gateway, known: Collection[str]) -> dict[str, int]:
    """Starts of this program not among `known` that have orders on the account: nonce -> when it last made one, ns UTC.

    Of the last day, and whatever is open; ReadFailed where the venue does not tell.
    """
    day = gateway.clock.now() // 1_000_000 - 86_400_000
    lists = (
        ("get_order_history", "history", {"startTime": day}),
        ("get_open_orders", "realtime", {"settleCoin": "USDT", "openOnly": 0}),
    )
    found: dict[str, int] = {}
    for method, group, where in lists:
        items, _ = await gateway.run(
            pages(gateway.requests.read, method, group, {**_LINEAR, "limit": 50, **where})
        )
        for item in items:
            if not isinstance(item, dict):
                continue
            boot = boot_of(str(item.get("orderLinkId", "")))
            if boot and boot not in known:
                found[boot] = max(found.get(boot, 0), nanoseconds(item.get("createdTime")))
    return found


async def venue_facts(
    gateway: Gateway, where: str, symbols: Sequence[str], *, simulated: bool, keyed: bool
) -> VenueFacts:
    """Time, clock, instruments and prices; with `keyed` the balance. A `simulated` venue's clock is its own affair."""
    time = await gateway.read(Call("get_server_time", "market", {}))
    if not time.ok or not await gateway.sync_clock():
        return VenueFacts(where=where, now=gateway.clock.now(), time=time, offset=0, status=time)
    status = await system_status(gateway)
    instruments, missing = await _instruments(gateway, symbols)
    return VenueFacts(
        where=where,
        now=gateway.clock.now(),
        time=time,
        offset=0 if simulated else gateway.clock.offset,
        status=status,
        instruments=instruments,
        missing=missing,
        prices=await _prices(gateway, instruments),
        balance=await _balance(gateway) if keyed else None,
    )


async def system_status(gateway: Gateway) -> Answer:
    """The venue's announced maintenance."""
    return await gateway.request(Lane.READS, Call("get_system_status", "market", {}))


def machine_facts(folder: Path) -> MachineFacts:
    """Disk and journal of a folder that need not exist yet."""
    there = folder.absolute()
    while not os.path.exists(there):  # noqa: PTH110 - False too where it may not be looked at
        there = there.parent
    return MachineFacts(
        str(folder), shutil.disk_usage(there).free, integrity(folder), owner(folder), proxies()
    )


def proxies() -> tuple[str, ...]:
    """The environment variables that name a proxy."""
    kinds = ("http", "https", "ws", "wss", "all", "socks")
    return tuple(
        sorted(
            name
            for name, value in os.environ.items()
            if value and name.lower() in {f"{k}_proxy" for k in kinds}
        )
    )


async def _instruments(
    gateway: Gateway, symbols: Sequence[str]
) -> tuple[tuple[Instrument, ...], tuple[str, ...]]:
    found: list[Instrument] = []
    missing: list[str] = []
    for symbol in dict.fromkeys(resolve(symbol) for symbol in symbols):
        try:
            found += await read_instruments(gateway, [symbol], _quiet)
        except InputError as error:
            missing.append(str(error).partition(";")[0])
    return tuple(found), tuple(missing)


async def _prices(gateway: Gateway, instruments: Sequence[Instrument]) -> dict[str, Decimal]:
    answer = await gateway.read(Call("get_tickers", "market", _LINEAR))
    prices = {
        str(row.get("symbol")): price(row.get("lastPrice")) or price(row.get("markPrice"))
        for row in answer.rows
    }
    return {item.symbol: found for item in instruments if (found := prices.get(item.symbol))}


async def _balance(gateway: Gateway) -> Decimal | None:
    where = {"accountType": "UNIFIED", "coin": "USDT"}
    answer = await gateway.read(Call("get_wallet_balance", "wallet", where))
    if not answer.ok:
        return None
    listed = [item.get("coin") for item in answer.rows]
    coins = [coin for each in listed if isinstance(each, list) for coin in each if isinstance(coin, dict)]
    return next(
        (decimal(coin.get("walletBalance")) for coin in coins if coin.get("coin") == "USDT"), Decimal(0)
    )


def _quiet(name: str, level: str, fields: dict[str, Any]) -> None:
    """`doctor` says it in its own lines."""

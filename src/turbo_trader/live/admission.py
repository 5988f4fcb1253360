"""Whether a live mode may start: key and account meet what trading needs. Then the watch over them while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.reads import ReadFailed
from turbo_trader.bybit.venue_errors import Kind
from turbo_trader.journal.store import Journal
from turbo_trader.live import facts
from turbo_trader.live.account import account_checks, alone, days_warned, expiry
from turbo_trader.live.checks import Level
from turbo_trader.live.doctor_checks import maintenance
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.startup import REACH_S
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.events import KeyExpiry, Maintenance

Emit = Callable[[str, str, dict[str, Any]], None]


async def admit(gateway: Gateway, where: str, symbols: Sequence[str], policy: Policy, emit: Emit) -> None:
    """Tell every warning; Refused for what is unsafe (withdrawal rights, hedge mode), InputError for what cannot work."""
    account = await facts.account_facts(gateway, where, symbols)
    checks = account_checks(account, policy)
    for level, error in ((Level.REFUSE, Refused), (Level.FAIL, InputError)):
        for check in checks:
            if check.level is level:
                raise error(str(check))
    for check in checks:
        if check.level is Level.WARN and check.name != "expiry":  # reported by KeyWatch, here and later
            emit("account-warning", "warning", {"check": check.name, "found": check.found, "fix": check.fix})


async def be_alone(gateway: Gateway, journal: Journal, emit: Emit, *, take_over: bool) -> None:
    """Refused while another instance orders on the account; with `take_over` its orders are ours from now on.

    InputError when the account's orders cannot be read: at once where that will not pass, else after half a minute.
    """
    found = await _strangers(gateway, journal.boots())
    check = alone(found)
    if check.level is Level.REFUSE and not take_over:
        raise Refused(str(check))
    if found:
        journal.adopt(found, gateway.clock.now())
        emit("taken-over", "warning", {"boots": sorted(found), "last": max(found.values())})


async def _strangers(gateway: Gateway, known: Collection[str]) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    until = loop.time() + REACH_S
    while True:
        try:
            return await facts.strangers(gateway, known)
        except ReadFailed as error:
            answer = error.answer
            if answer.verdict.kind not in (Kind.TEMPORARY, Kind.AMBIGUOUS) or loop.time() > until:
                raise InputError(f"account: its orders are not readable: {error} ({answer.code})") from None
        await asyncio.sleep(1.0)


class KeyWatch:
    """The key's end: reported to the Trader, and to people 14, 7 and 1 days before."""

    def __init__(self, gateway: Gateway, emit: Emit) -> None:
        self._gateway = gateway
        self._emit = emit
        self._warned: int | None = None

    async def read(self) -> KeyExpiry | None:
        """When the key ends; None where the venue does not say."""
        answer = await self._gateway.read(Call("get_api_key_information", "key", {}))
        at, now = expiry(answer), self._gateway.clock.now()
        if at is None:
            return None
        days = days_warned(at, now)
        if days is not None and days != self._warned:
            self._emit("key-expires", "warning", {"days": days, "at": at, "fix": "create a new key"})
        self._warned = days
        return KeyExpiry(now, at)


class NoticeWatch:
    """Announced maintenance, reported once each."""

    def __init__(self, gateway: Gateway, emit: Emit) -> None:
        self._gateway = gateway
        self._emit = emit
        self._reported: tuple[int, int] | None = None

    async def read(self) -> Maintenance | None:
        """The next announced maintenance; None where the venue cannot be asked, so that what is known stands."""
        answer = await facts.system_status(self._gateway)
        if not answer.ok:
            return None
        now = self._gateway.clock.now()
        found = maintenance(answer, now)
        if found is not None and found != self._reported:
            self._emit("maintenance-announced", "warning", {"begin": found[0], "end": found[1]})
        self._reported = found
        return Maintenance(now, *found) if found is not None else Maintenance(now, None, 0)

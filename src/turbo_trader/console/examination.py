"""The examination of `doctor`: gathers the facts about venue, keys and folder, and checks them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from turbo_trader.bybit.endpoints import Endpoints, Keys, Mode, loopback
from turbo_trader.bybit.reads import ReadFailed
from turbo_trader.console.folders import last_journal
from turbo_trader.console.journal_database import database_of
from turbo_trader.console.paper import paper_venue
from turbo_trader.console.settings import Settings
from turbo_trader.console.venues import given_keys, live_endpoints, missing_keys
from turbo_trader.journal.address import Address
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.opening import driver
from turbo_trader.journal.readers import boots
from turbo_trader.live import facts
from turbo_trader.live.account import account_checks, alone
from turbo_trader.live.checks import Check, Level, worst
from turbo_trader.live.doctor_checks import machine_checks, venue_checks
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.rules.policy import Policy

TIMEOUT_S = 5.0


def examine(settings: Settings, policy: Policy) -> list[Check]:
    """Every check of the configured mode; of paper against a simulated venue started for it. Raises for unusable settings only."""
    base = settings.journal_dir  # a real environment has one journal; of paper, that of the last run
    folder = last_journal(None, base) if settings.mode == Mode.PAPER else base / settings.mode
    machine = machine_checks(facts.machine_facts(folder))
    if (database := database_of(settings, folder)) is not None:
        machine.append(_database(database))
    with ExitStack() as stack:
        if settings.mode == Mode.PAPER:
            venue = stack.enter_context(paper_venue(settings))
            where, keys = loopback(venue.port), Keys(venue.key, venue.secret)
            symbols: Sequence[str] = tuple(venue.facts["symbols"])
            given: list[Check] = []
        else:
            where, symbols = live_endpoints(settings), policy.symbols
            keys, given = _keys(settings)
        usable = worst(given) in (Level.PASS, Level.WARN)
        there = asyncio.run(_venue(where, keys, symbols, policy, folder, keyed=usable))
    return [*given, *there, *machine]


def _database(there: Address) -> Check:
    """Can the database of JOURNAL_URL be reached?"""
    try:
        with closing(driver().ServerTables(there)):
            return Check("database", Level.PASS, f"{there} answers")
    except (InputError, JournalError) as error:
        text, _, fix = str(error).partition("; ")
        return Check("database", Level.FAIL, text, fix)


def _keys(settings: Settings) -> tuple[Keys, list[Check]]:
    """The keys, and what is missing to use them."""
    found: list[Check] = []
    if settings.mode == Mode.LIVE and not settings.i_accept_the_risk:
        found.append(
            Check(
                "risk", Level.WARN, "not acknowledged", "set I_ACCEPT_THE_RISK=true: you may lose all of it"
            )
        )
    try:
        keys = given_keys(settings)
    except Refused as error:
        text, _, fix = str(error).partition("; ")
        return Keys("", ""), [*found, Check("key", Level.REFUSE, text, fix)]
    if missing := missing_keys(keys):
        fix = "set them in the environment, in a .env of mode 0600, or name a file of mode 0600 in BYBIT_KEY_FILE"
        found.append(Check("key", Level.FAIL, f"{', '.join(missing)} missing", fix))
    return keys, found


async def _venue(
    where: Endpoints, keys: Keys, symbols: Sequence[str], policy: Policy, folder: Path, *, keyed: bool
) -> list[Check]:
    gateway = Gateway(where, keys, VenueClock(), _reported, TIMEOUT_S)
    try:
        simulated = where.local
        public = await facts.venue_facts(gateway, where.rest, symbols, simulated=simulated, keyed=keyed)
        checks = venue_checks(public, policy)
        if keyed and public.time.ok:
            account = await facts.account_facts(gateway, where.rest, symbols)
            checks = [*checks[:1], *account_checks(account, policy), *checks[1:]]
            with suppress(ReadFailed):  # reported by the lines of key and account
                checks.append(alone(await facts.strangers(gateway, _known(folder))))
        return checks
    finally:
        await gateway.close()


def _known(folder: Path) -> list[str]:
    try:
        return boots(folder)
    except (InputError, JournalError):  # reported by the journal's own line
        return []


def _reported(name: str, level: str, fields: dict[str, Any]) -> None:
    """What the gateway notes on the way; the checks say it better."""
    logging.getLogger(__name__).debug("%s %s %s", name, level, fields)

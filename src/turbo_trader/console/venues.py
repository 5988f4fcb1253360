"""The venue of testnet, demo and live: where it is, the keys to it, the lease under which one process at a time writes to it."""

from __future__ import annotations

import os
from pathlib import Path

from turbo_trader.bybit.endpoints import (
    Endpoints,
    Keys,
    Mode,
    endpoints,
    moved,
    others_must_not_read,
    read_key_file,
)
from turbo_trader.console.settings import Settings
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.rules.policy import Policy

ADVICE = (
    "before the first live trade: run on testnet or paper first; watch the first 10-20 trades; expect about 70 % A and 30 % B; "
    "a win rate of 60-70 % is a target, not a promise; respect the session limit"
)
_DOTENV = Path(".env")
_NAMES = ("BYBIT_API_KEY", "BYBIT_API_SECRET")


def live_venue(settings: Settings) -> tuple[Endpoints, Keys]:
    """Where the venue of testnet, demo or live is, and the keys to it. Refused where keys or acknowledgement are missing."""
    keys, where = live_keys(settings), live_endpoints(settings)
    where.check_order_entry(settings.order_entry)
    return where, keys


def lease_rules(policy: Policy) -> LeaseRules:
    """The lease of daemon and guard: nothing signed under an old one may still be accepted by the venue."""
    longest = policy.entry_recv_window * 1_000_000
    return LeaseRules(window_ns=max(LeaseRules().window_ns, longest))


def live_keys(settings: Settings) -> Keys:
    """The keys of a real environment; Refused with what is missing."""
    missing = []
    if settings.mode == Mode.LIVE and not settings.i_accept_the_risk:
        missing.append("I_ACCEPT_THE_RISK=true (you may lose all of it)")
    keys = given_keys(settings)
    missing += missing_keys(keys)
    if missing:
        raise Refused(f"MODE={settings.mode} needs {', '.join(missing)}: set it in .env; {ADVICE}")
    return keys


def live_endpoints(settings: Settings) -> Endpoints:
    """Where a real environment is; InputError where only half of another venue is given."""
    environment = "mainnet" if settings.mode == Mode.LIVE else settings.mode
    known = endpoints(environment, settings.bybit_domain, settings.bybit_tld)
    rest, stream = settings.bybit_rest_url, settings.bybit_stream_url
    if bool(rest) != bool(stream):
        given, missing = ("BYBIT_REST_URL", "BYBIT_STREAM_URL")[:: 1 if rest else -1]
        raise InputError(
            f"{given} is set and {missing} is not: orders and prices must come from one venue; set both or none"
        )
    return moved(known, rest, stream) if rest else known


def given_keys(settings: Settings) -> Keys:
    """Key and secret as given, "" where there is none. Refused when they are in a file that others may read."""
    if settings.bybit_key_file is not None:
        return read_key_file(settings.bybit_key_file)
    values = (settings.bybit_api_key.get_secret_value(), settings.bybit_api_secret.get_secret_value())
    surrounding = {name.upper() for name in os.environ}
    if any(value and name not in surrounding for name, value in zip(_NAMES, values, strict=True)):
        others_must_not_read(_DOTENV, _DOTENV.stat().st_mode)
    return Keys(*values)


def missing_keys(keys: Keys) -> list[str]:
    """The settings that are empty."""
    return [name for name, value in zip(_NAMES, (keys.key, keys.secret), strict=True) if not value]

"""Which rules evidence was gathered under: a hash of every number that changes which trades are made or how they end."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from turbo_trader.numbers.declared import shown

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

#: Numbers that change neither: how much evidence allows (section 7a), what SIZE=full alone has, and what is only said.
NOT_OF_TRADES: Final = frozenset(
    {
        "WATCHDOG_TRADES",
        "WATCHDOG_PROBABILITY",
        "WARN_SHARE",
        "WARN_HYSTERESIS",
        "WARN_AGAIN",
        "FLATTEN_TIME",
        "ON_TERM",
    }
)


def fingerprint(policy: Policy) -> str:
    """The same for two policies exactly where they make the same trades and end them alike; 16 hexadecimal digits."""
    rows = sorted(
        f"{row.name}={shown(row.value)}"
        for row in policy.table()
        if not row.section.startswith("7a") and row.name not in NOT_OF_TRADES
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]

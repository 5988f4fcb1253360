"""Which clients are played, in which version, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Registry(StrEnum):
    """Where a client is installed from."""

    PIP = "pip"
    NPM = "npm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One client: `driver` (a file of clients/drivers, "" where there is no play yet) runs with its interpreter and `mode`, for
    `seconds` at most; the exchange runs at `speed`; its installer is given `install_s`. `required`: it has to pass. `refused`:
    codes that its play is refused with on purpose, or that the client takes as an answer."""

    name: str
    package: str
    version: str
    driver: str
    mode: str = ""
    registry: Registry = Registry.PIP
    speed: float = 5.0
    seconds: int = 300
    install_s: int = 900
    required: bool = True
    refused: frozenset[int] = frozenset()


UNCHANGED: Final = frozenset({110043})  # the leverage is what it was asked to be

#: The longest first: two are played at a time.
ROSTER: Final = (
    Client(name="freqtrade", package="freqtrade", version="2026.9", driver="play_freqtrade.py", speed=1.0, seconds=590,
           refused=UNCHANGED),
    Client(name="nautilus_trader", package="nautilus_trader", version="1.221.0", driver="play_nautilus.py", speed=1.0,
           seconds=590),
    Client(name="hummingbot", package="hummingbot", version="20260922", driver="", install_s=300, required=False),
    Client(name="pybit", package="pybit", version="5.17.0", driver="play_pybit.py", refused=UNCHANGED),
    Client(name="ccxt", package="ccxt", version="4.5.90", driver="play_ccxt.py", mode="sync"),
    Client(name="ccxt-async", package="ccxt", version="4.5.90", driver="play_ccxt.py", mode="async"),
    Client(name="ccxt-pro", package="ccxt", version="4.5.90", driver="play_ccxt.py", mode="pro"),
    Client(name="ccxt-tests", package="ccxt", version="4.5.90", driver="play_ccxt_tests.py", mode="sync", speed=1.0),
    Client(name="ccxt-tests-async", package="ccxt", version="4.5.90", driver="play_ccxt_tests.py", mode="async", speed=1.0),
    Client(name="ccxt-tests-pro", package="ccxt", version="4.5.90", driver="play_ccxt_tests.py", mode="pro", speed=1.0),
    Client(name="ccxt-js", package="ccxt", version="4.5.84", driver="play_ccxt.mjs", mode="rest", registry=Registry.NPM),
    Client(name="ccxt-js-pro", package="ccxt", version="4.5.84", driver="play_ccxt.mjs", mode="pro", registry=Registry.NPM),
    Client(name="bybit-api", package="bybit-api", version="4.7.7", driver="play_bybit_api.mjs", registry=Registry.NPM,
           refused=UNCHANGED | {20001}),  # it authenticates twice on the trade socket
    Client(name="passivbot", package="passivbot", version="7.4.2", driver="", install_s=300, required=False),
)  # fmt: skip


def chosen(name: str) -> tuple[Client, ...]:
    """The client of a name, or all of them; KeyError for an unknown name."""
    return ROSTER if name == "all" else ({client.name: client for client in ROSTER}[name],)

"""The keys under which a journal keeps state across restarts. Light: `status` reads them without numpy."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Key(StrEnum):
    """One row each, or one for each symbol, world (mode and account) or set of rules: `Key.POSITION.of("BTCUSDT")`."""

    SCHEMA = "schema"  # the version of all other rows
    SESSION = "session"
    LEDGER = "ledger"
    TOTALS = "counts"
    POSITION = "position"  # of a symbol
    ENTRY = "entry"  # of a symbol
    ENDED = "ended"  # of a symbol: entries given up whose fills may still come
    STOPPED_OUT = "stopped-out"  # of a symbol
    BUDGET = "budget"  # of a world: what scouts may lose
    STAGES = "stages"  # of a world and a set of rules
    FORECASTER = "forecaster"  # whose forecasts are calibrated

    def of(self, *names: str) -> str:
        """The key of the row that belongs to these names."""
        return ":".join((self.value, *names))


_KEYS: Final = {key.value: key for key in Key}


def parted(key: str) -> tuple[Key | None, str]:
    """A row's key and the rest of it; None for a row that is not the Trader's."""
    kind, _, rest = key.partition(":")
    return _KEYS.get(kind), rest

"""What survives a restart: the rows of a journal's state, their types and the version of their layout.

A row is plain JSON, made when it is persisted: what changes afterwards does not change it. A value that does not fit its type
is one `UnreadableState`.

To change the layout: raise `SCHEMA`, add the step from the version before to `_STEPS`, and raise the journal's own version with it,
so that a copy of the journal is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from turbo_trader.market.rows import Rows
from turbo_trader.rules.exits import Bracket
from turbo_trader.rules.session import Session
from turbo_trader.rules.stages import Stage
from turbo_trader.rules.watchdog import Evidence
from turbo_trader.trader.ledger import LedgerRecord
from turbo_trader.trader.pending_entry import EntryState, PendingEntry
from turbo_trader.trader.state_keys import Key, parted
from turbo_trader.trader.trade import Trade

SCHEMA: Final = 2

#: What a shell adds to the rows it restores.
WORLD: Final = "world"  # {"name": mode and account, "signal": of a panel signal}: evidence never leaves it
BOOTS: Final = "boots"  # {"nonces": those of all earlier starts and guards}
INTENTS: Final = "intents"  # {"unresolved": young commands of theirs without a known outcome}
OUTCOMES: Final = "outcomes"  # {"rows": OUTCOME, oldest first}


class UnreadableState(ValueError):
    """A row does not fit its type, or is of a newer version: says which row, and what is wrong."""


@dataclass(kw_only=True, frozen=True, slots=True)
class SchemaRecord:
    """The version of all other rows."""

    version: int


@dataclass(kw_only=True, frozen=True, slots=True)
class PositionRecord:
    """An open position. `held`: signed size by our fills, base coin; `closing`: why it is being closed."""

    bracket: Bracket
    trade: Trade
    held: Decimal
    closing: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class TotalsRecord:
    """Counted over all runs. `evidence`: trades since the last resume."""

    counts: dict[str, int] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    unguarded_ns: int = 0


@dataclass(kw_only=True, frozen=True, slots=True)
class EndedRecord:
    """Entries given up whose fills may still come."""

    entries: list[PendingEntry] = field(default_factory=list)


@dataclass(kw_only=True, frozen=True, slots=True)
class StoppedOutRecord:
    """When a trade was last stopped out with a loss, by direction."""

    times: dict[int, int] = field(default_factory=dict)


@dataclass(kw_only=True, frozen=True, slots=True)
class BudgetRecord:
    """As `rules.stages.Budget`."""

    day: int
    day_equity: Decimal
    day_net: Decimal
    base: Decimal
    net: Decimal


@dataclass(kw_only=True, frozen=True, slots=True)
class TierEvidenceRecord:
    """As `rules.evidence.Evidence`."""

    real: int
    shadows: int
    at: int
    total: list[float]
    products: list[float]
    squares: float
    open: dict[int, list[float]]


@dataclass(kw_only=True, frozen=True, slots=True)
class GapRecord:
    """As `rules.evidence.Gap`."""

    pairs: int
    mean: float


@dataclass(kw_only=True, frozen=True, slots=True)
class TierRecord:
    """As `rules.stages.TierStage`."""

    stage: Stage
    evidence: TierEvidenceRecord
    fills: int
    days: list[int]
    cap: Decimal
    used: Decimal


@dataclass(kw_only=True, frozen=True, slots=True)
class StagesRecord:
    """As `rules.stages.Stages`."""

    tiers: dict[str, TierRecord]
    over_all: TierEvidenceRecord
    gap: GapRecord
    net: Decimal
    earned: Decimal
    peak: Decimal
    trades: int | None = None  # journals of earlier versions have none


@dataclass(kw_only=True, frozen=True, slots=True)
class ForecasterRecord:
    """Whose outcomes are calibrated: a panel signal's fingerprint, or "" for the rules; those of forecasts since then (ns)."""

    signal: str = ""
    since: int = 0


#: The type of each row. A row that is empty says that there is nothing any more.
TYPES: Final[Mapping[Key, type[Any]]] = {
    Key.SCHEMA: SchemaRecord,
    Key.SESSION: Session,
    Key.LEDGER: LedgerRecord,
    Key.TOTALS: TotalsRecord,
    Key.POSITION: PositionRecord,
    Key.ENTRY: PendingEntry,
    Key.ENDED: EndedRecord,
    Key.STOPPED_OUT: StoppedOutRecord,
    Key.BUDGET: BudgetRecord,
    Key.STAGES: StagesRecord,
    Key.FORECASTER: ForecasterRecord,
}


@dataclass(kw_only=True, slots=True)
class Kept:
    """What an earlier run left, by symbol, world or world and rules; and what a shell adds to it."""

    rows: dict[str, Any] = field(default_factory=dict)  # in the layout of this version
    current: bool = True  # False: that is not how they were kept
    session: Session | None = None
    ledger: LedgerRecord | None = None
    totals: TotalsRecord = field(default_factory=TotalsRecord)
    positions: dict[str, PositionRecord] = field(default_factory=dict)
    entries: dict[str, PendingEntry] = field(default_factory=dict)
    ended: dict[str, EndedRecord] = field(default_factory=dict)
    stopped_out: dict[str, StoppedOutRecord] = field(default_factory=dict)
    budgets: dict[str, BudgetRecord] = field(default_factory=dict)
    stages: dict[str, StagesRecord] = field(default_factory=dict)
    world: str = ""
    signal: str = ""  # fingerprint of a panel signal
    boots: tuple[str, ...] = ()
    unresolved: tuple[Mapping[str, Any], ...] = ()
    outcomes: Rows | None = None
    forecaster: ForecasterRecord = field(default_factory=ForecasterRecord)


def plain(record: Any) -> Any:
    """A record as plain JSON values that share nothing with it: Decimals as strings, keys as strings."""
    return msgspec.to_builtins(record, str_keys=True, enc_hook=_plain)


def decode(restored: Mapping[str, Mapping[str, Any]]) -> Kept:
    """Everything in it, whatever earlier version wrote the rows. UnreadableState for a row that does not fit."""
    kept = Kept(
        world=str(restored.get(WORLD, {}).get("name", "")),
        signal=str(restored.get(WORLD, {}).get("signal", "")),
        boots=tuple(restored.get(BOOTS, {}).get("nonces", ())),
        unresolved=tuple(restored.get(INTENTS, {}).get("unresolved", ())),
        outcomes=restored.get(OUTCOMES, {}).get("rows"),
    )
    rows = {key: value for key, value in restored.items() if parted(key)[0] is not None}
    kept.rows = upgraded(rows)
    kept.current = kept.rows == rows
    parts: dict[Key, dict[str, Any]] = {
        Key.POSITION: kept.positions, Key.ENTRY: kept.entries, Key.ENDED: kept.ended, Key.STOPPED_OUT: kept.stopped_out,
        Key.BUDGET: kept.budgets, Key.STAGES: kept.stages,
    }  # fmt: skip
    for key, value in kept.rows.items():
        kind, rest = parted(key)
        record = read(key, value)
        if kind is None or record is None:
            continue
        match kind:
            case Key.SESSION:
                kept.session = record
            case Key.LEDGER:
                kept.ledger = record
            case Key.TOTALS:
                kept.totals = record
            case Key.FORECASTER:
                kept.forecaster = record
            case _ if kind in parts:
                parts[kind][rest] = record
    return kept


def read(key: str, value: Any) -> Any:
    """The record of one row of this version; None for an empty one. UnreadableState where it does not fit."""
    kind, _ = parted(key)
    if kind is None or not value:
        return None
    try:
        return msgspec.convert(value, TYPES[kind], str_keys=True)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise UnreadableState(f"{key}: {str(error) or type(error).__name__}") from None


def upgraded(rows: Mapping[str, Any]) -> dict[str, Any]:
    """The rows in the layout of this version, with its number among them, whatever earlier version wrote them."""
    found = dict(rows)
    for number in range(_version(rows), SCHEMA):
        found = {key: _step(number, key, value) for key, value in found.items()}
    return {**found, Key.SCHEMA.value: plain(SchemaRecord(version=SCHEMA))}


def _version(rows: Mapping[str, Any]) -> int:
    written = read(Key.SCHEMA, rows.get(Key.SCHEMA))
    version: int = written.version if written else 1  # the first version had no row that says so
    if version > SCHEMA:
        raise UnreadableState(
            f"{Key.SCHEMA}: version {version} of a newer turbo-trader, this one reads {SCHEMA}"
        )
    return version


def _step(number: int, key: str, value: Any) -> Any:
    kind, _ = parted(key)
    if kind is None or not value:
        return value
    try:
        return _STEPS[number](kind, value)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableState(f"{key}: {str(error) or type(error).__name__}") from None


def _to_2(kind: Key, value: Any) -> Any:
    """Entries have a state; those given up are a list; counts, evidence and times stopped out have names of their own."""
    match kind:
        case Key.ENTRY:
            return _entry_to_2(value)
        case Key.ENDED:
            return {"entries": [{**each, "state": EntryState.ENDED.value} for each in value.values()]}
        case Key.TOTALS:
            apart = ("evidence", "unguarded_ns")
            counts = {name: count for name, count in value.items() if name not in apart}
            return {"counts": counts, **{name: value[name] for name in apart if name in value}}
        case Key.STOPPED_OUT:
            return {"times": value}
    return value


def _entry_to_2(value: Any) -> Any:
    answered, looked_up = value.get("answered"), value.get("unknown_since")
    left = EntryState.UNKNOWN if looked_up else EntryState.ACCEPTED
    state = left if answered else (EntryState.LATE if looked_up else EntryState.SENT)
    return {**{name: each for name, each in value.items() if name != "answered"}, "state": state.value}


_STEPS: Final[Mapping[int, Callable[[Key, Any], Any]]] = {1: _to_2}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)

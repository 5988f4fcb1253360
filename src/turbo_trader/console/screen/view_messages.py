"""What the daemon hands to its view: one JSON object a message, first `about`, then snapshots about twice a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy
    from turbo_trader.trader.commands import Note, Scanned

#: Fields of a scan row (rules.scan.SCAN) that the view shows; their order in `scan`.
FIELDS: Final = (
    "direction", "valid", "confirms", "mid", "spread", "mark_gap", "age", "forecast", "snr", "used_confidence", "capital_tier",
    "tier", "candidate", "blocker", "block_code", "used_edge", "used_p_tp", "take_profit", "cost", "used_ev", "min_ev",
)  # fmt: skip

#: Numbers of the rules that a reason is measured against; those of a capital tier have its name in front.
_NUMBERS: Final = (
    "kalman_warmup",
    "stale_book",
    "max_spread",
    "max_mark_gap",
    "flat_edge",
    "session_loss",
    "drawdown_pause",
)
_BY_TIER: Final = ("min_snr", "min_confidence", "fee_multiplier")


def about(title: str, symbols: Sequence[str], folder: str, policy: Policy) -> dict[str, Any]:
    """The first message: what runs, its symbols in the order of the rows, its journal, the numbers reasons are measured against."""
    from turbo_trader.rules.tiers import TIER_NAMES

    names = (*_NUMBERS, *(f"{tier}_{name}" for tier in TIER_NAMES for name in _BY_TIER))
    numbers = {name: float(getattr(policy, name)) for name in names}
    return {"title": title, "symbols": list(symbols), "folder": folder, "numbers": numbers}


def scan(scanned: Scanned) -> dict[str, Any]:
    """A scan: when it was, and its rows as plain values, FIELDS each."""
    return {"ts": scanned.ts, "rows": [list(row) for row in scanned.rows[list(FIELDS)].tolist()]}


def event(note: Note) -> dict[str, Any]:
    """An event of the log."""
    return {"ts": note.ts, "name": note.name, "level": note.level, "fields": dict(note.fields)}


def snapshot(
    view: Any, daemon: Mapping[str, Any], scan: dict[str, Any] | None, events: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """One moment: the Trader's view, the daemon's figures, the scan since the last one (None: none), new events."""
    return {"view": view, "daemon": dict(daemon), "scan": scan, "events": list(events)}

"""A trade in sentences, from its notes: its entry, its fills, its zones, its end, and what was claimed beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from turbo_trader.rules.readable import readable

_UNSAID = ("ts", "name", "level", "symbol")

#: What is said of a note, field by field; of notes not named here, all fields.
_SAID: dict[str, dict[str, str]] = {
    "entry": {
        "tier": "{}", "direction": "{}", "qty": "{}", "limit": "limit {}", "stop": "stop {}", "backstop": "backstop {}",
        "leverage": "leverage {}", "binding": "size set by {}",
    },
    "fill": {"side": "{}", "qty": "{}", "price": "at {}", "fee": "fee {}", "stop_type": "{}"},
    "entry-ended": {"why": "{}"},
    "zone": {"zone": "{} reached", "stop": "stop to {}"},
    "extension": {"backstop": "backstop to {}, then the target"},
    "exit": {"reason": "{}", "size": "size {}"},
    "trade": {"reason": "closed by {}", "exit": "at {}", "result": "result {}", "fees": "fees {}", "funding": "funding {}"},
}  # fmt: skip
_NAMES = {("direction", 1): "long", ("direction", -1): "short", ("side", 1): "buy", ("side", -1): "sell"}


def timeline(notes: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per note, in seconds after the first; at the end its result. `notes`: those of one trade, oldest first."""
    if not notes:
        return []
    begin = int(notes[0]["ts"])
    lines = [
        f"{(int(note['ts']) - begin) / 1e9:.1f} s  {note['name']} {_phrase(note)}".rstrip() for note in notes
    ]
    entry = next((note for note in notes if note["name"] == "entry"), {})
    trade = next((note for note in notes if note["name"] == "trade"), None)
    if trade is not None:
        return [*lines, ending(entry, trade)]
    ended = next((note for note in notes if note["name"] == "entry-ended"), None)
    return [
        *lines,
        f"no trade: the entry ended without a fill: {ended['why']}"
        if ended is not None
        else "not closed yet",
    ]


def ending(entry: Mapping[str, Any], trade: Mapping[str, Any]) -> str:
    """Won or lost, by what, against what was claimed, and what would have had to differ."""
    net, result = Decimal(str(trade["net"])), Decimal(str(trade["result"]))
    claimed = ""
    if "ev" in entry:
        claimed = f"; claimed: EV {_bp(entry['ev'])}, p_tp {float(entry.get('p_tp', 0)):.3f}"
    text = f"closed by {trade['reason']}: net {_bp(trade['net_fraction'])} of notional, {readable(net)} USDT{claimed}"
    if net > 0:
        return f"{text}; won"
    notional = abs(Decimal(str(trade["entry"])) * Decimal(str(trade["qty"])))
    costs = result - net
    if not notional:
        return f"{text}; lost"
    needed = f"a move of {_bp(costs / notional)} in its direction to pay fees and funding (was {_bp(result / notional)})"
    return f"{text}; lost, needed: {needed}"


def _phrase(note: Mapping[str, Any]) -> str:
    said = _SAID.get(note["name"])
    if said is None:
        return " ".join(f"{name}={readable(value)}" for name, value in note.items() if name not in _UNSAID)
    reported = {
        name: _NAMES.get((name, note[name]), readable(note[name]))
        for name in said
        if note.get(name) not in (None, "")
    }
    return ", ".join(said[name].format(value) for name, value in reported.items())


def _bp(fraction: Any) -> str:
    return f"{float(fraction) * 1e4:+.1f} bp"

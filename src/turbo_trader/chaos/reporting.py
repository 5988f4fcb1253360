"""Results as JSON lines, and as lines for people."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def as_json(result: Mapping[str, Any]) -> str:
    """One line of JSON; what has no plain form is text."""
    return json.dumps(result, default=_plain)


def seed_line(result: Mapping[str, Any]) -> str:
    """One seed."""
    violation = result["violation"]
    end = f"VIOLATION {violation['invariant']}: {violation['what']}" if violation else "held"
    return (
        f"seed {result['seed']}: {result['simulated_s'] / 3600:.2f} h at {result['speed']:,.0f} s/s, "
        f"{result['lives']} lives, {result['entries']} entries, {result['trades']} trades: {end}"
    )


def again(violation: Mapping[str, Any]) -> str:
    """The command that plays a violation again: the least that still does."""
    return str(violation.get("shrunk", violation["command"]))


def violation_lines(violation: Mapping[str, Any], events: int = 20) -> list[str]:
    """What broke, the last events, and the command that plays it again."""
    text = ("last", "command", "shrunk", "trace")
    figures = {name: value for name, value in violation.items() if name not in text}
    return [
        f"{violation['invariant']} broke with seed {violation['seed']}: {figures}",
        *(f"    {line[:300]}" for line in violation["last"][-events:]),
        *(f"    {line}" for line in str(violation.get("trace", "")).splitlines()),
        f"again: {again(violation)}",
    ]


def total_lines(total: Mapping[str, Any]) -> list[str]:
    """All seeds."""
    kinds = ", ".join(f"{name} {count:,}" for name, count in total["faults"].items())
    return [
        f"seeds       {total['seeds']}, {total['simulated_hours']:.1f} simulated hours in {total['cpu_seconds']:.1f} s of cores: "
        f"{total['speed']:,.0f} simulated seconds a second of a core",
        f"lives       {total['lives']:,}, entries {total['entries']:,}, trades {total['trades']:,}",
        f"faults      {kinds or 'none'}",
        f"violations  {len(total['violations'])}",
    ]

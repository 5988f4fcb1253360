"""The numbers of the rules listed: where each comes from, and why it is what it is."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic.fields import FieldInfo

from turbo_trader.numbers.declared import Declared, env_name, extra
from turbo_trader.numbers.number import Belief, Horizon, Label, Value, default_of
from turbo_trader.rules.sources import SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One line of `turbo-trader policy`."""

    name: str  # its environment variable
    value: Value
    default: Value
    unit: str
    section: str  # section of the trading rules
    label: Label
    source: str  # the line of the trading rules that it stands in; "" where nobody wrote it down
    reason: str  # why this value, where it is not asked for
    overridden: bool
    meaning: str


def reason(field: FieldInfo) -> str:
    """Why a number is what it is; "" where the user asked for it."""
    facts = extra(field)
    line = SOURCES.get(facts["section"])
    return facts["why"] or (line.why if line and facts["label"] != Label.ASKED else "")


def number_rows(numbers: Declared) -> list[NumberRow]:
    """Every number with its default, unit, origin and whether it was overridden; sections of the rules in their order."""
    rows, belief = [], getattr(numbers, "belief", Belief.ASKED)
    horizon = getattr(numbers, "horizon", Horizon.MINUTES)
    for name, field in type(numbers).model_fields.items():
        facts, value = extra(field), getattr(numbers, name)
        line = SOURCES.get(facts["section"])
        rows.append(
            NumberRow(
                name=env_name(name),
                value=value,
                default=default_of(field, belief, horizon),
                unit=facts["unit"],
                section=facts["section"],
                label=facts["label"],
                source=facts["source"] or (line.text if line else ""),
                reason=reason(field),
                overridden=value != default_of(field, belief, horizon),
                meaning=str(field.description),
            )
        )
    return sorted(rows, key=lambda row: row.section[0])

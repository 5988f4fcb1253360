"""One number of the rules: how it is declared."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias, cast

from pydantic import Field
from pydantic.fields import FieldInfo

from turbo_trader.numbers.declared import Declared, extra

Value: TypeAlias = bool | int | Decimal | str | tuple[str, ...] | tuple[int, ...]


class Belief(StrEnum):
    """How far a forecast is believed (BELIEF)."""

    ASKED = "asked"  # the plain forecast
    WEIGHED = "weighed"  # averaged over whether its drift is there at all
    MEASURED = "measured"  # the averaged one as its past outcomes have it


class Horizon(StrEnum):
    """How long trades last (HORIZON)."""

    MINUTES = "minutes"
    HOURS = "hours"


class Label(StrEnum):
    """Whose number it is."""

    ASKED = "asked"  # it stands in the user's texts
    CHOSEN = "chosen"  # the user's texts leave it open or contradict themselves; ours, with the reason
    OURS = "ours"  # a rule that the user did not ask for, with the reason


def asked(default: Value, unit: str, section: str, meaning: str, **bounds: Any) -> Any:
    """A number that stands in the user's texts; bounds and section as of `number`."""
    return number(Label.ASKED, default, unit, section, meaning, **bounds)


def chosen(default: Value, unit: str, section: str, meaning: str, **bounds: Any) -> Any:
    """A number that the user's texts leave open, or that they contradict themselves in."""
    return number(Label.CHOSEN, default, unit, section, meaning, **bounds)


def ours(default: Value, unit: str, section: str, meaning: str, **bounds: Any) -> Any:
    """A number of a rule that we added."""
    return number(Label.OURS, default, unit, section, meaning, **bounds)


def number(
    label: Label, default: Value, unit: str, section: str, meaning: str, *,
    low: str = "0", high: str = "1e9", choices: tuple[str, ...] = (), pinned: bool = False, why: str = "",
    weighed: Value | None = None, hours: Value | None = None, source: str = "", text: bool = False,
) -> Any:  # fmt: skip
    """A pydantic field. `low` and `high` are allowed themselves.

    `section`: of the trading rules, then the line there, such as "7 margin cap": its text and the reason are in `sources`;
    `source` and `why` say both where `sources` does not. A default of an enum allows its members, one among `choices` allows these;
    any other str default is a decimal, or with `text` a text of any kind. A `pinned` number is built into a kernel or the venue:
    it is shown, and any other value is refused. `weighed` is the default where BELIEF is not asked, `hours` that of HORIZON=hours,
    where they differ (`default_of`).
    """
    enum = type(default) if isinstance(default, StrEnum) else None
    choices = choices if enum is None else tuple(enum)
    value = Decimal(default) if isinstance(default, str) and not choices and not text else default
    facts: dict[str, Any] = {
        "unit": unit,
        "section": section,
        "label": label,
        "why": why,
        "choices": choices,
        "source": source,
    }
    for mode, other in (("weighed", weighed), ("hours", hours)):
        if other is not None:
            facts[mode] = Decimal(other) if isinstance(other, str) and not choices else other
    limits: dict[str, Any] = {}
    if enum is not None:
        limits = {"strict": False}  # its text is one of its members
    elif choices:
        limits = {"pattern": f"^({'|'.join(choices)})$"}
    elif text or isinstance(value, tuple):
        limits = {} if text else {"min_length": 1}
    elif not isinstance(value, bool):
        kind = type(value)
        limits = {
            "ge": kind(value if pinned else Decimal(low)),
            "le": kind(value if pinned else Decimal(high)),
        }
    return Field(value, description=meaning, json_schema_extra=facts, **limits)


def default_of(field: FieldInfo, belief: str, horizon: str = Horizon.MINUTES) -> Value:
    """The default of a number under a BELIEF and a HORIZON."""
    facts = extra(field)
    if horizon == Horizon.HOURS and "hours" in facts:
        return cast("Value", facts["hours"])
    return cast("Value", field.default if belief == Belief.ASKED else facts.get("weighed", field.default))


def by_mode(declared: type[Declared], belief: str, horizon: str) -> dict[str, Value]:
    """The defaults that depend on BELIEF or HORIZON, under these."""
    fields = declared.model_fields.items()
    return {
        name: default_of(field, belief, horizon)
        for name, field in fields
        if not {"weighed", "hours"}.isdisjoint(extra(field))
    }

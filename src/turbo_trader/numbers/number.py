"""One number of the rules: how it is declared."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias, cast

from pydantic import Field
from pydantic.fields import FieldInfo

from turbo_trader.numbers.declared import Declared, extra

Value: TypeAlias = bool | int | Decimal | str | tuple[str, ...] | tuple[int, ...]


class Label(StrEnum):
    """Whose number it is."""

    ASKED = "asked"  # it stands in the user's texts
    CHOSEN = "chosen"  # his texts leave it open or contradict themselves; ours, with the reason
    OURS = "ours"  # a rule that he did not ask for, with the reason


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
    `source` and `why` say both where `sources` does not. With `choices` a str default is one of these terms; without, it is a
    decimal. A `pinned` number is built into a kernel or into the venue: it is shown, and any other value is refused. `weighed`: the
    default where BELIEF is not asked, `hours`: that of HORIZON=hours, if they are others (`default_of`). `text`: a str default is
    text of any kind.
    """
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
    if choices:
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


def default_of(field: FieldInfo, belief: str, horizon: str = "minutes") -> Value:
    """The default of a number under a BELIEF and a HORIZON."""
    facts = extra(field)
    if horizon == "hours" and "hours" in facts:
        return cast("Value", facts["hours"])
    return cast("Value", field.default if belief == "asked" else facts.get("weighed", field.default))


def by_mode(declared: type[Declared], belief: str, horizon: str) -> dict[str, Value]:
    """The defaults that depend on BELIEF or HORIZON, under these."""
    fields = declared.model_fields.items()
    return {
        name: default_of(field, belief, horizon)
        for name, field in fields
        if not {"weighed", "hours"}.isdisjoint(extra(field))
    }

"""One number of the rules: how it is declared, where it comes from, how it is listed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias, cast

from pydantic import Field
from pydantic.fields import FieldInfo

from turbo_trader.rules.declared import Declared, env_name, extra
from turbo_trader.rules.sources import SOURCES

Value: TypeAlias = bool | int | Decimal | str | tuple[str, ...] | tuple[int, ...]


class Label(StrEnum):
    """Whose number it is."""

    ASKED = "asked"  # it stands in the user's texts
    CHOSEN = "chosen"  # his texts leave it open or contradict themselves; ours, with the reason
    OURS = "ours"  # a rule that he did not ask for, with the reason


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
    weighed: Value | None = None, text: bool = False,
) -> Any:  # fmt: skip
    """A pydantic field. `low` and `high` are allowed themselves.

    `section`: of the trading rules, then the line there, such as "7 margin cap": its text and the reason are in `sources`;
    `why` is the reason where that line has none. With `choices` a str default is one of these terms; without, it is a decimal. A
    `pinned` number is built into a kernel or into the venue: it is shown, and any other value is refused. `weighed`: the default
    where BELIEF is not asked, if that is another one (`default_of`). `text`: a str default is text of any kind.
    """
    value = Decimal(default) if isinstance(default, str) and not choices and not text else default
    facts: dict[str, Any] = {"unit": unit, "section": section, "label": label, "why": why, "choices": choices}
    if weighed is not None:
        facts["weighed"] = Decimal(weighed) if isinstance(weighed, str) and not choices else weighed
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


def default_of(field: FieldInfo, belief: str) -> Value:
    """The default of a number under a BELIEF."""
    return cast("Value", field.default if belief == "asked" else extra(field).get("weighed", field.default))


def by_belief(declared: type[Declared], belief: str) -> dict[str, Value]:
    """The defaults that depend on BELIEF, under this one."""
    fields = declared.model_fields.items()
    return {name: default_of(field, belief) for name, field in fields if "weighed" in extra(field)}


def reason(field: FieldInfo) -> str:
    """Why a number is what it is; "" where the user asked for it."""
    facts = extra(field)
    line = SOURCES.get(facts["section"])
    return facts["why"] or (line.why if line and facts["label"] != Label.ASKED else "")


def number_rows(numbers: Declared) -> list[NumberRow]:
    """Every number with its default, unit, origin and whether it was overridden."""
    rows, belief = [], getattr(numbers, "belief", "asked")
    for name, field in type(numbers).model_fields.items():
        facts, value = extra(field), getattr(numbers, name)
        line = SOURCES.get(facts["section"])
        rows.append(
            NumberRow(
                name=env_name(name),
                value=value,
                default=default_of(field, belief),
                unit=facts["unit"],
                section=facts["section"],
                label=facts["label"],
                source=line.text if line else "",
                reason=reason(field),
                overridden=value != default_of(field, belief),
                meaning=str(field.description),
            )
        )
    return rows

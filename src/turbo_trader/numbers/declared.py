"""Settings declared once, fed from a mapping of text: one parser and one wording for the rules' numbers and the installation.

Constructing such an object reads nothing: no environment, no file. `read` is the way in from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, Self, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from turbo_trader.market.errors import InputError
from turbo_trader.numbers.text import decimal, parts, switch, whole

_SHOWN = 60  # characters of a refused value
_READERS: Mapping[Any, Callable[[str], object]] = {
    bool: switch,
    int: whole,
    Decimal: decimal,
    float: lambda text: float(decimal(text)),
    tuple[str, ...]: parts,
    tuple[int, ...]: lambda text: tuple(whole(item) for item in parts(text)),
}


class BadValue(InputError):
    """A value outside what its declaration allows. `field` and `rest` allow another name in front: an option's."""

    def __init__(self, field: str, rest: str) -> None:
        super().__init__(f"{env_name(field)}{rest}")
        self.field = field
        self.rest = rest


class MappingSource(PydanticBaseSettingsSource):
    """Environment variables (upper case, not blank) out of a mapping instead of the process's own environment."""

    def __init__(self, declared: type[BaseSettings], env: Mapping[str, str]) -> None:
        super().__init__(declared)
        self._env = env

    def get_field_value(self, _field: FieldInfo, field_name: str) -> tuple[str, str, bool]:
        """The text of a field ("" where there is none), its key, and that it needs no decoding."""
        return self._env.get(env_name(field_name), "").strip(), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The text of every field that is given."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: text for name, text in found.items() if text}


class Declared(BaseSettings):
    """Frozen settings; BadValue where a value is not what its declaration allows."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **given: Any) -> None:
        try:
            BaseModel.__init__(self, **given)  # BaseSettings' own would read the process's environment
        except ValidationError as error:
            raise self._refusal(error, given) from None

    @classmethod
    def read(cls, env: Mapping[str, str], **given: Any) -> Self:
        """The defaults, below what `env` says, below what is given."""
        return cls(**{**MappingSource(cls, env)(), **given})

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[str(info.field_name)]
        kind = field.annotation
        if isinstance(value, str) and kind in _READERS:
            value = _READERS[kind](value.strip())
        if isinstance(value, str) and extra(field).get("choices"):
            value = value.strip().lower()
        if isinstance(value, tuple) and len(set(value)) < len(value):
            raise ValueError("an item stands twice")
        return Decimal(value) if kind is Decimal and type(value) is int else value

    @classmethod
    def _refusal(cls, error: ValidationError, given: Mapping[str, object]) -> InputError:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        if name not in cls.model_fields:
            return InputError(f"{env_name(name)} is no setting")
        field = cls.model_fields[name]
        hidden = "key" in name or "url" in name  # an address may carry a password
        secret = hidden or SecretStr in (field.annotation, *get_args(field.annotation))
        value = "" if secret else f" = {shown(given.get(name, first['input']))[:_SHOWN]!r}"
        origin = source(field)
        return BadValue(name, f"{value}: expected {expectation(field)}{f' ({origin})' if origin else ''}")


def env_name(field_name: str) -> str:
    """The environment variable of a field: its name in upper case."""
    return field_name.upper()


def shown(value: object) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def extra(field: FieldInfo) -> Mapping[str, Any]:
    """What a declaration says beyond pydantic's own: unit, section, label, choices; empty where nothing."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def source(field: FieldInfo) -> str:
    """The place in the rules that a field comes from, for messages; "" for a setting of the installation."""
    section = extra(field).get("section")
    return f"section {section}: {field.description}" if section else ""


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """The lowest and highest value of a number, allowed themselves unless the declaration excludes them; None: no bound."""
    low = high = None
    for constraint in field.metadata:
        match constraint:
            case Ge(ge=value) | Gt(gt=value):
                low = value
            case Le(le=value) | Lt(lt=value):
                high = value
    return low, high


def expectation(field: FieldInfo) -> str:
    """What is expected of a field, in plain text."""
    kind, facts = field.annotation, extra(field)
    named = facts.get("choices") or (get_args(kind) if get_origin(kind) is Literal else ())
    if kind is bool:
        return "true or false"
    if named:
        return "one of " + ", ".join(named)
    if get_origin(kind) is tuple:
        return f"a comma-separated list of {facts.get('unit', 'items')}, each once"
    if kind not in (int, float, Decimal):
        meaning, _, form = str(field.description).partition(": ")
        return form or meaning
    low, high = bounds(field)
    if low == high:
        return f"{field.default}: it cannot be changed"
    spelled = "a whole number" if kind is int else "a number (%, bp allowed)"
    unit = f" ({facts['unit']})" if "unit" in facts else ""
    return f"{spelled} of {low} to {high}{unit}"

"""Settings of the installation: `.env` and environment, command-line options above them. The rules' numbers are in the Policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from turbo_trader.console.output import say
from turbo_trader.market.errors import InputError
from turbo_trader.rules.numbers import decimal
from turbo_trader.rules.policy import Policy

Mode = Literal["paper", "testnet", "demo", "live"]


class Settings(BaseSettings):
    """One field per setting; the name in upper case is its environment variable. `.env.example` explains each."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", validate_default=True
    )

    mode: Mode = Field("paper", description="paper, testnet, demo or live")
    bybit_api_key: SecretStr = Field(
        SecretStr(""), description="API key of a dedicated sub-account, without withdrawal rights"
    )
    bybit_api_secret: SecretStr = Field(SecretStr(""), description="its secret")
    bybit_key_file: Path | None = Field(
        None, description="file with key and secret on two lines, readable by its owner alone (0600)"
    )
    i_accept_the_risk: bool = Field(False, description="must be true for MODE=live: you may lose all of it")
    market: str = Field(
        "synthetic",
        description="paper's market: synthetic, tape:PATH, bybit, or bybit:URL (another V5 venue)",
    )
    speed: float = Field(
        0.0, description="paper's time factor; 0 = 30 on the synthetic market, 1 on a tape, bybit's own"
    )
    balance: Decimal = Field(Decimal(18), description="paper's starting balance, USDT")
    seed: int = Field(1, description="seed of the synthetic market and of rebuilt tapes")
    edge: float = Field(
        1.0,
        description="predictability put into the synthetic market by `run`; 0 = none, as in tests and studies",
    )
    faults: str = Field(
        "", description="what goes wrong at the paper venue, such as drop=0.05,delay=0.05,error=0.05"
    )
    fault_seed: int = Field(0, ge=0, description="seed of those faults")
    journal_dir: Path = Field(Path("var"), description="folder of journal, logs and control token")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    order_entry: Literal["rest", "websocket"] = Field(
        "rest",
        description="what orders other than closes leave by: rest or websocket (REST again wherever it is not up)",
    )
    bybit_domain: str = Field("bybit", description="domain of the venue's hosts")
    bybit_tld: str = Field("com", description="top-level domain of the venue's hosts (com, nl, eu, ...)")

    @field_validator("balance", mode="after")
    @classmethod
    def _balance_is_positive(cls, value: Decimal) -> Decimal:
        if not value.is_finite() or value <= 0:
            raise ValueError("must be above 0 USDT")
        return value

    @field_validator("speed", "edge", mode="after")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if not 0 <= value < 1e6:
            raise ValueError("must be 0 or more")
        return value


def load_settings(**options: Any) -> Settings:
    """Settings from `.env`, the environment and the options that are not None (later wins); InputError names what is wrong."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        shown = "" if "secret" in name or "key" in name else f" = {first.get('input')!r}"
        message = str(first["msg"]).removeprefix("Value error, ")
        where = f"option --{name.replace('_', '-')}" if name in given else name.upper()
        raise InputError(f"{where}{shown}: {message}") from None


def environment() -> Mapping[str, str]:
    """`.env` below the real environment: where the Policy looks for overrides of its numbers.

    InputError for a name in `.env` that is nearly one of ours; any other unknown one is told, once.
    """
    from dotenv import dotenv_values

    values = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    settings = {name.upper() for name in Settings.model_fields}
    known = sorted(settings.union(row.name for row in Policy().table()))
    unknown = [name for name in values if name not in known and name.upper() not in settings]
    for name in unknown:
        if meant := get_close_matches(name.upper(), known, n=1, cutoff=0.85):
            raise InputError(
                f".env: {name} is no setting; did you mean {meant[0]}? correct the line or remove it"
            )
    _tell_unknown(tuple(unknown))
    return {**values, **os.environ}


@cache
def _tell_unknown(names: tuple[str, ...]) -> None:
    for name in names:
        say(f"turbo-trader: .env: {name} is no setting and does nothing; .env.example has them all")


def fraction(text: str, what: str) -> Decimal:
    """A command-line fraction of 0 to 1, as 0.0075, 0.75% or 75bp; InputError otherwise."""
    try:
        value = decimal(text.strip())
    except InvalidOperation:
        raise InputError(f"{what} {text!r}: not a fraction; write it like 0.75%") from None
    if not value.is_finite() or not 0 <= value <= 1:
        raise InputError(f"{what} {text}: must be 0 to 100%")
    return value


def positive_decimal(text: str, what: str) -> Decimal:
    """A command-line number of money as a Decimal above 0; InputError otherwise."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InputError(f"{what} {text!r}: not a number") from None
    if not value.is_finite() or value <= 0:
        raise InputError(f"{what} {text}: must be above 0")
    return value

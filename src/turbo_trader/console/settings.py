"""Settings of the installation: `.env` and environment, command-line options above them. The rules' numbers are in the Policy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from turbo_trader.bybit.endpoints import Mode, local_address
from turbo_trader.console.alarms.catalogue import Alarm
from turbo_trader.console.dotenv import dotenv
from turbo_trader.console.folders import JOURNALS
from turbo_trader.console.options import EDGE, FASTEST, MOST_EDGE
from turbo_trader.console.setting_names import check_environment, check_file, refuse_renamed
from turbo_trader.live.daemon_settings import Record
from turbo_trader.market.errors import InputError
from turbo_trader.numbers.declared import BadValue, Declared
from turbo_trader.numbers.text import decimal
from turbo_trader.rules.policy import Policy


class MarketKind(StrEnum):
    """Where a paper market comes from: what MARKET is before its colon."""

    SYNTHETIC = "synthetic"
    TAPE = "tape"
    BYBIT = "bybit"  # or another V5 venue


LEAST_MONEY = Decimal("0.01")  # USDT; of a balance, a price may be smaller
MOST_MONEY = Decimal("1e9")
MOST_SEED = 2**63 - 1


class Settings(Declared):
    """One field per setting; the name in upper case is its environment variable. `.env.example` explains each."""

    mode: Mode = Field(Mode.PAPER, description="paper, testnet, demo or live")
    bybit_api_key: SecretStr = Field(
        SecretStr(""), description="API key of a dedicated sub-account, without withdrawal rights"
    )
    bybit_api_secret: SecretStr = Field(SecretStr(""), description="its secret")
    bybit_key_file: Path | None = Field(
        None, description="file with key and secret on two lines, readable only by its owner (0600)"
    )
    i_accept_the_risk: bool = Field(False, description="must be true for MODE=live: you may lose all of it")
    i_accept_hours: bool = Field(
        False,
        description="must be true for HORIZON=hours with MODE=live: no edge over hours has been shown (docs/edge.md)",
    )
    market: str = Field(
        MarketKind.SYNTHETIC.value,
        description="paper's market: synthetic, tape:PATH, bybit, or bybit:URL (another V5 venue)",
    )
    speed: float = Field(
        0.0,
        ge=0,
        le=FASTEST,
        description="paper's highest time factor, or max; 0 = 30 on the synthetic market, 1 on a tape, bybit's own",
    )
    market_start: str = Field(
        "",
        description="time at which the synthetic market begins: now, or ISO 8601; default now at speed 1, else 2026-01-05T09:00Z",
    )
    balance: Decimal = Field(
        Decimal(18), ge=LEAST_MONEY, le=MOST_MONEY, description="paper's starting balance, USDT"
    )
    seed: int = Field(1, ge=0, le=MOST_SEED, description="seed of the synthetic market and of rebuilt tapes")
    edge: float = Field(
        EDGE,
        ge=0,
        le=MOST_EDGE,
        description="predictability put into the synthetic market; 0 = none, as in tests and studies",
    )
    faults: str = Field("", description="faults of the paper venue, such as drop=0.05,delay=0.05,error=0.05")
    fault_seed: int = Field(0, ge=0, le=MOST_SEED, description="seed of those faults")
    journal_dir: Path = Field(Path(JOURNALS), description="folder of journal, logs and control token")
    journal_url: SecretStr = Field(
        SecretStr(""),
        description="database of the journal: postgresql://USER:PASSWORD@HOST:5432/DATABASE; empty: a file of its folder",
    )
    journal_name: str = Field(
        "", description="this daemon's journal among others of that database: letters, digits and -"
    )
    journal_days: int = Field(
        30,
        ge=0,
        le=36_500,
        description="days to keep scans and records without money; trades, fills and orders are kept for ever; 0: keep all",
    )
    record: Record = Field(
        Record.OFF,
        description="what `run` records for `replay`: off, decisions, or full (raw public frames too)",
    )
    record_days: float = Field(7, gt=0, le=3_650, description="days that recordings are kept")
    record_gb: float = Field(
        10, ge=0.2, le=10_000, description="GB (1e9 bytes) that the recordings of a journal may take"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    order_entry: Literal["rest", "websocket"] = Field(
        "rest",
        description="how orders other than closes are sent: rest or websocket (REST whenever the websocket is down)",
    )
    bybit_domain: str = Field("bybit", description="domain of the venue's hosts")
    bybit_tld: str = Field("com", description="top-level domain of the venue's hosts (com, nl, eu, ...)")
    bybit_rest_url: str = Field(
        "",
        description="another V5 venue for testnet, demo and live: plain http to this machine, such as http://127.0.0.1:9000",
    )
    bybit_stream_url: str = Field(
        "", description="the streams of that venue: plain ws to this machine, such as ws://127.0.0.1:9000"
    )
    notify: SecretStr = Field(
        SecretStr(""),
        description="where alarms go: apprise addresses, separated by blanks, such as tgram://... mailto://...",
    )
    notify_file: Path | None = Field(
        None, description="file with such addresses, one per line, readable only by its owner (0600)"
    )
    notify_level: Literal["info", "warning", "critical"] = Field(
        "info", description="least severity that is sent: info, warning or critical"
    )
    notify_kinds: tuple[str, ...] = Field(
        ("all",),
        description="alarms that are sent: all, names of docs/operations.md, or -NAME to leave one out",
        json_schema_extra={"unit": "all, " + ", ".join(Alarm) + ", or -NAME to leave one out"},
    )
    notify_interval: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="s between two messages to a target; alarms in between are bundled, critical ones do not wait",
    )
    notify_digest: Literal["off", "hourly", "daily"] = Field(
        "daily", description="summary of trades, equity and alarms: off, hourly or daily (UTC)"
    )

    metrics: str = Field(
        "",
        description="where metrics and health are served: ADDRESS:PORT such as 127.0.0.1:9108; empty: nowhere",
    )
    metrics_public: bool = Field(
        False, description="METRICS may be an address that others reach; there is no password"
    )

    @field_validator("speed", mode="before")
    @classmethod
    def _fastest(cls, value: object) -> object:
        return FASTEST if value == "max" else value

    @field_validator("metrics", mode="after")
    @classmethod
    def _an_address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if value and (
            not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)
            or (ip_address(host[1:-1] if bracketed else host).version == 6) != bracketed
        ):
            raise ValueError(value)
        return value

    @field_validator("journal_name", mode="after")
    @classmethod
    def _a_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", value):
            raise ValueError(value)
        return value

    @field_validator("notify_kinds", mode="after")
    @classmethod
    def _known_alarms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind != "all" and kind.removeprefix("-") not in set(Alarm):
                raise ValueError(kind)
        return value

    @field_validator("bybit_rest_url", "bybit_stream_url", mode="after")
    @classmethod
    def _on_this_machine(cls, value: str, info: ValidationInfo) -> str:
        scheme = "http" if info.field_name == "bybit_rest_url" else "ws"
        try:
            return local_address(value, scheme) if value else ""
        except InputError as error:
            raise ValueError(str(error)) from None


def load_settings(**options: Any) -> Settings:
    """Settings from `.env`, the environment and the options that are not None (later wins); InputError names what is wrong."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings.read(environment(), **given)
    except BadValue as bad:
        if bad.field not in given:
            raise
        raise InputError(f"option --{bad.field.replace('_', '-')}{bad.rest}") from None


def environment() -> Mapping[str, str]:
    """`.env` below the real environment: where settings and the rules' numbers are read from.

    InputError for an old name, for a line of `.env` that cannot be read and for a name in it that is nearly a setting's. Other
    names that are no settings are reported once, by the rule of `setting_names`.
    """
    values = dotenv(Path(".env"))
    refuse_renamed(values, ".env")
    refuse_renamed(os.environ, "environment")
    known = sorted({name.upper() for name in (*Settings.model_fields, *Policy.model_fields)})
    check_file(values, known)
    check_environment(os.environ, known)
    return {**values, **os.environ}


def fraction(text: str, what: str) -> Decimal:
    """A command-line fraction of 0 to 1, as 0.0075, 0.75% or 75bp; InputError otherwise."""
    try:
        value = decimal(text.strip())
    except ValueError:
        raise InputError(f"{what} {text!r}: not a fraction; write it like 0.75%") from None
    if not 0 <= value <= 1:
        raise InputError(f"{what} {text}: must be 0 to 100%")
    return value


def positive_decimal(text: str, what: str, least: Decimal = LEAST_MONEY) -> Decimal:
    """A command-line amount of money of `least` to MOST_MONEY; InputError otherwise."""
    try:
        value = decimal(text.strip())
    except ValueError:
        raise InputError(f"{what} {text!r}: not a number; write it like 18.50") from None
    if not least <= value <= MOST_MONEY:
        raise InputError(f"{what} {text}: must be {least} to {MOST_MONEY:f} USDT")
    return value

"""One line of an examination, and what a refused request means to the reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.venue_errors import BANNED, Kind

_REGION = (403, 10008, 10009, 10024, 10027, 110132, BANNED)


class Level(StrEnum):
    """How a check ended. REFUSE: not merely broken but unsafe."""

    PASS = "pass"  # noqa: S105 - a level, not a secret
    WARN = "warn"
    FAIL = "fail"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was found, and what to do about it ("" where nothing is to be done)."""

    name: str
    level: Level
    found: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.found}{'; ' if self.fix else ''}{self.fix}"


def worst(checks: Iterable[Check]) -> Level:
    """The worst level of them."""
    order = list(Level)
    return max((check.level for check in checks), key=order.index, default=Level.PASS)


def refusal(name: str, answer: Answer, where: str) -> Check:
    """The failed check of a refused or lost request to `where`: what it means and what to do."""
    found = f"{answer.verdict.meaning} ({answer.code}{': ' if answer.message else ''}{answer.message[:160]})"
    if answer.code in _REGION:
        return Check(
            name,
            Level.FAIL,
            found,
            "wait ten minutes; if it stays, the venue serves no address of this region",
        )
    fix = {
        10002: "synchronise this machine's clock (NTP)",
        10003: f"use a key made for {where} (mainnet, testnet and demo have keys of their own), or the MODE it was made for",
        10004: "check BYBIT_API_SECRET: it is not the secret of this key",
        10005: "give the key the permission to read its account",
        10007: "create a new key",
        10010: "add this machine's address to the key, or run where it is bound to",
        10028: "upgrade the account to a unified trading account",
        33004: "create a new key",
    }.get(
        answer.code,
        "try again; check the network"
        if answer.verdict.kind is not Kind.FATAL
        else "see the venue's message",
    )
    return Check(name, Level.FAIL, found, fix)

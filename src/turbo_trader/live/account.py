"""What must be true of key and account before orders are sent: facts in, one line a check out. Pure.

`doctor` shows all of it; the start of a live mode refuses what is unsafe and what cannot work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.schemas import amount, whole
from turbo_trader.live.checks import Check, Level, refusal
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy

DAY = 86_400 * SECOND
EXPIRY_WARNED_DAYS = (14, 7, 1)  # a key's end is reported when so many days are left
_UNIFIED = (3, 4, 5, 6)  # unifiedMarginStatus


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the venue says of key and account. `positions`: the answer per symbol. `now`: the venue's time, ns."""

    where: str
    now: int
    key: Answer
    account: Answer
    positions: Mapping[str, Answer]


def account_checks(facts: AccountFacts, policy: Policy) -> list[Check]:
    """Key, permissions, expiry, address, account type, margin mode, position mode."""
    return [
        *_key(facts, policy),
        _account_type(facts.account),
        *_margin_mode(facts),
        _position_mode(facts.positions),
    ]


def alone(strangers: Mapping[str, int]) -> Check:
    """Does nobody else trade here with this program? `strangers`: starts the journal does not know -> their last order, ns UTC."""
    if not strangers:
        return Check("account's only", Level.PASS, "no other turbo-trader has ordered in the last day")
    last = max(strangers.values()) // SECOND
    return Check(
        "account's only", Level.REFUSE,
        f"orders of a turbo-trader that this journal does not know (start {', '.join(sorted(strangers))}; the last at "
        f"{datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S} UTC)",
        "stop that one; if it is gone and its journal is lost, `run --take-over` treats its orders as ours",
    )  # fmt: skip


def expiry(key: Answer) -> int | None:
    """When the key ends, ns UTC; None where the venue does not say."""
    try:
        at = datetime.fromisoformat(str(key.result.get("expiredAt") or ""))
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp()) * SECOND


def days_warned(at: int, now: int) -> int | None:
    """The warning a key that ends at `at` is due for (14, 7 or 1 days); None while it is farther away."""
    return min((days for days in EXPIRY_WARNED_DAYS if at - now <= days * DAY), default=None)


def hedged(positions: Mapping[str, Answer]) -> list[str]:
    """Symbols in hedge mode: their rows carry a position index other than 0."""
    return [
        symbol
        for symbol, answer in positions.items()
        if any(whole(row.get("positionIdx")) for row in answer.rows)
    ]


def _key(facts: AccountFacts, policy: Policy) -> Iterator[Check]:
    answer = facts.key
    if not answer.ok:
        yield refusal("key", answer, facts.where)
        return
    info = answer.result
    yield Check("key", Level.PASS, f"accepted at {facts.where}")
    yield _permissions(info)
    yield _expiry(answer, facts.now, int(policy.key_expiry_lead) * SECOND)
    ips = _texts(info.get("ips"))
    if not ips or "*" in ips:
        yield Check(
            "address",
            Level.WARN,
            "the key is bound to no address",
            "bind it to this machine's address; unbound keys expire after 90 days",
        )
    else:
        yield Check(
            "address", Level.PASS, f"the key is bound to {len(ips)} address{'es' if len(ips) > 1 else ''}"
        )


def _permissions(info: Mapping[str, Any]) -> Check:
    given = info.get("permissions")
    granted: Mapping[str, Any] = given if isinstance(given, dict) else {}
    wallet = _texts(granted.get("Wallet"))
    if any("withdraw" in right.lower() for right in wallet):
        return Check(
            "permissions",
            Level.REFUSE,
            "the key may withdraw",
            "create a key without withdrawal rights; this one is not used",
        )
    if whole(info.get("readOnly")):
        return Check(
            "permissions", Level.FAIL, "the key may only read", "create a key that may trade contracts"
        )
    lacking = sorted({"Order", "Position"} - set(_texts(granted.get("ContractTrade"))))
    if lacking:
        return Check(
            "permissions",
            Level.FAIL,
            f"the key lacks ContractTrade {', '.join(lacking)}",
            f"grant {' and '.join(lacking)}",
        )
    if wallet:
        return Check(
            "permissions",
            Level.WARN,
            f"the key may also {', '.join(wallet)}",
            "remove this right: trading does not need it",
        )
    return Check("permissions", Level.PASS, "contract orders and positions, no withdrawal")


def _texts(given: object) -> list[str]:
    """The items of a list as texts; what is no list is one item, so that no right is overlooked."""
    items = given if isinstance(given, list) else [given] if given else []
    return [str(item) for item in items]


def _span(left: int) -> str:
    """A time to come as people say it; years where days say nothing."""
    days = left / DAY
    return f"{days:.1f} days" if days < 1_000 else f"{days / 365.25:.0f} years"


def _expiry(answer: Answer, now: int, lead: int) -> Check:
    at = expiry(answer)
    if at is None:
        return Check("expiry", Level.PASS, "no end announced")
    left = at - now
    if left <= 0:
        return Check("expiry", Level.FAIL, "the key has expired", "create a new key")
    found = f"the key expires in {_span(left)}"
    if left <= lead:
        return Check("expiry", Level.WARN, f"{found}: no new entries from now on", "create a new key")
    if left <= EXPIRY_WARNED_DAYS[0] * DAY:
        return Check("expiry", Level.WARN, found, "create a new key before then")
    return Check("expiry", Level.PASS, found)


def _account_type(answer: Answer) -> Check:
    if not answer.ok:
        return refusal("account", answer, "this environment")
    status = answer.result.get("unifiedMarginStatus")
    if status is not None and whole(status) not in _UNIFIED:
        return Check("account", Level.FAIL, "a classic account", "upgrade it to a unified trading account")
    return Check("account", Level.PASS, "unified trading account")


def _margin_mode(facts: AccountFacts) -> Iterator[Check]:
    if not facts.account.ok:
        return
    mode = facts.account.result.get("marginMode")
    if mode in (None, "", "ISOLATED_MARGIN"):
        yield Check("margin mode", Level.PASS, "isolated")
    elif _rows_held(facts.positions):
        yield Check(
            "margin mode",
            Level.FAIL,
            f"{mode} with open positions",
            "close them, or set isolated margin by hand",
        )
    else:
        yield Check(
            "margin mode", Level.WARN, f"{mode}, nothing open", "`run` sets it to isolated when it starts"
        )


def _position_mode(positions: Mapping[str, Answer]) -> Check:
    if found := hedged(positions):
        return Check(
            "position mode", Level.REFUSE, f"hedge mode on {', '.join(found)}",
            "close what is open there and switch to one-way mode: hedge mode is not traded",
        )  # fmt: skip
    unread = [symbol for symbol, answer in positions.items() if not answer.ok]
    if unread:
        return Check(
            "position mode",
            Level.FAIL,
            f"not readable for {', '.join(unread)}",
            "try again; check the symbols",
        )
    return Check("position mode", Level.PASS, "one-way")


def _rows_held(positions: Mapping[str, Answer]) -> bool:
    return any(amount(row.get("size")) for answer in positions.values() for row in answer.rows)

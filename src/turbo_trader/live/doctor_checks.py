"""What must be true before real money is traded: facts in, one line a check out. Pure; `live.facts` gathers the facts.

Key and account are judged in `live.account`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.schemas import nanoseconds, whole
from turbo_trader.bybit.venue_errors import NOT_SENT
from turbo_trader.live.checks import Check, Level, refusal
from turbo_trader.market.instruments import Instrument, InstrumentStatus
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.feasibility import feasible
from turbo_trader.rules.policy import Policy

CLOCK_ALARM_S = 0.5
DISK_WARN, DISK_FAIL = 2_000_000_000, 200_000_000  # bytes free
_OVER = ("completed", "canceled", "cancelled")
_FUTURES = 1  # of a maintenance's `product`


@dataclass(kw_only=True, frozen=True, slots=True)
class VenueFacts:
    """What anybody can read there. `offset`: the venue's clock - ours, ns. `prices`: USDT by symbol."""

    where: str
    now: int
    time: Answer
    offset: int
    status: Answer
    instruments: tuple[Instrument, ...] = ()
    missing: tuple[
        str, ...
    ] = ()  # symbols of the configuration that cannot be read there, each with the reason
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    balance: Decimal | None = None  # USDT; None: not readable


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """This machine and the journal folder. `journal`: "" sound, None none yet, else what is wrong;
    what to do. `owner`: a running daemon.
    """

    folder: str
    free_bytes: int
    journal: str | None
    owner: str
    proxies: tuple[str, ...] = ()  # environment variables that name one


def venue_checks(facts: VenueFacts, policy: Policy) -> list[Check]:
    """Reached, clock, announced maintenance, symbols, what the balance can trade."""
    if not facts.time.ok:
        return [_reached(facts)]
    return [
        _reached(facts),
        *_clock(facts, policy),
        _maintenance(facts),
        *_symbols(facts),
        *_smallest(facts, policy),
    ]


def machine_checks(facts: MachineFacts) -> list[Check]:
    """Disk, journal, a second instance."""
    return [_disk(facts), _journal(facts), _instance(facts), *_proxies(facts)]


def maintenance(status: Answer, now: int) -> tuple[int, int] | None:
    """Begin and end (ns UTC; end 0: not known) of the next or current maintenance of futures announced; None where none is."""
    found = []
    for item in status.rows:
        products = item.get("product")
        begin, end = nanoseconds(item.get("begin")), nanoseconds(item.get("end"))
        concerns = (
            not isinstance(products, list)
            or not products
            or any(whole(each, _FUTURES) == _FUTURES for each in products)
        )
        over = str(item.get("state", "")).lower() in _OVER or 0 < end <= now
        if begin and concerns and not over:
            found.append((begin, end))
    return min(found, default=None)


# -- the venue


def _reached(facts: VenueFacts) -> Check:
    answer = facts.time
    if answer.ok:
        return Check("venue", Level.PASS, f"{facts.where} answers")
    if answer.code == NOT_SENT:
        return Check(
            "venue",
            Level.FAIL,
            f"no connection to {facts.where}",
            "check network, name resolution and BYBIT_TLD",
        )
    return refusal("venue", answer, facts.where)


def _clock(facts: VenueFacts, policy: Policy) -> Iterator[Check]:
    off, most = abs(facts.offset) / SECOND, float(policy.max_clock_offset)
    found = f"{facts.offset / 1e6:+.0f} ms to the venue's clock"
    if off >= most:
        yield Check(
            "clock", Level.FAIL, f"{found}, {most * 1e3:g} allowed", "synchronise this machine's clock (NTP)"
        )
    elif off >= CLOCK_ALARM_S:
        yield Check("clock", Level.WARN, found, "synchronise this machine's clock (NTP)")
    else:
        yield Check("clock", Level.PASS, found)


def _maintenance(facts: VenueFacts) -> Check:
    found = maintenance(facts.status, facts.now)
    if found is None:
        return Check("maintenance", Level.PASS, "none announced")
    begin = datetime.fromtimestamp(found[0] // SECOND, UTC)
    return Check(
        "maintenance",
        Level.WARN,
        f"announced for {begin:%Y-%m-%d %H:%M} UTC",
        "no entries shortly before and during it",
    )


def _symbols(facts: VenueFacts) -> Iterator[Check]:
    if not facts.instruments and not facts.missing:
        return
    closed = [
        f"{item.symbol} is {item.status}"
        for item in facts.instruments
        if item.status != InstrumentStatus.TRADING
    ]
    ending = [
        f"{item.symbol} is being delisted"
        for item in facts.instruments
        if item.status == InstrumentStatus.TRADING and item.delivery_ns
    ]
    if facts.missing:
        yield Check("symbols", Level.FAIL, "; ".join(facts.missing), "remove them from TARGET_ASSETS")
    elif closed or ending:
        yield Check(
            "symbols",
            Level.WARN,
            "; ".join(closed + ending),
            "no entries there; remove them from TARGET_ASSETS",
        )
    else:
        yield Check("symbols", Level.PASS, f"{len(facts.instruments)} symbols trade")


def _smallest(facts: VenueFacts, policy: Policy) -> Iterator[Check]:
    if facts.balance is None or not facts.prices:
        return
    name = "balance"
    if facts.balance <= 0:
        yield Check(name, Level.FAIL, "no USDT in the account", "transfer some USDT to the unified account")
        return
    rows = feasible(policy, facts.balance, facts.instruments, facts.prices)
    able = [row.symbol for row in rows if row.qty]
    refused = [row.reason for row in rows if not row.qty]
    found = f"{facts.balance:.2f} USDT can trade {len(able)} of {len(rows)} symbols"
    if not able:
        yield Check(
            name,
            Level.FAIL,
            _few([found, *refused]),
            "see `turbo-trader feasible`; use a larger balance or other symbols",
        )
    elif refused:
        yield Check(name, Level.WARN, _few([found, *refused]), "see `turbo-trader feasible`")
    else:
        yield Check(name, Level.PASS, found)


def _few(texts: Sequence[str]) -> str:
    more = len(texts) - 3
    return "; ".join(texts[:3]) + (f"; and {more} more" if more > 0 else "")


# -- this machine


def _disk(facts: MachineFacts) -> Check:
    found = f"{facts.free_bytes / 1e9:.1f} GB free at {facts.folder}"
    if facts.free_bytes < DISK_FAIL:
        return Check(
            "disk",
            Level.FAIL,
            found,
            "free some space or choose another JOURNAL_DIR: without a journal there are no entries",
        )
    if facts.free_bytes < DISK_WARN:
        return Check("disk", Level.WARN, found, "free some space")
    return Check("disk", Level.PASS, found)


def _journal(facts: MachineFacts) -> Check:
    if facts.journal is None:
        return Check("journal", Level.PASS, "none yet; the first run creates it")
    if facts.journal:
        found, _, fix = facts.journal.partition("; ")
        return Check("journal", Level.FAIL, found, fix)
    return Check("journal", Level.PASS, "sound")


def _instance(facts: MachineFacts) -> Check:
    if facts.owner:
        return Check(
            "instance",
            Level.WARN,
            f"process {facts.owner} trades with this journal",
            "stop it before another `run`",
        )
    return Check("instance", Level.PASS, "none running")


def _proxies(facts: MachineFacts) -> Iterator[Check]:
    if facts.proxies:
        yield Check(
            "proxy", Level.WARN, f"{', '.join(facts.proxies)} is set and ignored: connections are direct",
            "allow this machine to reach the venue directly, or run where it can",
        )  # fmt: skip

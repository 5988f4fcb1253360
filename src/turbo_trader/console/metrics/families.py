"""Every metric, declared once: its name, type, help, labels, and where its values come from.

Names follow Prometheus: a prefix, base units (seconds, ratio, usdt), `_total` for what only grows. Labels have few values: symbol,
gate, limit, tier, reason, event. docs/metrics.md has the same table; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from turbo_trader.console.metrics.moment import Moment
from turbo_trader.live.meter import BOUNDS, Histogram
from turbo_trader.trader.view import View

PREFIX: Final = "turbo_trader_"
Sample = tuple[tuple[str, ...], Any]  # label values, value (a Histogram for a histogram)


class Kind(StrEnum):
    """What a value is."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `read` gives its samples, none where there is nothing to say yet."""

    name: str
    kind: Kind
    help: str
    read: Callable[[Moment], Iterable[Sample]]
    labels: tuple[str, ...] = ()


def _one(read: Callable[[Moment], Any]) -> Callable[[Moment], list[Sample]]:
    return lambda moment: [((), read(moment))]


def _viewed(read: Callable[[View], Any]) -> Callable[[Moment], list[Sample]]:
    """Of the Trader, once there is one."""
    return lambda moment: [] if moment.view is None else [((), read(moment.view))]


def _summed(read: Callable[[Any], Any]) -> Callable[[Moment], list[Sample]]:
    """Of the run's summary, once there is one."""
    return lambda moment: [((), read(moment.summary))] if moment.summary else []


def _each(read: Callable[[Moment], Any]) -> Callable[[Moment], list[Sample]]:
    """By one label."""
    return lambda moment: [((str(key),), value) for key, value in read(moment).items()]


def _counted(read: Callable[[Moment], Any]) -> Callable[[Moment], list[Sample]]:
    """By several labels."""
    return lambda moment: [(tuple(map(str, key)), value) for key, value in read(moment).items()]


def _funnel(name: str) -> Callable[[Moment], list[Sample]]:
    return _summed(lambda summary: summary["funnel"][name])


def _streams(moment: Moment) -> list[Sample]:
    return [((name,), int(moment.status[f"{name}_up"])) for name in ("public", "private")]


def _tier(moment: Moment) -> list[Sample]:
    return [((moment.view.capital_tier,), 1)] if moment.view is not None and moment.view.capital_tier else []


def _stages(moment: Moment) -> list[Sample]:
    return [] if moment.view is None else [(pair, 1) for pair in moment.view.stages.items()]


_G, _C, _H = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM

FAMILIES: Final[tuple[Family, ...]] = (
    # the process
    Family(
        "build_info", _G, "Version and mode; always 1.",
        lambda m: [((m.version, m.status["mode"]), 1)], ("version", "mode"),
    ),
    Family("ready", _G, "1 where /ready answers 200.", _one(lambda m: int(not m.reasons))),
    Family("reconciled", _G, "1 once the account was compared with the venue.", _viewed(lambda v: int(v.reconciled))),
    Family("guard_up", _G, "1 while a guard watches this journal.", _one(lambda m: int(m.guard))),
    Family("lease_held", _G, "1 while this process may write to the venue.", _one(lambda m: int(m.status["may_write"]))),
    Family("journal_up", _G, "0 while the journal cannot be written.", _one(lambda m: int(not m.status["journal_failed"]))),
    Family("time_speed_ratio", _G, "Simulated seconds a second; 1 on a real venue.", _one(lambda m: m.status["speed"])),
    Family("clock_offset_seconds", _G, "The venue's clock less ours.", _one(lambda m: m.status["clock_offset_ms"] / 1000)),
    Family("event_loop_lag_seconds", _H, "How late the event loop wakes.", _one(lambda m: m.loop_lag)),
    Family("journal_commit_seconds", _H, "Commits that orders wait for.", _one(lambda m: m.meter.commits)),
    Family("log_events_total", _C, "Events of docs/logs.md.", _counted(lambda m: m.said.events), ("event", "level")),
    # money
    Family("equity_usdt", _G, "Wallet and open positions.", _viewed(lambda v: v.equity)),
    Family("wallet_usdt", _G, "Wallet by our books.", _viewed(lambda v: v.wallet)),
    Family("net_pnl_usdt", _G, "Result of the run, transfers left out.", _summed(lambda s: s["net_pnl"])),
    Family("fees_usdt", _G, "Fees of all fills of the run, rebates deducted.", _summed(lambda s: s["fees"])),
    Family("funding_usdt", _G, "Funding of the run, signed.", _summed(lambda s: s["funding"])),
    Family("session_result_ratio", _G, "Result of the session, of its start.", _viewed(lambda v: v.session_result)),
    Family("drawdown_ratio", _G, "Below the session's peak.", _viewed(lambda v: v.drawdown)),
    Family(
        "limit_used_ratio", _G, "Used share of each limit; 1 = all of it.",
        lambda m: [] if m.view is None else [((name,), used) for name, used in m.view.limits.items()], ("limit",),
    ),
    # positions and orders
    Family("positions", _G, "Open positions.", _viewed(lambda v: len(v.positions))),
    Family(
        "unprotected_positions", _G, "Those without a stop on the venue.",
        _viewed(lambda v: sum(p.stop is None for p in v.positions)),
    ),
    Family(
        "unprotected_seconds_total", _C, "As long as the venue showed a position without a stop.",
        _viewed(lambda v: v.unprotected_seconds),
    ),
    Family("entries_allowed", _G, "1 where the session allows entries.", _viewed(lambda v: int(not v.refusal))),
    Family("halted", _G, "1 while halted: until a person acts.", _viewed(lambda v: int(v.halted))),
    Family("frozen_symbols", _G, "Symbols that a person must look at.", _viewed(lambda v: len(v.frozen))),
    Family(
        "commands_total", _C, "Commands to the venue by what they do and their outcome.",
        _counted(lambda m: m.meter.outcomes), ("command", "outcome"),
    ),
    Family(
        "trades_total", _C, "Closed trades by signal tier, what ended them, and result.",
        _counted(lambda m: m.said.trades), ("tier", "reason", "result"),
    ),
    Family("liquidations_total", _C, "Liquidations and deleveraging.", _summed(lambda s: s["liquidations"])),
    # decisions
    Family("scans_total", _C, "Scans of a symbol.", _funnel("scans")),
    Family("candidates_total", _C, "Scans with data and a valid forecast.", _funnel("candidates")),
    Family("candidates_passed_total", _C, "Candidates that no gate blocked.", _funnel("passed")),
    Family(
        "gate_blocks_total", _C, "Scans by the first gate that blocked them.",
        _each(lambda m: m.summary["funnel"]["blocks"] if m.summary else {}), ("gate",),
    ),
    Family("capital_tier", _G, "The capital tier in force; always 1.", _tier, ("tier",)),
    Family("size_stage", _G, "The stage of a signal tier (SIZE=earned); always 1.", _stages, ("tier", "stage")),
    # the venue
    Family("stream_up", _G, "1 while a stream is up.", _streams, ("stream",)),
    Family(
        "stream_age_seconds", _G, "Since the last message, on the quietest connection.",
        _each(lambda m: m.stream_ages), ("stream",),
    ),
    Family("market_age_seconds", _G, "Since the last market row of a symbol.", _each(lambda m: m.market_ages), ("symbol",)),
    Family("frames_total", _C, "Public frames.", _one(lambda m: m.status["frames"])),
    Family("frames_unreadable_total", _C, "Public frames that could not be read.", _one(lambda m: m.status["unreadable"])),
    Family("book_gaps_total", _C, "Gaps in books.", _one(lambda m: m.status["gaps"])),
    Family(
        "stream_connects_total", _C, "Connections of public streams that were made.",
        _one(lambda m: m.status["connections"]),
    ),
    Family("requests_total", _C, "Requests that were sent.", _one(lambda m: m.status["requests"])),
    Family("requests_in_flight", _G, "Commands and reads without an answer yet.", _one(lambda m: m.status["in_flight"])),
    Family("request_seconds", _H, "From a request's turn to its answer.", _each(lambda m: m.meter.requests), ("lane",)),
    Family(
        "request_budget_used_ratio", _G, "Used share of the requests that are allowed.",
        _each(lambda m: m.budget_used), ("group",),
    ),
)  # fmt: skip


_BOUNDS: Final = (*(format(bound, "g") for bound in BOUNDS), "+Inf")


def buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """A histogram's buckets as Prometheus has them: upper bound as text, how many are not longer."""
    return list(zip(_BOUNDS, histogram.cumulative(), strict=True))

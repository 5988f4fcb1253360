"""The banner before a run: what is traded, with what money, how it is sized, and what may be lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Final

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.console.markets import in_lockstep
from turbo_trader.console.options import FASTEST
from turbo_trader.console.settings import MarketKind, Settings
from turbo_trader.console.size_choice import size_line
from turbo_trader.console.tables import WIDTH
from turbo_trader.journal.address import Address
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy

_NAME = 10  # columns of the first label

#: edge: bp of notional a trade, net of fees, and trades; docs/synthetic-market.md has the command
MEASURED: Final = {1.0: (-5.1, 588), 2.0: (31.3, 1602)}


def banner_lines(
    settings: Settings, policy: Policy, symbols: Sequence[str], facts: Sequence[tuple[str, str]]
) -> list[str]:
    """The same lines in every mode, within 80 columns; `facts`: more pairs of a name and its text, at the end."""
    pairs = [*_pairs(settings, policy, symbols), *facts]
    return [line for name, text in pairs for line in _line(name, text)]


def _pairs(settings: Settings, policy: Policy, symbols: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "assets", f"{len(symbols)}: {', '.join(symbol.removesuffix('USDT') for symbol in symbols)}"
    yield from _of_paper(policy, settings.balance) if settings.mode == Mode.PAPER else _of_account(policy)
    yield "size", size_line(policy, settings.balance).removeprefix("size").strip()
    yield (
        "limits",
        (
            f"session {policy.session_loss:.0%} of its start, pause at {policy.drawdown_pause:.0%} drawdown,"
            f" at most {policy.a_risk:.0%} (A) or {policy.b_risk:.0%} (B) of equity per stop"
        ),
    )
    yield (
        "worst",
        f"the margin, where a price jumps its stop: up to {policy.total_margin:.0%} of the balance together",
    )


def _of_paper(policy: Policy, balance: Decimal) -> Iterator[tuple[str, str]]:
    tier = policy.capital_tier(balance)
    yield (
        "balance",
        f"{balance} USDT: capital tier {tier.name}, a scan every {tier.scan_interval_ns // SECOND} s",
    )
    yield "portfolio", f"weights {'equal' if balance < policy.portfolio_from else 'minimum variance'}"


def _of_account(policy: Policy) -> Iterator[tuple[str, str]]:
    """Of a real environment: the balance is the account's, and the rest follows it."""
    tiers = [f"growing below {policy.institutional_from:f} USDT", "institutional from there"]
    if policy.micro_turbo_mode:
        tiers = [f"turbo below {policy.turbo_below:f}", *tiers]
    yield "balance", f"the account's, read at the start: capital tier {', '.join(tiers)}"
    yield "portfolio", f"weights equal below {policy.portfolio_from:f} USDT, minimum variance from there"


def journal_fact(name: str, journal: Path | Address) -> list[tuple[str, str]]:
    """Where the run is found."""
    return [("daemon", f"{name} (turbo-trader status --daemon {name})"), ("journal", str(journal))]


def _line(name: str, text: str) -> list[str]:
    return wrap(
        text, WIDTH, initial_indent=name.ljust(_NAME), subsequent_indent=" " * _NAME, break_on_hyphens=False
    )


def time_text(settings: Settings, speed: float) -> str:
    """How fast its time runs; "" where it is the wall's clock."""
    if speed == FASTEST:
        return "; time runs as fast as this machine can follow"
    most = "up to " if in_lockstep(settings) else ""
    return f"; time runs {most}{speed:g} times faster" if speed != 1 else ""


def edge_fact(settings: Settings) -> list[tuple[str, str]]:
    """The edge of the synthetic market; nothing of any other."""
    if settings.mode != Mode.PAPER or settings.market != MarketKind.SYNTHETIC:
        return []
    if not settings.edge:
        return [("edge", "none: this market cannot be predicted")]
    net, trades = MEASURED.get(settings.edge, (0.0, 0))
    worth = f"{net:+.1f} bp net a trade ({trades} trades)" if trades else "unknown"
    what = "put into this market by construction; a real one need not have any"
    return [("edge", f"{settings.edge:g}, {what}; measured with default rules: {worth}")]

"""The figures of a report in sentences and tables: what is at its head, and what stands beside the charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from turbo_trader.reports.costs import Costs, split
from turbo_trader.reports.run_data import ZERO, Run, RunState, TradeRecord
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.signals.figures import BELIEFS


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts; the first column to the left, the others to the right (of figures) or to the left too (of prose)."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One figure at the head. `mood`: up, down or ""."""

    name: str
    value: str
    beside: str
    mood: str = ""


def utc_minute(ts: int) -> str:
    """A time for people, such as 5 Jan 2026, 09:30 UTC."""
    moment = datetime.fromtimestamp(ts // 10**9, UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def span(run: Run) -> str:
    """What time the report is of."""
    if not run.end:
        return "no scan and no trade yet"
    hours = (run.end - run.begin) / 3.6e12
    length = f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
    return f"{utc_minute(run.begin)} to {utc_minute(run.end)}, {length}"


def notices(run: Run) -> list[str]:
    """What a reader must know before any figure."""
    lines = []
    if run.made_up:
        lines.append(
            "The market of this run is made up: it shows how the rules act and proves nothing about money."
        )
    if run.state is RunState.EMPTY:
        lines.append("Nothing has been run in this folder yet: turbo-trader run starts a daemon.")
    elif run.state is RunState.RUNNING:
        lines.append("The run is still going: figures are those of the moment this report was made.")
    elif run.state is RunState.CRASHED:
        lines.append(
            "The run ended uncleanly: its last start wrote no end. What was journalled before is complete."
        )
    if run.state is not RunState.EMPTY and not run.trades:
        lines.append(_why_nothing(run.scanned.total))
    lines += [
        f"Discrepancy of {amount:+f} {coin}: the venue's transaction log does not explain it; compare it with the account."
        for coin, amount in run.discrepancies.items()
    ]
    return lines


def cards(run: Run, report: Mapping[str, Any], worst: float) -> list[Card]:
    """The figures at the head."""
    closed = run.closed
    net = run.end_equity - run.start_equity
    still = len(run.trades) - len(closed)
    low, high = report["win_rate_95"]
    growth = f"{report['growth']:+.2%}" if report["growth"] is not None else ""
    bp = sum(trade.net_fraction for trade in closed) / len(closed) * 1e4 if closed else None
    return [
        Card("Net result, USDT", money(net), growth, _mood(net)),
        Card("Equity, USDT", f"{run.end_equity:,.2f}", f"from {run.start_equity:,.2f}"),
        Card("Trades", f"{len(closed):,}", f"{still} open" if still else f"{report['trades_A']} A, {report['trades_B']} B"),
        Card("Win rate", f"{report['win_rate']:.0%}" if closed else "-", f"95 %: {low:.0%} to {high:.0%}" if closed else ""),
        Card("Net a trade", f"{bp:+.1f} bp" if bp is not None else "-", "of notional", _mood(bp or 0)),
        Card("Drawdown", f"{worst:.1%}", "the deepest"),
        Card("Fees, USDT", f"{report['fees']:,.4f}", f"{report['fee_drag']:.1%} of the start" if report["fee_drag"] else ""),
    ]  # fmt: skip


def reasons_table(trades: Sequence[TradeRecord]) -> Table:
    """How trades ended: count, share won, mean net result, total."""
    return _groups("closed by", trades, lambda trade: trade.reason or "?")


def tiers_table(trades: Sequence[TradeRecord]) -> Table:
    """The same by signal tier and side."""
    return _groups("tier", trades, lambda trade: f"{trade.tier} {'long' if trade.direction > 0 else 'short'}")


def costs_table(trades: Sequence[TradeRecord]) -> Table:
    """The costs split, by symbol and in all; USDT."""
    by_symbol: dict[str, list[TradeRecord]] = {}
    for trade in trades:
        by_symbol.setdefault(trade.symbol, []).append(trade)
    parts = [(symbol, split(of)) for symbol, of in sorted(by_symbol.items())]
    rows = [_costs(name, costs) for name, costs in [*parts, ("all", split(trades))]]
    header = ("symbol", "trades", "at reference prices", "spread", "slippage", "fees", "funding", "net")
    return Table(header, rows)


def symbols_table(symbols: Mapping[str, Funnel]) -> Table:
    """How far scans of each symbol came."""
    rows = [
        (
            name,
            *(
                f"{n:,}"
                for n in (each.scans, each.candidates, each.pre_filtered, each.a, each.b, each.passed)
            ),
        )
        for name, each in sorted(symbols.items())
    ]
    return Table(("symbol", "scans", "candidates", "past pre-filter", "A", "B", "past all gates"), rows)


def beliefs_table(calibration: Mapping[str, Any]) -> Table:
    """What each belief forecast and the outcome at the horizon; slope 1: it means what it says."""
    rows = []
    for name in BELIEFS:
        claims = calibration[name]
        slope = claims["slope"]
        between = (
            "" if slope is None or slope["low"] is None else f" ({slope['low']:.2f} to {slope['high']:.2f})"
        )
        rows.append(
            (
                name,
                f"{claims['outcomes']:,}",
                _bp(claims["predicted_return"]),
                _bp(claims["realised_return"]),
                "-" if slope is None else f"{slope['slope']:.2f}{between}",
            )
        )
    return Table(("belief", "outcomes", "said, bp", "came, bp", "slope (95 %)"), rows)


def stages_table(events: Iterable[Mapping[str, Any]]) -> Table:
    """When a signal tier came to another stage, and why."""
    rows = []
    for note in events:
        if note["name"] == "stage":
            tier, before, stage, why = (
                str(note.get(name, "")) for name in ("tier", "before", "stage", "why")
            )
            rows.append((utc_minute(int(note["ts"])), tier, f"{before} to {stage}", why))
    return Table(("when", "tier", "stage", "why"), rows, prose=True)


def targets_table(lines: Iterable[Mapping[str, str]]) -> Table:
    """What was measured beside the figures asked for."""
    names = ("figure", "measured", "before", "target")
    return Table(names, [tuple(line.values()) for line in lines], prose=True)


def money(value: Decimal) -> str:
    """USDT with sign, to four decimals."""
    return f"{value:+,.4f}"


def _why_nothing(total: Funnel) -> str:
    if not total.scans:
        return "There is no scan in this time yet: a run scans after its warm-up of five minutes."
    most = max(zip(total.blocks, _gates(), strict=True))
    why = f"; the gate that stopped most of them first: {most[1]} ({most[0]:,})" if most[0] else ""
    return f"There is no trade in this time: of {total.scans:,} scans {total.passed:,} passed all gates{why}."


def _gates() -> Sequence[str]:
    from turbo_trader.rules.gates import GATES

    return GATES


def _groups(title: str, trades: Sequence[TradeRecord], of: Callable[[TradeRecord], str]) -> Table:
    groups: dict[str, list[TradeRecord]] = {}
    for trade in trades:
        groups.setdefault(of(trade), []).append(trade)
    rows = []
    for name, mine in sorted(groups.items(), key=lambda item: -len(item[1])):
        won = sum(1 for trade in mine if trade.net > 0)
        bp = sum(trade.net_fraction for trade in mine) / len(mine) * 1e4
        minutes = sum(trade.closed_ts - trade.opened_ts for trade in mine) / len(mine) / 6e10
        net = sum((trade.net for trade in mine), ZERO)
        rows.append(
            (name, f"{len(mine):,}", f"{won / len(mine):.0%}", f"{bp:+.1f}", f"{minutes:.0f}", money(net))
        )
    return Table((title, "trades", "won", "mean bp", "mean min", "net, USDT"), rows)


def _costs(name: str, costs: Costs) -> tuple[str, ...]:
    amounts = (costs.gross, -costs.spread, -costs.slippage, -costs.fees, costs.funding, costs.net)
    return (name, f"{costs.trades:,}", *(money(amount) for amount in amounts))


def _bp(value: float | None) -> str:
    return "-" if value is None else f"{value * 1e4:+.1f}"


def _mood(value: Decimal | float) -> str:
    return "up" if value > 0 else "down" if value < 0 else ""

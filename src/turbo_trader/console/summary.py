"""What is said at the end of a run or a backtest: the funnel, the money, and where to look further."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

REBUILT = "rebuilt from one-minute bars: the path inside each minute is made up; no claim of edge rests on it"


def funnel_lines(funnel: Mapping[str, Any]) -> list[str]:
    """The funnel as one line: scans, candidates, pre-filter, tiers, then each gate's blocks."""
    blocks = funnel.get("blocks", {})
    counts = {name: count for name, count in funnel.items() if isinstance(count, int)}
    lines = [
        "funnel      " + "  ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
    ]
    if blocks:
        lines.append("blocked by  " + "  ".join(f"{gate} {count:,}" for gate, count in blocks.items()))
    return lines


def money(value: Any) -> str:
    """USDT with six decimals for reading; the exact figure is in --json and in the journal."""
    return f"{Decimal(str(value)):+,.6f}"


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """The money part, common to runs and backtests."""
    trades, wins, losses = (int(result.get(name, 0)) for name in ("trades", "wins", "losses"))
    lines = [
        f"trades      {trades} closed ({wins} won, {losses} lost), {result.get('open_positions', 0)} open"
    ]
    if trades:
        lines[0] += f", win rate {wins / trades:.1%}"
    lines.append(
        f"money       net {money(result['net_pnl'])}  fees {money(result['fees'])}  funding {money(result.get('funding', 0))}"
        f"  end equity {Decimal(str(result['end_equity'])):,.6f} USDT"
    )
    lines.append(
        f"guarding    {result.get('unguarded_seconds', 0)} s without a stop on the venue, "
        f"{result.get('liquidations', 0)} liquidations"
    )
    return lines


def calibration_line(figures: Mapping[str, Any]) -> str:
    """What the forecasts were worth, in one line; the tables are in --json and in `turbo-trader calibration`."""
    slope, trades = figures["slope"], figures["trades"]
    if not figures["outcomes"] or slope is None:
        return "forecasts   no outcome"
    between = "" if slope["low"] is None else f" ({slope['low']:.2f} to {slope['high']:.2f})"
    said, came = figures["predicted_return"] * 1e4, figures["realised_return"] * 1e4
    line = f"forecasts   {figures['outcomes']:,} followed: said {said:+.1f} bp, came {came:+.1f} bp, "
    line += f"slope {slope['slope']:.2f}{between}"
    if trades["closed"]:
        line += f"; trades: EV {trades['ev'] * 1e4:+.1f} bp, came {trades['realised'] * 1e4:+.1f} bp"
    return line


def backtest_lines(result: Mapping[str, Any]) -> list[str]:
    """The result of a backtest for a person."""
    rate = result["events"] / result["seconds"] if result["seconds"] else 0.0
    lines = [
        f"tape        {result['source']}: {', '.join(result['symbols'])}",
        f"speed       {result['events']:,} events in {result['seconds']:.1f} s ({rate / 1e6:.1f} M/s)",
        *funnel_lines(result.get("funnel", {})),
        *result_lines(result),
        calibration_line(result["calibration"]["over_all"]),
        f"decisions   sha256 {result['decisions_sha256']}",
    ]
    if result.get("rebuilt"):
        lines.append(f"note        {REBUILT}")
    return lines


def run_lines(result: Mapping[str, Any]) -> list[str]:
    """The summary at the end of a run."""
    return [
        f"ended       {result['reason']}",
        *funnel_lines(result.get("funnel", {})),
        *result_lines(result),
        f"journal     {result['journal']}",
    ]

"""The summary at the end of a run or a backtest: the funnel, the money, and where to look further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final

from turbo_trader.console.tables import WIDTH
from turbo_trader.signals.figures import BELIEFS

_NAME: Final = 12  # columns of a line's name
REBUILT = "rebuilt from one-minute bars: the path inside each minute is made up; no claim of edge rests on it"


def funnel_lines(funnel: Mapping[str, Any]) -> list[str]:
    """The funnel as one line: scans, candidates, pre-filter, tiers, then each gate's blocks. Without a scan, that there is none."""
    if not funnel.get("scans"):
        return ["funnel      no scan: prices and bars are read first, five minutes of the venue's time"]
    blocks = funnel.get("blocks", {})
    counts = {name: count for name, count in funnel.items() if isinstance(count, int)}
    lines = [
        "funnel      " + "  ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
    ]
    if blocks:
        lines.append("blocked by  " + "  ".join(f"{gate} {count:,}" for gate, count in blocks.items()))
    return lines


def folded(lines: Sequence[str]) -> list[str]:
    """Each line within WIDTH columns, folded at spaces below its text."""
    return [
        part
        for line in lines
        for part in wrap(line, WIDTH, subsequent_indent=" " * _NAME, break_on_hyphens=False)
    ]


def money(value: Any) -> str:
    """USDT with six decimals for reading; the exact figure is in --json and in the journal."""
    return f"{Decimal(str(value)):+,.6f}"


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """The money part, common to runs and backtests."""
    trades, wins, losses = (int(result.get(name, 0)) for name in ("trades", "wins", "losses"))
    closed = (
        f"{trades} closed ({wins} won, {losses} lost), win rate {wins / trades:.1%}"
        if trades
        else "none closed"
    )
    lines = [f"trades      {closed}, {result.get('open_positions', 0)} open"]
    wallet, equity = (
        Decimal(str(result.get(name, result["end_equity"]))) for name in ("wallet", "end_equity")
    )
    lines += [
        f"money       wallet {wallet:,.6f} USDT, equity with open positions {equity:,.6f}, net {money(result['net_pnl'])}",
        f"            fees of all fills {Decimal(str(result['fees'])):,.6f}, funding {money(result.get('funding', 0))}",
    ]
    if result.get("evidence"):
        lines.append(f"evidence    {result['evidence']}")
    lines.append(
        f"guarding    {result.get('unguarded_seconds', 0)} s without a stop on the venue, "
        f"{result.get('liquidations', 0)} liquidations"
    )
    return lines


def calibration_lines(figures: Mapping[str, Any]) -> list[str]:
    """What the forecasts of each belief were worth, a line each; the tables are in --json and in `turbo-trader calibration`."""
    lines = []
    for name in BELIEFS:
        claims = figures[name]
        slope = claims["slope"]
        if not claims["outcomes"] or slope is None:
            lines.append(f"{name:11} no outcome of a forecast")
            continue
        between = "" if slope["low"] is None else f" ({slope['low']:.2f} to {slope['high']:.2f})"
        said, came = claims["predicted_return"] * 1e4, claims["realised_return"] * 1e4
        line = (
            f"{name:11} {claims['outcomes']:,} forecasts followed: said {said:+.1f} bp, came {came:+.1f} bp"
        )
        lines.append(f"{line}, slope {slope['slope']:.2f}{between}")
    trades = figures["trades"]
    if trades["closed"]:
        honest = trades["honest_ev"]
        beside = "" if honest is None else f", honest EV {honest * 1e4:+.1f} bp"
        lines.append(
            f"EV          {trades['ev'] * 1e4:+.1f} bp{beside}, came {trades['realised'] * 1e4:+.1f} bp"
        )
    return lines


def rate_lines(result: Mapping[str, Any]) -> list[str]:
    """How often it traded, what a trade came to, when trading ended, and what was switched off."""
    lines = []
    if result["trades_per_hour_15_open"] is not None:
        lines.append(
            f"rate        {result['trades_per_hour_15']:.2f} trades/h scaled to 15 symbols, "
            f"{result['trades_per_hour_15_open']:.2f} in the {result['hours_open']:.1f} h in which no halt or pause stood"
        )
    if result["net_bp_per_trade"] is not None:
        lines.append(
            f"net         {result['net_bp_per_trade']:+.1f} bp of notional a trade, BELIEF={result['belief']} SIZE={result['size']}"
        )
    if result["halted"] is not None:
        lines.append(f"halted      since {result['halted']['at']}: {result['halted']['why']}")
    if result["no_limits"]:
        lines.append(
            "no limits   for measuring only: no session limit, pause or watchdog; every entry sized as if equity were the balance"
        )
    return lines


def backtest_lines(result: Mapping[str, Any]) -> list[str]:
    """The result of a backtest for a person."""
    rate = result["events"] / result["seconds"] if result["seconds"] else 0.0
    lines = [
        f"tape        {result['source']}: {', '.join(result['symbols'])}",
        f"speed       {result['events']:,} events in {result['seconds']:.1f} s ({rate:,.0f} a second)",
        *funnel_lines(result.get("funnel", {})),
        *result_lines(result),
        *rate_lines(result),
        *calibration_lines(result["calibration"]["over_all"]),
    ]
    if result.get("rebuilt"):
        lines.append(f"note        {REBUILT}")
    return [*folded(lines), f"decisions   sha256 {result['decisions_sha256']}"]


def kept_lines(result: Mapping[str, Any]) -> list[str]:
    """Where a backtest is kept, and how it is opened again."""
    kept = result.get("kept")
    return [] if kept is None else [f"kept        turbo-trader report {kept.name} --html"]


def made_up_lines(result: Mapping[str, Any]) -> list[str]:
    """Days on the made-up market for a person."""
    after = result["earned_after_hours"]
    return folded(
        [
            f"market      {result['source']}: {result['days']:g} days, {len(result['symbols'])} symbols, SIZE={result['size']}",
            *funnel_lines(result.get("funnel", {})),
            *result_lines(result),
            *(
                f"stage       {each['tier']}: {each['before']} -> {each['stage']}, {each['why']}"
                for each in result["stage_changes"]
            ),
            *([f"earned      after {after:.0f} h"] if after is not None else []),
        ]
    )


def run_lines(result: Mapping[str, Any]) -> list[str]:
    """The summary at the end of a run."""
    lines = [
        f"ended       {result['reason']}",
        *funnel_lines(result.get("funnel", {})),
        *result_lines(result),
        *[
            f"discrepancy {amount:+f} {coin}: see report"
            for coin, amount in result.get("discrepancies", {}).items()
        ],
    ]
    return [*folded(lines), f"journal     {result['journal']}"]  # a path is not folded

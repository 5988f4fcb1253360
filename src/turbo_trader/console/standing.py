"""The state of a daemon for a person: what it does and holds, how much of its limits is used, who controlled it. 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any

from turbo_trader.console.tables import WIDTH
from turbo_trader.console.times import utc_text
from turbo_trader.market.order_terms import Direction

_NAME = 12  # columns of the first label


def status_lines(found: Mapping[str, Any]) -> list[str]:
    """What `status` finds: the daemons one after another, or how the last run ended; then the guards."""
    parts = [_lines(_running(each)) for each in found["daemons"]] or [_lines(_ended(found["last_run"]))]
    guards = [
        ("guard", f"{each['name']}, process {each['pid']}, watches {each['folder']}")
        for each in found["guards"]
    ]
    return [line for part in (*parts, _lines(guards)) for line in ("", *part) if part][1:]


def entries_line(view: Mapping[str, Any]) -> str:
    """Whether entries are allowed; why not, and what would allow them."""
    if not view["refusal"]:
        return "allowed"
    needed = f"; needed: {view['lifted_by']}" if view["lifted_by"] else ""
    return f"none, {refusal(view)}{needed}"


def refusal(view: Mapping[str, Any]) -> str:
    """Why entries are not allowed, without saying twice that trading is halted."""
    return str(view["refusal"]).replace("halted: halted ", "halted ")


def _lines(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, text in pairs for line in _line(name, text)]


def _running(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "daemon", answer["name"]
    if answer["error"]:
        yield "running", f"{answer['mode']}, process {answer['pid']}"
        yield "error", answer["error"]
        yield "journal", answer["folder"]
        return
    trader, view = answer["trader"], answer["view"]
    fast = f", {answer['speed']:g}x real time" if answer["speed"] != 1 else ""
    yield "running", f"{answer['mode']} on {answer['environment']}, process {answer['pid']}{fast}"
    yield "venue time", utc_text(answer["venue_time"])
    up = ", ".join(f"{name} {'up' if answer[f'{name}_up'] else 'DOWN'}" for name in ("public", "private"))
    yield "streams", f"{up}; {answer['frames']:,} frames, {answer['gaps']} gaps"
    result = f"session {Decimal(view['session_result']):+.2%}, capital tier {view['capital_tier'] or '-'}"
    yield "equity", f"{_usdt(view['equity'])} USDT (began with {_usdt(trader['start_equity'])}), {result}"
    yield "entries", entries_line(view)
    if view.get("evidence"):
        yield "evidence", view["evidence"]
    for position in view["positions"]:
        yield "position", _position(position)
    for symbol, why in view["frozen"].items():
        yield "frozen", f"{symbol}: {why}"
    yield "limits used", ", ".join(f"{name} {Decimal(used):.0%}" for name, used in view["limits"].items())
    closed = f"{trader['trades']} closed ({trader['wins']} won, {trader['losses']} lost)"
    yield (
        "trades",
        f"{closed}, fees of all fills {_usdt(trader['fees'])}, net {_usdt(trader['net_pnl'], sign='+')} USDT",
    )
    funnel = trader["funnel"]
    far = f"candidates {funnel['candidates']:,}, passed {funnel['passed']:,}"
    yield "scans", f"{funnel['scans']:,}, of them {far}"
    yield from _reported(view["history"])
    failed = f": {answer['journal_failed']}" if answer["journal_failed"] else ""
    yield "journal", f"{answer['journal']}{failed}"


def _ended(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    last = answer.get("last_boot")
    yield "running", "no"
    if last is None:
        yield "last run", "none yet; `turbo-trader run` starts one"
    else:
        end = f"ended {utc_text(last['ended'])}: {last['reason']}" if last["ended"] else "ended uncleanly"
        yield "last run", f"{last['mode']}, process {last['pid']}, {end}"
    starts = "1 start" if answer["boots"] == 1 else f"{answer['boots']} starts"
    counts = f"{starts}, {answer['scans']:,} scans, {answer['notes']:,} notes"
    yield "journal", f"{answer['journal']}: {counts if answer['boots'] else 'none yet'}"
    if answer["intents"]:
        yield "orders", ", ".join(f"{count} {outcome}" for outcome, count in answer["intents"].items())
    session = answer["session"]
    if session.get("halts"):
        yield "halted", "; ".join(session["halts"].values()) + "; the next start is halted too"
    yield from _reported(session.get("history", [])[-5:])


def _reported(history: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Who said what, and when; what a limit did."""
    for reported in history:
        why = f" ({reported['why']})" if reported["why"] else ""
        yield "history", f"{utc_text(reported['ts'])} {reported['what']} by {reported['by']}{why}"


def _position(position: Mapping[str, Any]) -> str:
    side = Direction(position["direction"]).text
    marks = ", ".join(
        f"{name} {position[name] if position[name] is not None else '-'}"
        for name in ("price", "stop", "target")
    )
    zone = f"zone {position['zone']}" + (f"+{position['extensions']}" if position["extensions"] else "")
    closing = f", closing: {position['reason']}" if position["reason"] else ""
    held = f"{position['symbol']} {side} {position['qty']} at {position['entry']}"
    return f"{held}, {marks}, {zone}, {position['seconds']} s{closing}"


def _line(name: str, text: str) -> Sequence[str]:
    return wrap(text, WIDTH, initial_indent=name.ljust(_NAME), subsequent_indent=" " * _NAME) or [name]


def _usdt(value: Any, sign: str = "") -> str:
    return f"{Decimal(str(value)):{sign},.4f}"

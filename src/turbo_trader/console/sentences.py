"""Log events as sentences: what the terminal and `turbo-trader logs` show of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.console.times import utc_text
from turbo_trader.market.order_terms import Direction
from turbo_trader.rules.readable import readable

Event = Mapping[str, Any]

#: Fields that every line of the log has, or that say nothing to a person.
_FRAME: Final = frozenset({"at", "ts", "event", "level", "id"})
_REASONS: Final = {
    "target": "at its target", "stop": "by its stop", "time": "as its time was up", "mark": "as the mark price is beyond its stop",
    "flatten": "by flatten", "session-loss": "as the session's loss limit was reached", "backstop": "by its backstop",
}  # fmt: skip


def log_line(line: Event) -> str:
    """One line of the log as a person reads it: time, level where it is not info, sentence."""
    fields = {key: value for key, value in line.items() if key not in ("event", "level", "at", "ts")}
    level = str(line.get("level", "info"))
    mark = "" if level in ("info", "debug") else f"{level}: "
    return f"{_moment(line)} {mark}{sentence(str(line.get('event', '')), fields)}"


def _moment(line: Event) -> str:
    ts = line.get("ts")
    return utc_text(ts) if isinstance(ts, int) else str(line.get("at", ""))[:19].replace("T", " ")


def sentence(name: str, fields: Event) -> str:
    """What an event says, in one line of plain text. An event without a sentence of its own is shown field by field."""
    write = _SENTENCES.get(name)
    shown = {
        key: readable(value) if isinstance(value, str | Decimal) else value for key, value in fields.items()
    }
    try:
        return write(shown) if write is not None else _plain(name, fields)
    except (KeyError, TypeError, ValueError, ArithmeticError):  # of an older journal, or cut by a full disk
        return _plain(name, fields)


def _plain(name: str, fields: Event) -> str:
    shown = (
        f"{key} {readable(value)}"
        for key, value in fields.items()
        if key not in _FRAME and value not in ("", None)
    )
    return f"{name}: {', '.join(shown)}".rstrip(": ")


def _candidate(e: Event) -> str:
    """`XRPUSDT long candidate A: OFI +0.31>0.15 ✓ ...; edge 0.14 % ...`"""
    parts = [_signals(e["signals"])]
    parts += [f"warning: {each}" for each in e.get("warnings", ())]
    parts.append(f"edge {_percent(e['edge'])}")
    if e["tier"] != "none":
        profit, fees, honest = (_percent(e[name]) for name in ("expected_profit", "fees", "honest_ev"))
        parts.append(f"expected profit {profit} against fees {fees} as asked, honest EV {honest}")
    if e.get("blocked"):
        parts.append(f"stopped at {e['blocked']}: {e['why']}")
    tier = f"tier {e['tier']}" if e["tier"] != "none" else "no tier"
    return f"{e['symbol']} {e['side']} candidate, {tier}: {'; '.join(parts)}"


def _signals(signals: Mapping[str, Mapping[str, Any]]) -> str:
    shown = []
    for name, each in signals.items():
        mark = "✓" if each["confirms"] else "✗"
        shown.append(
            f"{name} no signal ✗" if each["value"] is None else f"{name} {_value(name, each)} {mark}"
        )
    return ", ".join(shown)


_FRACTIONS: Final = ("VWAP", "FUNDING")  # signals whose value is a share of the price


def _value(name: str, each: Mapping[str, Any]) -> str:
    threshold = f"{100 * each['threshold']:.3f} %" if name in _FRACTIONS else f"{each['threshold']:.2f}"
    return f"{_strength(name, each)} (>{threshold})"


def _strength(name: str, each: Mapping[str, Any]) -> str:
    return f"{100 * each['value']:+.3f} %" if name in _FRACTIONS else f"{each['value']:+.2f}"


def _entry(e: Event) -> str:
    confirming = [
        f"{name} {_strength(name, each)}" for name, each in e.get("signals", {}).items() if each["confirms"]
    ]
    share = f" ({e['balance_pct']} % of the balance)" if e.get("balance_pct") is not None else ""
    target, stop = _number(e["take_profit_pct"]), _number(e["stop_loss_pct"])
    return (
        f"{e['symbol']} entry {e['side']}, tier {e['tier']}: {e['size_usdt']} USDT{share} at {_number(e['leverage'])}x,"
        f" price {e['price']}, take profit {e['take_profit']} (+{target} %), stop loss {e['stop_loss']} (-{stop} %),"
        f" signals {', '.join(confirming) or 'none'}{_stage(e)}"
    )


def _stage(e: Event) -> str:
    return f", stage {e['stage']}" if e.get("stage") else ""


def _fill(e: Event) -> str:
    side = "bought" if int(e["side"]) > 0 else "sold"
    return f"{e['symbol']} {side} {e['qty']} at {e['price']}, fee {e['fee']} USDT"


def _zone(e: Event) -> str:
    what = {
        1: "half-way to the target: stop at break-even",
        2: "target reached: stop locks half of the distance",
    }
    return f"{e['symbol']} {what.get(int(e['zone']), 'stop tightens')}, now {e['stop']}"


def _extension(e: Event) -> str:
    return f"{e['symbol']} target moves out, backstop {e['backstop']}"


def _exit(e: Event) -> str:
    size = str(e["size"]).removeprefix("-")  # of a short
    return f"{e['symbol']} closes {size} {_REASONS.get(str(e['reason']), 'because of ' + str(e['reason']))}"


def _trade(e: Event) -> str:
    net = Decimal(str(e["net"]))
    result = "won" if net > 0 else "lost"
    held, reason, share = int(e["seconds"]), str(e["reason"]), 100 * float(e["net_fraction"])
    after = f"{held} s" if held < 100 else f"{held / 60:.0f} min"
    return (
        f"{e['symbol']} {Direction(int(e['direction'])).text} trade {result} {net:+.4f} USDT ({share:+.3f} % of its size,"
        f" fees {_number(e['fees'])}), closed {_REASONS.get(reason, 'by ' + reason)} after {after}"
    )


def _gate(e: Event) -> str:
    why = str(e["why"]).removeprefix(f"{e['symbol']}: ")
    needed = f"; needed: {e['needed']}" if e.get("needed") else ""
    return f"{e['symbol']} refused by {e['gate']}: {why}{needed}"


def _limit(e: Event) -> str:
    if e["what"] in ("session-new", "warning"):  # whose text says it
        return str(e["text"])
    return (
        f"{str(e['what']).replace('-', ' ')}: {e['text']}"
        if e.get("text")
        else str(e["what"]).replace("-", " ")
    )


def _stream(e: Event) -> str:
    return (
        f"{e['stream']} stream is {'up' if e['up'] else 'down'}{': ' + str(e['why']) if e.get('why') else ''}"
    )


def _ended(e: Event) -> str:
    why = str(e["why"]).replace(
        "not filled: Cancelled EC_NoImmediateQtyToFill", "nothing is offered at its price any more"
    )
    return f"{e['symbol']} entry ended without a fill: {why}"


def _tier(e: Event) -> str:
    return f"capital tier is {e['capital']} at {_number(e['equity'])} USDT"


def _started(e: Event) -> str:
    venue = f", venue {e['venue']}" if e["mode"] != Mode.PAPER else ""
    return f"started: {e['mode']}, {len(e['symbols'])} symbols{venue}"


def _policy(e: Event) -> str:
    changed = e["overridden"]
    return f"numbers of the rules: {readable(changed) if changed else 'all as they are by default'}"


def _control(e: Event) -> str:
    return f"{e['verb']} by {e['by']}"


def _summary(e: Event) -> str:
    period = {"hour": "the hour", "session": "the session", "run": "the run"}.get(str(e["of"]), str(e["of"]))
    confirming = ", ".join(
        f"{name} {100 * each['confirms']:.0f} %"
        for name, each in e.get("strengths", {}).items()
        if each.get("confirms") is not None
    )
    return (
        f"{period} ({e['hours']:.2f} h): {e['candidates']} candidates ({_rate(e['candidates_per_hour'])}/h, asked 60-100),"
        f" pre-filter {_share(e['pre_filter'])} (50 %), A {_share(e['a_share'])} (15 %), B {_share(e['b_share'])} (25 %),"
        f" gates passed {_share(e['gates_passed'])} (80 %{_past(e)}),"
        f" trades {e['trades']} ({_rate(e['trades_per_hour'])}/h, asked 3-8),"
        f" A:B {e['trades_a']}:{e['trades_b']} (70:30), won {_share(e['win_rate'])} (60-70 %), equity {_number(e['equity'])} USDT"
        f" ({100 * float(e['growth']):+.2f} %), to 100 USDT {_pace(e, 'hundred')}, to 1,000 {_pace(e, 'thousand')};"
        f" confirming: {confirming or 'none'}"
    )


def _past(e: Event) -> str:
    """Share past each gate after the tier, of what came to it."""
    shown = ", ".join(f"{gate} {_share(share)}" for gate, share in e.get("past", {}).items())
    return f": {shown}" if shown else ""


def _no_trades(e: Event) -> str:
    ranked = sorted(e["gates"].items(), key=lambda each: -float(each[1]))
    stopped = ", ".join(f"{gate} {100 * float(share):.0f} %" for gate, share in ranked[:4])
    refused = f"; no entries: {e['refusal']}" if e["refusal"] else ""
    return (
        f"nothing is traded for {float(e['hours']):.0f} hours: {e['scans']} scans, {e['candidates']} candidates,"
        f" stopped first by {stopped or 'no gate'}{refused}"
    )


def _rate(value: Any) -> str:
    return "-" if value is None else f"{float(value):.1f}"


def _share(value: Any) -> str:
    return "-" if value is None else f"{100 * float(value):.0f} %"


def _pace(e: Event, goal: str) -> str:
    return f"{_days(e[f'days_to_{goal}'])} (asked {_days(e[f'target_days_to_{goal}'])})"


def _days(value: Any) -> str:
    return "never at this pace" if value is None else f"{float(value):.1f} days"


def _percent(fraction: Any) -> str:
    return f"{100 * float(fraction):+.3f} %"


def _number(value: Any) -> str:
    return f"{float(value):.6g}"


_SENTENCES: Final[Mapping[str, Callable[[Event], str]]] = {
    "candidate": _candidate, "gate": _gate, "entry": _entry, "entry-ended": _ended, "fill": _fill, "zone": _zone,
    "extension": _extension, "exit": _exit, "trade": _trade, "limit": _limit, "halt": _limit, "stream": _stream, "tier": _tier,
    "renamed": lambda e: f"{e['configured']} of TARGET_ASSETS is called {e['symbol']} today",
    "control": _control, "summary": _summary, "evidence": lambda e: str(e["text"]), "stage": lambda e: str(e["text"]),
    "no-trades": _no_trades, "process-ended": lambda e: str(e["why"]),
    "started": _started, "policy": _policy,
    "process-crashed": lambda e: f"an error of its own, {e['why']}", "process-gone": lambda _: "its process is gone",
}  # fmt: skip

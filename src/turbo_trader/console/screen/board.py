"""The board: a snapshot as lines for a terminal of any size. Pure: the same snapshot and size give the same lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final

from rich.text import Text

from turbo_trader.console.screen.nearness import Nearness
from turbo_trader.console.screen.snapshot import EventLine, Snapshot, clock
from turbo_trader.console.screen.styled_text import WAY, Cell, bar, curve, grid, heading, line, way
from turbo_trader.console.standing import refusal
from turbo_trader.rules.gates import GATES
from turbo_trader.signals.listed import LISTED

LEAST_WIDTH: Final = 60
LEAST_HEIGHT: Final = 14
_FULL: Final = 110  # columns from which on symbols are shown with their figures
_TWO: Final = 160  # columns from which on events stand beside the rest
_EVENT_ROWS: Final = 5  # at the least
_EVENT_LINES: Final = 3  # of one event at the most; `turbo-trader logs` has it whole
_SIGNALS: Final = tuple(signal.short for signal in LISTED)
KEYS: Final = "e explain  f funnel  h halt  r resume  x flatten  q quit  ? help"


def board(seen: Snapshot, width: int, height: int) -> list[Text]:
    """`height` lines of at most `width` columns each: positions first, then limits, symbols by nearness, events, keys."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        text = f"too small to show: {LEAST_WIDTH}x{LEAST_HEIGHT} is the least. The run continues."
        return _filled([line(part) for part in wrap(text, max(width, 1))], width, height)
    if width >= _TWO:
        left = int(width * 0.62)
        body = _beside(_main(seen, left, height - 1, None), _events(seen, width - left - 3, height - 1), left)
    else:
        body = _main(seen, width, height - 1, _EVENT_ROWS)
    return _filled([*_filled(body, width, height - 1), line(KEYS, "dim")], width, height)


def _main(seen: Snapshot, width: int, height: int, event_rows: int | None) -> list[Text]:
    """Everything in one column; without events where `event_rows` is None."""
    lines = [_head(seen, width)]
    if seen.view is not None:
        view = seen.view
        lines += [
            *_positions(view, width),
            _money(seen, view, width),
            *_entries(view, width),
            *_limits(view, width),
        ]
    left = height - len(lines)
    wanted = len(seen.scans) + 1 if seen.scans else 2
    least = 0 if event_rows is None else event_rows + 1
    symbols = _symbols(seen, width, max(min(wanted, left - least), 3))
    lines += symbols
    return lines if event_rows is None else [*lines, *_events(seen, width, height - len(lines))]


def _head(seen: Snapshot, width: int) -> Text:
    view, daemon = seen.view, seen.daemon
    mode, _, market = seen.title.partition(": ")
    if width < _FULL:
        market = market.rpartition(": ")[
            2
        ]  # of "synthetic market, seed 1: made up, proves nothing" what must not be cut
    text = line(mode, "bold")
    if view is not None:
        speed = float(daemon.get("speed", 1.0))
        text.append(f"  {clock(view['ts'])} UTC" + (f", {speed:g}x real time" if speed != 1 else ""))
        down = [name for name in ("public", "private") if daemon.get(f"{name}_up") is False]
        text.append(f"  {' and '.join(down)} stream DOWN" if down else "", "red bold")
    return text.append(f"  {market}", "dim")


def _money(seen: Snapshot, view: Mapping[str, Any], width: int) -> Text:
    counts, result = view["counts"], Decimal(str(view["session_result"]))
    text = line(f"equity {Decimal(str(view['equity'])):,.4f} USDT  session ")
    text.append(f"{result:+.2%}", _colour(result))
    lost = counts["trades"] - counts["wins"]
    text.append(
        f"  trades {counts['trades']} ({counts['wins']} won, {lost} lost)  tier {view['capital_tier'] or '-'}"
    )
    if width >= _FULL and len(seen.equities) > 1:
        text.append(f"  {len(seen.equities)} min ", "dim").append(curve([each for _, each in seen.equities]))
    return text.append(f"  {view['evidence']}" if view.get("evidence") else "")


def _entries(view: Mapping[str, Any], width: int) -> list[Text]:
    if not view["refusal"]:
        return [line("entries allowed", "green")]
    needed = view["lifted_by"].replace("`turbo-trader resume`", "`turbo-trader resume` (here: r)")
    lifted = f"; needed: {needed}" if needed else ""
    parts = wrap(f"no entries: {refusal(view)}{lifted}", width, subsequent_indent="  ")
    return [line(part, "yellow") for part in parts[:2]]


def _limits(view: Mapping[str, Any], width: int) -> list[Text]:
    """A bar for each limit, as many in a row as there is room for."""
    used = {name: float(share) for name, share in view["limits"].items()}
    longest = max(map(len, used), default=0)
    each = longest + 16
    in_row = max(1, (width + 2) // (each + 2))
    bars = [bar(name.ljust(longest), share, 8) for name, share in used.items()]
    return [Text("  ").join(bars[i : i + in_row]) for i in range(0, len(bars), in_row)]


def _positions(view: Mapping[str, Any], width: int) -> list[Text]:
    found = view["positions"]
    if not found:
        return [heading("positions: none open", width)]
    header = ("position", "side", "USDT", "entry", "now", "stop", "target", "zone", "P&L", "left")
    cells = [_position(each) for each in found]
    if width < _FULL:
        return grid(header, cells, width, left=2)
    ways = [way(each["stop"], each["entry"], each["price"], each["target"]) for each in found]
    lines = grid((*header, f"{'stop':<{WAY - 6}}target"), [[*row, Cell("")] for row in cells], width, left=2)
    return [lines[0], *(Text.assemble(line, "  ", each) for line, each in zip(lines[1:], ways, strict=True))]


def _position(p: Mapping[str, Any]) -> list[Cell]:
    long = p["direction"] > 0
    result = None if p["result"] is None else Decimal(str(p["result"]))
    zone = f"{p['zone']}" + (f"+{p['extensions']}" if p["extensions"] else "")
    closing = f"closing: {p['reason']}" if p["reason"] else zone
    left = p["seconds_left"]
    return [
        Cell(_coin(p["symbol"]), "bold"),
        Cell("long" if long else "short", "green" if long else "red"),
        Cell(f"{Decimal(str(p['qty'])) * Decimal(str(p['entry'])):.2f}"),
        *(Cell(_price(p[name])) for name in ("entry", "price", "stop", "target")),
        Cell(closing),
        Cell("-" if result is None else f"{result:+.3f}", _colour(result)),
        Cell("-" if left is None else f"{left // 60}:{left % 60:02}"),
    ]


def _symbols(seen: Snapshot, width: int, rows: int) -> list[Text]:
    """Nearest to a trade first; at the end how many more there are."""
    if not seen.scans:
        return [heading("symbols", width), line("no scan yet: prices and bars are being read", "dim")]
    room = rows - 1
    shown = seen.scans if len(seen.scans) <= room else seen.scans[: room - 1]
    cells = _full_row if width >= _FULL else _short_row
    signals = _SIGNALS if width >= _FULL else ("signals",)
    figures = ("price", "forecast", "SNR", "conf") if width >= _FULL else ()
    needed = f"what it needed at {clock(seen.scanned_ts)}"  # prices and reasons are of that moment, positions of now
    last = ("tier", "EV", "gates", needed) if width >= _FULL else ("gates", needed)
    header = ("symbol", "side", *figures, *signals, *last)
    lines = grid(header, [cells(each) for each in shown], width, left=2, text_last=True)
    more = len(seen.scans) - len(shown)
    return [*lines, *([line(f"{more} more, farther from a trade", "dim")] if more else [])]


def _short_row(each: Nearness) -> list[Cell]:
    return [
        Cell(_coin(each.symbol), _far(each)),
        _side(each),
        Cell(" ".join(each.marks), _far(each)),
        _gates(each),
        Cell(each.reason, _far(each)),
    ]


def _full_row(each: Nearness) -> list[Cell]:
    forecast = "-" if each.forecast_bp is None else f"{each.forecast_bp:+.1f} bp"
    price = f"{each.price:.6g}" if each.price else "-"
    ev = "-" if each.ev_bp is None else f"{each.ev_bp:+.1f}"
    return [
        Cell(_coin(each.symbol), _far(each)), _side(each), Cell(price), Cell(forecast), Cell(f"{each.snr:.2f}"),
        Cell(f"{each.confidence:.2f}"), *(Cell(mark, "green" if mark == "✓" else "") for mark in each.marks), Cell(each.tier),
        Cell(ev), _gates(each), Cell(each.reason, _far(each)),
    ]  # fmt: skip


def _far(each: Nearness) -> str:
    """The style of a symbol that is not near a trade."""
    return "dim" if each.passed < len(GATES) // 2 else ""


def _side(each: Nearness) -> Cell:
    return Cell(each.side, {"long": "green", "short": "red"}.get(each.side, ""))


def _gates(each: Nearness) -> Cell:
    return Cell(f"{each.passed}/{len(GATES)}", "green" if each.passed == len(GATES) else "")


def _events(seen: Snapshot, width: int, height: int) -> list[Text]:
    """The latest events that fit, the newest last."""
    if height < 2:
        return []
    found: list[list[Text]] = []
    room = height - 1
    for event in reversed(seen.events):
        if not room:
            break
        lines = _event(event, width, min(room, _EVENT_LINES))
        found.append(lines)
        room -= len(lines)
    return [heading("events", width), *(each for lines in reversed(found) for each in lines)]


def _event(event: EventLine, width: int, most: int) -> list[Text]:
    """One event in at most `most` lines, wrapped at spaces; a figure stays with its per cent sign."""
    style = {"warning": "yellow", "error": "red bold"}.get(event.level, event.style)
    room = max(width - 9, 20)
    parts = wrap(event.text.replace(" %", "\u00a0%"), room, break_on_hyphens=False) or [""]
    if len(parts) > most:
        parts = [*parts[: most - 1], f"{parts[most - 1][: room - 2]} …"]
    clocks = [event.clock, *[""] * (len(parts) - 1)]
    return [
        Text.assemble((at.ljust(9), "dim"), (part.replace("\u00a0", " "), style))
        for at, part in zip(clocks, parts, strict=True)
    ]


def _beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    """Two columns with a rule between them."""
    rows = max(len(left), len(right))
    lines = []
    for i in range(rows):
        one = left[i].copy() if i < len(left) else Text()
        one.truncate(width, overflow="ellipsis", pad=True)
        lines.append(Text.assemble(one, (" │ ", "dim"), right[i] if i < len(right) else ""))
    return lines


def _filled(lines: Sequence[Text], width: int, height: int) -> list[Text]:
    """Exactly `height` lines, none wider than the terminal."""
    kept = list(lines[:height])
    for each in kept:
        each.truncate(width, overflow="ellipsis")
    return kept + [Text() for _ in range(height - len(kept))]


def _coin(symbol: str) -> str:
    return symbol.removesuffix("USDT")


def _price(value: Any) -> str:
    return "-" if value is None else f"{Decimal(str(value)).normalize():f}"[:11]


def _colour(value: Decimal | None) -> str:
    if not value:
        return ""
    return "green" if value > 0 else "red"

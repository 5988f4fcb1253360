"""What a terminal shows while the daemon runs: symbols with signals and blockers, positions with zones, equity, last events."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from turbo_trader.console.sentences import sentence
from turbo_trader.rules.gates import TEXTS, Code
from turbo_trader.rules.scan import GATES, TIER_A, TIER_B
from turbo_trader.signals.figures import SIGNALS
from turbo_trader.trader.commands import Note, Scanned
from turbo_trader.trader.view import View

_TIERS = {TIER_A: "A", TIER_B: "B"}
_SHOWN = (
    "summary",
    "entry-ended",
    "entry",
    "fill",
    "zone",
    "extension",
    "exit",
    "trade",
    "limit",
    "halt",
    "tier",
    "stream",
    "foreign-fill",
    "frozen",
)


class Screen:
    """Keeps the latest of everything and draws it; used as a context."""

    def __init__(self, title: str, symbols: Sequence[str]) -> None:
        self._title = title
        self._symbols = tuple(symbols)
        self._rows: Any = None
        self._view: View | None = None
        self._daemon: Mapping[str, Any] = {}
        self._notes: deque[str] = deque(maxlen=8)
        self._live = Live(self._draw(), refresh_per_second=4, screen=False, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def note(self, note: Note) -> None:
        """A line of the log."""
        if note.name in _SHOWN or note.level in ("warning", "error"):
            self._notes.append(f"{_clock(note.ts)} {sentence(note.name, note.fields)}")

    def scanned(self, scanned: Scanned) -> None:
        """The rows of a scan."""
        self._rows = scanned.rows

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """A moment of the Trader."""
        self._view, self._daemon = view, daemon
        self._live.update(self._draw())

    # -- drawing

    def _draw(self) -> Panel:
        parts: list[Any] = [self._head(), self._scans()]
        if self._view is not None and self._view.positions:
            parts.append(self._positions(self._view))
        parts.append(Text("\n".join(self._notes), style="dim"))
        return Panel(Group(*parts), title=self._title)

    def _head(self) -> Text:
        view, daemon = self._view, self._daemon
        if view is None:
            return Text(
                "starting: reading the venue, filling the one-second grid (5 min of the venue's time)"
            )
        counts = view.counts
        line = (
            f"{_clock(view.ts)}  equity {view.equity:.4f} USDT  session {view.session_result:+.2%}  tier {view.capital_tier}  "
            f"trades {counts['trades']} ({counts['wins']} won)  frames {daemon.get('frames', 0):,}"
        )
        return Text(line + (f"\nno entries: {view.refusal}" if view.refusal else ""), style="bold")

    def _scans(self) -> Table:
        table = Table(expand=True, box=None, padding=(0, 1))
        for column in ("symbol", "mid", "forecast", "SNR", "conf", *SIGNALS, "tier", "EV", "verdict"):
            table.add_column(column)
        if self._rows is None:
            return table
        for symbol, row in zip(self._symbols, self._rows, strict=False):
            table.add_row(*_scan_cells(symbol, row))
        return table

    def _positions(self, view: View) -> Table:
        table = Table(expand=True, box=None, padding=(0, 1))
        for column in ("position", "size", "entry", "price", "stop", "target", "zone", "held"):
            table.add_column(column)
        for p in view.positions:
            side = "long" if p.direction > 0 else "short"
            cells = (p.entry, p.price, p.stop, p.target)
            extended = f"+{p.extensions}" if p.extensions else ""
            table.add_row(
                f"{p.symbol} {side}",
                f"{p.qty}",
                *(_short(value) for value in cells),
                f"{p.zone}{extended}",
                f"{p.seconds} s",
            )
        return table


def _scan_cells(symbol: str, row: Any) -> list[str]:
    confirms, valid = int(row["confirms"]), int(row["valid"])
    marks = []
    for i in range(len(SIGNALS)):
        score = f"{float(row['score'][i]):+.2f}"
        marks.append(f"[green]{score}[/]" if confirms >> i & 1 else score if valid >> i & 1 else "[dim]-[/]")
    blocker = int(row["blocker"])
    verdict = (
        "[green]passed[/]" if blocker < 0 else f"{GATES[blocker]}: {TEXTS[Code(int(row['block_code']))]}"
    )
    forecast = f"{float(row['forecast']) * 1e4:+.1f} bp" if row["direction"] else "-"
    return [
        symbol, f"{float(row['mid']):g}", forecast, f"{float(row['snr']):.1f}", f"{float(row['confidence']):.2f}", *marks,
        _TIERS.get(int(row["tier"]), "-"), f"{float(row['ev']) * 1e4:+.1f}", verdict,
    ]  # fmt: skip


def _clock(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%H:%M:%S")


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:28]

"""The view on the terminal: draws the lines of the board that changed, and takes keys."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import ClassVar, Final

from rich.segment import Segment
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from turbo_trader.console.screen.board import board
from turbo_trader.console.screen.dialogs import Ask, Confirm, Paper
from turbo_trader.console.screen.snapshot import Snapshot

HELP: Final = """\
entries    whether new trades may be opened, and what allows them again
bars       how much of each limit is used; red: all of it
positions  USDT: size at entry; now: the price it can be closed at;
           zone: 0 as entered, 1 stop at break-even, 2 half of the way
           locked, +n: the target moved out n times; P&L: USDT before
           fees; left: until its time is up; on wide terminals a line:
           ● the price between stop and target, ┼ the entry
signals    OFI, VWAP, ACCEL, FUNDING, OU_DRIFT: ✓ confirms the
           direction, ✗ does not, · has no value
gates      how many of the nine gates the last scan passed; the symbols
           nearest to a trade are on top
events     the latest; `turbo-trader logs` has all of them

e  explain a symbol: every figure and gate of its last scans
f  funnel: how many scans came how far
h  halt: no new entries; positions are managed on
r  resume: lift a halt of a person or of the edge watchdog
x  flatten: close everything and halt, after a question
q  quit: end the run, as Ctrl-C does, after a question"""


class Board(Widget):
    """The board's lines; `show` draws those that differ from what is on the terminal."""

    DEFAULT_CSS = "Board { width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Text] = []

    def show(self, lines: Sequence[Text]) -> None:
        """Put these on the terminal."""
        before, self._shown = self._shown, list(lines)
        changed = [
            Region(0, y, self.size.width, 1)
            for y, text in enumerate(self._shown)
            if y >= len(before) or before[y] != text or _styles(before[y]) != _styles(text)
        ]
        if changed:
            self.refresh(*changed)

    def on_resize(self) -> None:
        """Lay out for the new size."""
        if isinstance(self.app, ScreenApp):
            self.app.draw()

    def render_line(self, y: int) -> Strip:
        """One line of the board."""
        if y >= len(self._shown):
            return Strip.blank(self.size.width)
        text, console = self._shown[y], self.app.console
        whole = (
            console.get_style(text.style) if text.style else None
        )  # rich leaves it out of a text without spans
        return Strip(Segment.apply_style(text.render(console), whole)).adjust_cell_length(self.size.width)


def _styles(text: Text) -> tuple[object, object]:
    return text.style, text.spans


class ScreenApp(App[None]):
    """The view of one run. `feed`: where the daemon's messages come from; `daemon_pid`: the process that keys are for."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; color: ansi_default; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "explain"),
        Binding("f", "verb('funnel')"),
        Binding("h", "control('halt')"),
        Binding("r", "control('resume')"),
        Binding("x", "flatten"),
        Binding("q", "end"),
        Binding("question_mark", "help"),
        Binding("ctrl+c,ctrl+q", "interrupt", priority=True),
    ]

    def __init__(self, feed: Connection | None, daemon_pid: int) -> None:
        super().__init__(ansi_color=True)
        self.snapshot = Snapshot()
        self._feed = feed
        self._daemon_pid = daemon_pid

    def compose(self) -> ComposeResult:
        """The board alone; dialogs lie above it."""
        yield Board()

    def on_mount(self) -> None:
        """Listen to the daemon from now on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.leave)
        if self._feed is not None:
            loop.add_reader(self._feed.fileno(), self._read, self._feed)

    def take(self, message: bytes) -> None:
        """One message of the daemon."""
        self.snapshot.take(json.loads(message))
        self.draw()

    def draw(self) -> None:
        """Lay the snapshot out for the terminal's size."""
        on_screen = self.screen_stack[0].query_one(Board)
        on_screen.show(board(self.snapshot, *on_screen.size))

    def leave(self) -> None:
        """End with an empty screen: a terminal that was resized meanwhile may otherwise keep lines of the board."""
        if self._driver is not None:
            self._driver.write("\x1b[2J\x1b[H")
        self.exit()

    def _read(self, feed: Connection) -> None:
        try:
            while feed.poll():
                self.take(feed.recv_bytes())
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(feed.fileno())
            self.leave()

    # -- keys

    async def action_explain(self) -> None:
        """Ask which symbol, then show its last scans."""
        nearest = self.snapshot.scans[0].symbol if self.snapshot.scans else ""

        def chosen(symbol: str | None) -> None:
            if symbol:
                self.action_verb("explain", symbol)

        await self.push_screen(Ask("explain which symbol?", nearest), chosen)

    def action_verb(self, *phrases: str) -> None:
        """Show what a reading verb says of this run's journal."""
        self.run_worker(self._show(phrases), exclusive=True)

    def action_flatten(self) -> None:
        """Ask, then close everything and halt."""
        count = len(self.snapshot.view["positions"]) if self.snapshot.view else 0
        text = f"Close everything at market ({count} open) and halt?"
        self.push_screen(Confirm(text), lambda yes: self.action_control("flatten") if yes else None)

    def action_end(self) -> None:
        """Ask, then end the run."""
        self.push_screen(Confirm("End the run?"), lambda yes: self.action_interrupt() if yes else None)

    def action_interrupt(self) -> None:
        """Ctrl-C: the daemon ends as it does without a view; a second one does not wait for what is under way."""
        self.snapshot.say("ending: Ctrl-C again ends at once", "warning")
        self.draw()
        os.kill(self._daemon_pid, signal.SIGINT)

    def action_help(self) -> None:
        """How to read the board."""
        self.push_screen(Paper("how to read this", HELP))

    def action_control(self, verb: str) -> None:
        """Give a verb to the daemon through its control port."""
        self.run_worker(lambda: self._control(verb), thread=True)

    async def _show(self, phrases: Sequence[str]) -> None:
        paper = Paper(" ".join(phrases), "reading the journal ...")
        await self.push_screen(paper)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "turbo_trader.console", *phrases, "--journal-dir", self.snapshot.folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, wrong = await process.communicate()
        paper.show((said if process.returncode == 0 else said + wrong).decode(errors="replace"))

    def _control(self, verb: str) -> None:
        from turbo_trader.console.standing import entries_line
        from turbo_trader.live.control_client import ask
        from turbo_trader.live.registry import Kind, Registry
        from turbo_trader.market.errors import InputError

        running = [each for each in Registry(Kind.DAEMON).running() if each.pid == self._daemon_pid]
        text, level = f"{verb}: the daemon is not there any more", "error"
        try:
            for daemon in running:
                answer = ask(daemon, verb, {"by": "the view"})
                text, level = f"{verb}: taken; entries: {entries_line(answer['view'])}", "info"
        except InputError as error:
            text = f"{verb}: {error}"
        self.call_from_thread(self._said, text, level)

    def _said(self, text: str, level: str) -> None:
        self.snapshot.say(text, level)
        self.draw()

"""The view in a real terminal: `turbo-trader run` in tmux."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WAIT_S = 120.0  # a busy machine compiles and imports


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, folder: Path) -> None:
        self._tmux = ("tmux", "-S", str(folder / "socket"))
        self._env = {**os.environ, "TERM": "xterm-256color"}

    def do(self, *phrases: str) -> str:
        done = subprocess.run(
            (*self._tmux, *phrases), capture_output=True, text=True, check=True, env=self._env, timeout=20
        )
        return done.stdout

    def lines(self) -> list[str]:
        return self.do("capture-pane", "-p").splitlines()

    def until(self, holds: Callable[[list[str]], bool], what: str) -> list[str]:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if holds(lines := self.lines()):
                return lines
            time.sleep(0.2)
        pytest.fail(f"never seen: {what}\n" + "\n".join(self.lines()))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(tmp_path)
    found.do("new-session", "-d", "-x", "80", "-y", "24", "sh")
    try:
        yield found
    finally:
        found.do("kill-server")


def contains(part: str) -> Callable[[list[str]], bool]:
    return lambda lines: any(part in line for line in lines)


@pytest.mark.external("tmux")
def test_a_run_is_seen_resized_steered_and_leaves_a_clean_screen(terminal: Terminal, tmp_path: Path) -> None:
    program = f"PS1='$ ' {sys.executable} -m turbo_trader.console run --speed 30 --journal-dir {tmp_path}/var"
    terminal.do("send-keys", program, "Enter")
    lines = terminal.until(
        lambda seen: contains("/9 ")(seen) and contains("equity ")(seen), "symbols after a scan"
    )
    assert lines[23].startswith("e explain")
    assert any(line.startswith(("position ", "positions: none open")) for line in lines)
    assert any(line.startswith("events ─") for line in lines)
    assert all(len(line) <= 80 for line in lines)

    terminal.do("resize-window", "-x", "120", "-y", "40")
    lines = terminal.until(contains("conf OFI VWAP"), "the figures of a wide terminal")
    assert lines[39].startswith("e explain")
    assert sum(line.startswith("symbol ") for line in lines) == 1

    terminal.do("send-keys", "h")
    terminal.until(contains("halt: taken; entries: none"), "the halt")
    terminal.do("send-keys", "r")
    terminal.until(contains("resume: taken"), "the resume")
    terminal.do("send-keys", "e")
    terminal.until(contains("explain which symbol?"), "the question")
    terminal.do("send-keys", "Enter")
    terminal.until(contains("gate 1 data"), "the explanation")
    terminal.do("send-keys", "q")
    terminal.until(contains("e explain"), "the board again")

    terminal.do("send-keys", "C-c")
    lines = terminal.until(contains("journal     "), "the summary")
    terminal.do("send-keys", "echo still $((40+2))", "Enter")
    lines = terminal.until(contains("still 42"), "a working shell")
    text = "\n".join(lines)
    assert "ended " in text
    assert "money " in text
    assert "e explain" not in text
    assert "─" not in text

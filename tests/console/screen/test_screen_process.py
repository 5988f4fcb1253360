"""The view as a process: nothing it does delays the daemon, and the terminal is clean however it ends."""

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

LEAVE = "\x1b[?1049l"  # back to the normal screen
SCRIPT = """
import os, signal, sys, termios, time
from turbo_trader.console.screen import screen_process
from turbo_trader.trader.commands import Note
screen_process._EVERY_S, screen_process._END_S = 0.0, float(sys.argv[2])
before = termios.tcgetattr(0)
longest = 0.0
VIEW = {"ts": 10**18, "equity": "18", "session_result": "0", "refusal": "", "lifted_by": "", "limits": {}, "capital_tier": "turbo",
        "positions": [], "counts": {"trades": 0, "wins": 0}, "evidence": "x" * 50_000}
with screen_process.ScreenBeside({"title": "view", "folder": "", "symbols": [], "numbers": {}}) as screen:
    deadline = time.monotonic() + 20
    while termios.tcgetattr(0) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert termios.tcgetattr(0) != before, "the view never took the terminal"
    if sys.argv[1] != "none":
        os.kill(screen.pid, getattr(signal, sys.argv[1]))
    for i in range(300):
        start = time.perf_counter()
        screen.note(Note(i, "zone", "info", {"symbol": "BTCUSDT", "zone": 1, "stop": "1"}))
        screen.view(VIEW, {})
        longest = max(longest, time.perf_counter() - start)
    if sys.argv[1] == "none":
        time.sleep(1.5)
    if sys.argv[1] == "SIGKILL":
        while termios.tcgetattr(0) != before and time.monotonic() < deadline:
            screen.view(VIEW, {})
            time.sleep(0.02)
        assert termios.tcgetattr(0) == before, "the terminal is not the daemon's again"
    print("written meanwhile", file=sys.stderr)
assert termios.tcgetattr(0) == before, "the terminal is not as it was"
print(f"SUMMARY longest {longest:.3f} s")
"""


def run(happens: str, end_s: float) -> tuple[int, str]:
    """Exit code and everything the terminal was given, where this happens to the view."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    env = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, happens, str(end_s)], stdin=theirs, stdout=theirs, stderr=theirs,
        env=env, start_new_session=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65_536):
            written += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
        code = process.wait(30)
    return code, written.decode(errors="replace")


def test_the_end_leaves_the_normal_screen_and_then_the_summary() -> None:
    code, written = run("none", 20.0)
    assert code == 0, written[-2000:]
    before, _, after = written.rpartition(LEAVE)
    assert "zone" in before or "half-way" in before
    assert 0 < after.index("written meanwhile") < after.index("SUMMARY longest")


@pytest.mark.long
@pytest.mark.clock
@pytest.mark.parametrize("happens", ["SIGSTOP", "SIGKILL"])
def test_a_view_that_is_stuck_or_killed_never_delays_the_run(happens: str) -> None:
    code, written = run(happens, 0.3)
    assert code == 0, written[-2000:]
    # only where the run goes on: one that ends has its summary below
    assert ("the live view has ended, the run has not" in written) == (happens == "SIGKILL")
    assert LEAVE in written
    assert (
        float(written.rpartition("SUMMARY longest ")[2].split()[0]) < 0.25
    )  # a busy machine; waiting would take 0.3 and more


def test_without_colours_no_colour_is_written() -> None:
    import re

    _, written = run("none", 20.0)
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", written) for code in found.split(";")}
    assert not codes & {
        str(code) for code in (*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108))
    }

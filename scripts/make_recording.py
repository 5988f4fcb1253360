"""docs/recording.md: what a new user sees from the clone to the first entry, as text, with the seconds it took.

Needs git and tmux and the Python of the machine alone. `scripts/setup` downloads packages: their time is shown apart.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "recording.md"
TMUX = ("tmux", "-L", "recording", "-f", "/dev/null")
COLUMNS, ROWS = 110, 30
LONGEST_S = 3_600
STEP_S = 1.0
APART_S = 5.0  # between two frames of the same phase
MOST = 24  # lines of a phase before the view, and its last one
HEAD = """# The first minutes, as text
`scripts/recording` makes this page: a fresh clone, then `scripts/run` in a terminal of {columns} x {rows} (tmux), until the first
entry is on the screen. Empty lines are left out; of each phase before the view some of the lines are shown. The machine has two
cores; {load} processes were ready to run on average. The [quickstart](quickstart.md) explains each phase.

| from the clone | |
|---|---|
{times}
"""
PHASES = (
    ("download", re.compile("downloading")),
    ("installation", re.compile("installing")),
    ("kernels", re.compile(r"(?i)kernel|compil")),
    ("start of the run", re.compile(r"loading the program")),
    ("view", re.compile(r"(?m)^equity ")),
)
SCREENS = ("view", "entry")  # phases whose frames are whole screens
ENTRY = re.compile(r"^\S+ +(?:long|short)(?: +[\d.]+){5}", re.MULTILINE)


def captured() -> str:
    """The screen without empty lines."""
    shown = subprocess.run((*TMUX, "capture-pane", "-p"), capture_output=True, text=True, check=True).stdout
    return "\n".join(line.rstrip() for line in shown.splitlines() if line.strip())


def phase_of(frame: str) -> str:
    """What is going on: the last phase whose mark is on the screen."""
    found = [name for name, mark in PHASES if mark.search(frame)]
    if ENTRY.search(frame):
        return "entry"
    return found[-1] if found else "start"


def record(clone: Path) -> list[tuple[float, str, str]]:
    """Seconds, phase and screen of each frame worth showing, the first entry last."""
    began = time.monotonic()
    size = ("-x", str(COLUMNS), "-y", str(ROWS))
    fresh = f"TURBO_TRADER_CACHE={clone.parent}/cache XDG_STATE_HOME={clone.parent}/state"  # as of someone who never ran it
    subprocess.run((*TMUX, "new-session", "-d", *size, "-c", str(clone), f"{fresh} scripts/run"), check=True)
    frames: list[tuple[float, str, str]] = []
    try:
        while not frames or frames[-1][1] != "entry":
            at = time.monotonic() - began
            if at > LONGEST_S:
                raise SystemExit(f"no entry after {LONGEST_S} s; the last screen:\n{captured()}")
            frame = captured()
            phase = phase_of(frame)
            same = frames and frames[-1][1] == phase
            if frame and (not same or at - frames[-1][0] > APART_S):
                frames.append((at, phase, frame))
            time.sleep(STEP_S)
    finally:
        subprocess.run((*TMUX, "kill-server"), check=False, capture_output=True)
    return frames


def blocks(frames: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """One block for each phase before the view, of the lines that were new in it; then the screens of the view."""
    seen: set[str] = set()
    found = []
    for phase in dict.fromkeys(phase for _, phase, _ in frames):
        of = [frame for frame in frames if frame[1] == phase]
        if phase in SCREENS:
            found += [of[0], of[-1]] if len(of) > 1 else of
            continue
        lines = [line for _, _, frame in of for line in frame.splitlines()]
        news = [line for line in dict.fromkeys(lines) if line not in seen]
        seen.update(news)
        found.append((of[0][0], phase, "\n".join(thinned(news))))
    return found


def thinned(lines: list[str]) -> list[str]:
    """The first, the last and some between."""
    step = -(-len(lines) // MOST)
    return [line for i, line in enumerate(lines) if i % step == 0 or i == len(lines) - 1]


def page(frames: list[tuple[float, str, str]], load: int) -> str:
    """The page: when each phase began, then the frames. `load`: processes that wanted to run."""
    first: dict[str, float] = {}
    for at, phase, _ in frames:
        first.setdefault(phase, at)
    times = "\n".join(f"| {at:.0f} s | {phase} |" for phase, at in first.items())
    text = HEAD.format(columns=COLUMNS, rows=ROWS, load=load, times=times)
    shown = [f"\n## {at:.0f} s: {phase}\n```\n{frame}\n```\n" for at, phase, frame in blocks(frames)]
    return text + "".join(shown)


def main() -> None:
    """Clone, record, write."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "turbo-trader"
        subprocess.run(("git", "clone", "-q", str(ROOT), str(clone)), check=True)
        TARGET.write_text(
            page(record(clone), round(os.getloadavg()[2]))
            .replace(str(clone), "turbo-trader")
            .replace(folder, "")
        )


if __name__ == "__main__":
    main()

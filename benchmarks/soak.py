"""`scripts/bench soak [HOURS]`: one daemon of 15 symbols through a day of simulated time: what its memory, log and journal grow by.

Lockstep, as fast as the machine goes, so the simulated exchange is in the same process. It pushes books once a second instead of
four times, which makes the run twice as fast, and keeps two days of candles instead of a week, so that it has them all from the
start: neither changes scans or what the daemon keeps.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from turbo_trader.market.rows import SECOND

HOURS: Final = 24.0
_EVERY_S: Final = 2.0  # of wall time, between two looks
_SETTLED: Final = 0.25  # of the time: windows still fill before
_CANDLES: Final = 2 * 1_440  # one-minute candles of a symbol
_PART: Final = 1 << 16  # bytes
_TIME: Final = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.MULTILINE)  # begins each line
_DAEMON: Final = "import sys; from benchmarks.soak import daemon; daemon(sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the daemon: simulated hours since its start, resident MB, MB of its log and of its journal."""

    hours: float
    resident: float
    log: float
    journal: float


def daemon(options: list[str]) -> None:
    """`turbo-trader run OPTIONS` beside an exchange that pushes and keeps less."""
    from turbo_trader.console.main import main as run
    from turbo_trader.exchange.protocol import symbol_market
    from turbo_trader.exchange_server import lockstep

    lockstep.PUSH_NS = SECOND  # type: ignore[misc]
    symbol_market._BARS = _CANDLES  # type: ignore[misc]  # noqa: SLF001
    sys.argv = ["turbo-trader", "run", *options]
    run()


def soak(hours: float, folder: Path) -> list[Look]:
    """Looks at a daemon that runs for so many simulated hours with its files in `folder`; SystemExit where it fails."""
    output = folder / "output"
    looks: list[Look] = []
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _DAEMON, "--no-ui", "--speed", "max", "--for", f"{hours * 3600:.0f}s", "--journal-dir", "var"],
            cwd=folder, stdout=out, stderr=out,
            env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        while process.poll() is None:
            time.sleep(_EVERY_S)
            looks += looked(process.pid, folder, ends(output))
    if process.returncode:
        raise SystemExit("\n".join(output.read_text().splitlines()[-5:]))
    return [look for look in looks if look.hours < looks[-1].hours]  # at the end it gives its memory back


def ends(output: Path) -> list[datetime]:
    """The simulated times of the first and last lines of the daemon; none before there are any."""
    with output.open("rb") as lines:
        head = lines.read(_PART)
        lines.seek(max(0, output.stat().st_size - _PART))
        times = _TIME.findall(head + b"\n" + lines.read())
    return [datetime.fromisoformat(time.decode()) for time in times[:1] + times[-1:]]


def looked(pid: int, folder: Path, times: list[datetime]) -> list[Look]:
    """The daemon now, by the times of its first and last lines; nothing without them, and after its end."""
    try:
        _, found, resident = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")
    except OSError:
        return []
    if not times or not found:
        return []
    hours = (times[-1] - times[0]).total_seconds() / 3600
    return [
        Look(
            hours, int(resident.split()[0]) / 1024, size(folder, "*.jsonl*"), size(folder, "journal.sqlite*")
        )
    ]


def size(folder: Path, pattern: str) -> float:
    """MB of the files of that name."""
    return sum(each.stat().st_size for each in folder.glob(f"var/*/{pattern}")) / 1e6


def slope(looks: list[Look]) -> float:
    """MB an hour by which the daemon's memory grew once its windows were full."""
    settled = [look for look in looks if look.hours >= _SETTLED * looks[-1].hours]
    return float(np.polyfit([look.hours for look in settled], [look.resident for look in settled], 1)[0])


def main() -> None:
    """Print how memory goes, its slope, and the sizes of log and journal."""
    asked = argparse.ArgumentParser(
        prog="scripts/bench soak", description="One daemon through simulated time."
    )
    asked.add_argument("hours", type=float, nargs="?", default=HOURS)
    hours = asked.parse_args(sys.argv[2:]).hours
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        looks = soak(hours, Path(name))
        taken = time.monotonic() - began
    shown = [
        next(look for look in looks if look.hours >= share * looks[-1].hours)
        for share in np.linspace(0, 1, 9)
    ]
    for look in shown:
        print(
            f"{look.hours:5.1f} h: resident {look.resident:.1f} MB, log {look.log:.1f} MB, journal {look.journal:.1f} MB"
        )
    print(f"{looks[-1].hours:.1f} simulated hours in {taken / 60:.0f} min")
    print(f"memory after the first quarter: {slope(looks):+.3f} MB an hour")


if __name__ == "__main__":
    main()

"""`scripts/bench recording FRAMES`: what RECORD costs, on raw frames of a venue (.jsonl): time of the thread that trades, bytes."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from turbo_trader.journal.recorder import Life, Recorder
from turbo_trader.journal.recording_format import segments
from turbo_trader.journal.segments import Keep
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.recording import frames
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.events import MarketRows

PASSES: Final = 5
REPEATED: Final = 50  # the frames, to measure time


def main() -> None:
    """Print microseconds a frame, and bytes an hour, of RECORD=decisions and RECORD=full."""
    asked = argparse.ArgumentParser(prog="scripts/bench recording", description="What recording costs.")
    asked.add_argument("file", type=Path, help="recorded public frames")
    file = asked.parse_args(sys.argv[2:]).file
    if not file.is_file():
        asked.error(f"{file}: no such file")
    raw = [frame for _, frame in frames(file)]
    decoder = FrameDecoder(universe())
    found = [(frame, *rows) for frame in raw if (rows := decoder.decode(frame)) is not None]
    hours = (int(found[-1][2]["ts"][-1]) - int(found[0][2]["ts"][0])) / (3_600 * SECOND)
    count = sum(len(rows) for _, _, rows in found)
    symbols = len({symbol for _, symbol, _ in found})
    print(f"{len(found):,} frames, {count:,} rows of {symbols} symbols in {hours * 3600:,.0f} s")
    for full in (False, True):
        passes = [cost(found * REPEATED, full=full)[0] for _ in range(PASSES)]
        busy = statistics.median(passes) / len(found) / REPEATED
        size = cost(found, full=full)[1] - cost([], full=full)[1]
        print(
            f"RECORD={'full' if full else 'decisions':<10} {busy * 1e6:5.2f} us a frame of the thread that trades, "
            f"{size / hours / 1e6:7.1f} MB an hour, {size / count:5.2f} bytes a row"
        )


def cost(found: list[tuple[bytes, int, Rows]], *, full: bool) -> tuple[float, int]:
    """Processor seconds of the thread that trades, and bytes written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorder = Recorder(folder, Keep(free=0), full=full, patient=True)
        policy = Policy()
        recorder.begin(Life(instruments=universe(), policy=policy, boot="bench", start_ts=0, restored=None))
        number = recorder.decoder(universe()) if full else 0
        began = time.thread_time()
        for frame, symbol, rows in found:
            if full:
                recorder.frame(number, frame, rows)
            recorder.step(MarketRows(0, symbol, rows), ())
        taken = time.thread_time() - began
        recorder.close()
        assert not recorder.left_out
        return taken, sum(path.stat().st_size for path in segments(folder))

"""How time and memory grow with the length of a tape: `python -m benchmarks.lengths`.

Dense tapes of four symbols, frames of one level, as Parquet files in a folder of their own (100 million events: 2 GB on disk). Each
step runs in a process of its own: the first load, which reads the file into the cache, the load of a kept tape with a backtest
over it on one core, and the same on all cores. The backtests must decide the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from benchmarks.dense import one_level_rows
from turbo_trader.market.record_copies import laid_together
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.market.tape import Tape, read_tape, write_tape
from turbo_trader.market.tape_cache import TapeCache
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.workers import cores

_START: Final = 1_767_603_600 * SECOND
_SYMBOLS: Final = 4
_PASSES: Final = 3


def made(folder: Path, millions: int) -> Path:
    """The file of a tape of so many events."""
    path = folder / f"{millions}.parquet"
    each = millions * 1_000_000 // _SYMBOLS
    rows = laid_together([one_level_rows(each, _START, seed) for seed in range(_SYMBOLS)])
    write_tape(Tape(universe()[:_SYMBOLS], tuple(rows), "dense", made_up=True), path)
    return path


def load(path: Path) -> Tape:
    """The tape of a file, through the cache beside it."""
    return read_tape(path, cache=TapeCache(path.parent / "cache"))


def run(path: Path, threads: int) -> dict[str, Any]:
    """The backtest of a file: the least seconds of several passes, and what was decided."""
    tape = load(path)
    test = Backtest(tape, Policy(), Decimal(18), threads=threads)
    results = [test.run() for _ in range(_PASSES)]
    return {
        "seconds": min(float(result["seconds"]) for result in results),
        "events": sum(map(len, tape.rows)),
        "decisions": results[0]["decisions_sha256"],
    }


def peak_mb() -> int:
    """The most memory this process has had, MB, a file's pages included."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return peak // 1024


def _child(step: str, path: Path, millions: int) -> dict[str, Any]:
    """A step in a process of its own, which says what it took."""
    one = ["taskset", "-c", "0"] if step == "one" else []
    command = [*one, sys.executable, "-m", "benchmarks.lengths", step, str(path), str(millions)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _step(step: str, path: Path, millions: int) -> dict[str, Any]:
    began = time.perf_counter()
    if step == "make":
        made(path.parent, millions)
    elif step == "load":
        load(path)
    found = run(path, cores()) if step in {"one", "all"} else {}
    return {"seconds": round(time.perf_counter() - began, 1), **found, "peak_mb": peak_mb()}


def table(folder: Path, lengths: list[int]) -> None:
    """Print a line for each length."""
    print("| events | first load | backtest, one core | all cores | ratio |\n|---|---|---|---|---|")
    for millions in lengths:
        path = folder / f"{millions}.parquet"
        _child("make", path, millions)
        first, one, every = (_child(step, path, millions) for step in ("load", "one", "all"))
        assert one["decisions"] == every["decisions"]
        times = [f"{each['seconds']:.2f} s, {each['peak_mb']} MB" for each in (first, one, every)]
        print(
            f"| {one['events']:,} | {' | '.join(times)} | {one['seconds'] / every['seconds']:.2f} |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    if len(sys.argv) == 4 and not sys.argv[1].isdigit():
        print(json.dumps(_step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
        return
    asked = argparse.ArgumentParser(description="Time and memory by the length of a tape.")
    asked.add_argument("millions", type=int, nargs="*", default=[1, 10, 100], help="millions of events")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        table(Path(folder), asked.parse_args().millions)


if __name__ == "__main__":
    main()

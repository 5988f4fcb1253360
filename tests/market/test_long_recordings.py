"""A recording is read in parts: the same rows, and no more memory for a longer one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.market import recording, tape
from turbo_trader.market.errors import InputError
from turbo_trader.market.tape import Tape, read_tape
from turbo_trader.market.tape_cache import TapeCache

NOW_MS = 1_767_600_000_000
LEVELS = 20
READ = """
import sys
from pathlib import Path
from benchmarks.lengths import peak_mb
from turbo_trader.market.tape import read_tape
from turbo_trader.market.tape_cache import TapeCache
found = read_tape(Path(sys.argv[1]), cache=TapeCache(Path(sys.argv[2])))
print(sum(map(len, found.rows)), peak_mb())
"""


def record(path: Path, count: int, symbols: tuple[str, ...] = ("BTCUSDT",)) -> Path:
    """So many book frames of each symbol, and a reply that is left out."""
    bids = ",".join(f'["{60_000 - n}","1"]' for n in range(LEVELS))
    with path.open("w") as file:
        file.write('{"success":true,"op":"subscribe"}\n')
        for n in range(count):
            for symbol in symbols:
                kind = "delta" if n else "snapshot"
                file.write(
                    f'{{"topic":"orderbook.50.{symbol}","type":"{kind}","ts":{NOW_MS + n},"data":{{"s":"{symbol}",'
                    f'"b":[{bids}],"a":[["61000","{1 + n % 7}"]],"u":{n + 1},"seq":{n + 1}}},"cts":{NOW_MS + n}}}\n'
                )
    return path


def same(one: Tape, other: Tape) -> bool:
    rows = zip(one.rows, other.rows, strict=True)
    equal = all(np.array_equal(a.view(np.uint8), b.view(np.uint8)) for a, b in rows)
    return equal and (one.instruments, one.left_out) == (other.instruments, other.left_out)


def test_a_longer_recording_takes_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (15_000, 105_000):
        path = record(tmp_path / f"{count}.jsonl", count)
        command = [sys.executable, "-c", READ, str(path), str(tmp_path / "cache")]
        events, peak = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.split()
        assert int(events) > LEVELS * count
        peaks.append(int(peak))
    assert peaks[1] - peaks[0] < 30  # MB; the rows of the 90,000 more are 45 MB


def test_a_recording_read_in_parts_has_all_rows_and_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "a.jsonl", 50, ("ETHUSDT", "BTCUSDT", "SOLUSDT"))
    whole, chosen = read_tape(path), read_tape(path, ["SOLUSDT"])
    monkeypatch.setattr(recording, "_AT_ONCE", 97)
    cache = TapeCache(tmp_path / "cache")
    assert same(read_tape(path, cache=cache), whole)
    assert same(read_tape(path, ["SOLUSDT"], cache=cache), chosen)
    assert whole.left_out == {recording.NO_DATA: 1}
    monkeypatch.setattr(tape, "recorded_parts", None)
    assert same(read_tape(path, cache=cache), whole)
    with path.open("a") as file:
        file.write(path.read_text())  # another content, which goes back in time
    monkeypatch.undo()
    with pytest.raises(InputError, match="goes back in time"):
        read_tape(path, cache=cache)


def test_a_recording_that_cannot_be_kept_is_read_all_the_same(tmp_path: Path) -> None:
    path = record(tmp_path / "a.jsonl", 50)
    (tmp_path / "file").touch()
    assert same(read_tape(path, cache=TapeCache(tmp_path / "file" / "cache")), read_tape(path))

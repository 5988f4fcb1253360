"""`tape record`: what a venue sends becomes a tape that any verb reads, also after it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import serve_in_thread
from turbo_trader.live.frame_recorder import cut_torn_line
from turbo_trader.market.errors import InputError
from turbo_trader.market.recording import TORN, frames
from turbo_trader.market.reference import universe
from turbo_trader.market.tape import read_tape
from turbo_trader.simulation.synthetic import SyntheticMarket

TURBO = Path(sys.executable).with_name("turbo-trader")


@pytest.mark.long
def test_a_recorder_that_is_killed_and_begun_again_leaves_a_tape_with_whole_books(tmp_path: Path) -> None:
    market = SyntheticMarket(universe()[:2], 1, 1_767_603_600_000_000_000, 0.0)
    with serve_in_thread(
        Venue(market, VenueConfig("key", "secret", Decimal(50), speed=5.0, limits=False))
    ) as venue:
        verb = [
            str(TURBO),
            "tape",
            "record",
            "tape",
            "--symbols",
            "BTC,ETH",
            "--market",
            f"bybit:{venue.url}",
        ]

        def recorded() -> int:
            return sum(path.stat().st_size for path in (tmp_path / "tape").glob("frames-*.jsonl"))

        first = subprocess.Popen(verb, cwd=tmp_path, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 90
        while not (tmp_path / "tape").exists() or recorded() < 20_000:
            assert first.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        first.kill()
        first.wait()
        (path,) = (tmp_path / "tape").iterdir()
        with path.open("ab") as file:
            file.write(b'{"t":"recv","data":{"topic":"orderb')  # as a write that was cut off leaves it
        counts = Counter[str]()
        before = sum(1 for _ in frames(path, counts))
        assert counts[TORN] == 1
        second = subprocess.Popen(
            [*verb, "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        size = recorded()
        while recorded() < size + 20_000:
            assert second.poll() is None
            assert time.monotonic() < until + 90
            time.sleep(0.1)
        second.send_signal(signal.SIGINT)
        out, errors = second.communicate(timeout=30)
    assert second.returncode == 0, errors
    found = json.loads(out)
    assert found["frames"] > 0
    assert found["unreadable"] == found["connections_lost"] == 0
    files = sorted((tmp_path / "tape").iterdir())
    assert sum(1 for each in files for _ in frames(each)) == before + found["frames"]
    for each in files:
        tape = read_tape(each, ("BTCUSDT", "ETHUSDT"))
        assert all(len(rows) for rows in tape.rows)
        assert TORN not in tape.left_out


@pytest.mark.parametrize(
    ("given", "kept"), [(b"", b""), (b"a\nb\n", b"a\nb\n"), (b"a\nb", b"a\n"), (b"abc", b"")]
)
def test_what_follows_the_last_whole_line_is_cut_off(given: bytes, kept: bytes, tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_bytes(given)
    assert cut_torn_line(path) == len(given) - len(kept)
    assert path.read_bytes() == kept
    assert cut_torn_line(tmp_path / "none") == 0


def test_a_long_torn_line_is_cut_off_too(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_bytes(b"whole\n" + b"x" * 200_000)
    cut_torn_line(path)
    assert path.read_bytes() == b"whole\n"


def test_a_torn_line_in_the_middle_is_an_error_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text('{"t":"recv","data":{"to\n{"t":"recv","data":{}}\n')
    with pytest.raises(InputError, match=r"line 1: not a recorded frame"):
        list(frames(path))


@pytest.mark.parametrize(
    ("end", "why"),
    [('{"t":"recv","data":{"to":1}', "torn"), ('{"t":"recv","data":{}\n', "line 2"), ("ended\n", "line 2"), ("end", "line 2")],
)  # fmt: skip
def test_only_a_last_line_without_its_end_counts_as_torn(end: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_text('{"t":"recv","data":{}}\n' + end)
    if why == "torn":
        counts = Counter[str]()
        assert len(list(frames(path, counts))) == 1
        assert counts[TORN] == 1
    else:
        with pytest.raises(InputError, match=why):
            list(frames(path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--symbols", ""), "--symbols: name one at least"),
        (("--symbols", "BTC", "--market", "synthetic"), "--market synthetic: must be bybit"),
        (("--symbols", "BTC", "--market", "bybit:ftp://x"), "give the address as bybit:http://HOST:PORT"),
        (("--symbols", "BTC", "--for", "never"), "duration 'never'"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [TURBO, "tape", "record", "tape", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "tape").exists()

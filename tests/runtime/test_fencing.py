"""The daemon's lease in its shell: renewed by the Trader's timer, asked before each write, and the end when another holds it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.lease import GUARD, Lease, LeaseRules
from turbo_trader.market.errors import InputError
from turbo_trader.runtime.fencing import Fence

SHORT = LeaseRules(renew_ns=0, fence_ns=40_000_000, window_ns=40_000_000)


class Recorder:
    def __init__(self, folder: Path, rules: LeaseRules | None = None) -> None:
        self.names: list[str] = []
        self.woken: list[int] = []
        self.lost: list[str] = []
        self.fence = Fence(
            EpochFiles(folder),
            rules or LeaseRules(),
            self.emit,
            self.woken.append,
            self.lost.append,
            time.monotonic_ns,
        )

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:
        self.names.append(name)


def test_it_may_write_from_begin_to_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    assert not recorder.fence.permit()
    recorder.fence.begin()
    recorder.fence.beat()
    assert (recorder.fence.permit(), recorder.fence.epoch, recorder.names) == (True, 1, [])
    recorder.fence.end()
    assert not recorder.fence.permit()
    assert EpochFiles(tmp_path).current().released


def test_s47_a_daemon_that_was_away_writes_nothing_until_it_has_a_new_epoch(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, SHORT)
    recorder.fence.begin()
    time.sleep(0.05)
    assert not recorder.fence.permit()
    recorder.fence.beat()
    assert (recorder.fence.permit(), recorder.woken, recorder.names, recorder.lost) == (
        True,
        [2],
        ["lease-out"],
        [],
    )


def test_s47_an_absence_is_noticed_with_the_first_event_after_it(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, SHORT)
    recorder.fence.begin()
    recorder.fence.catch_up()
    assert recorder.woken == []
    time.sleep(0.05)
    recorder.fence.catch_up()
    assert (recorder.fence.permit(), recorder.woken) == (True, [2])
    recorder.fence.end()
    recorder.fence.catch_up()
    assert recorder.woken == [2]  # what was given back is not taken again


def test_s47_a_daemon_that_finds_a_higher_epoch_is_over(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fence.begin()
    Lease(EpochFiles(tmp_path), GUARD).take()
    assert not recorder.fence.permit()
    for _ in range(3):
        recorder.fence.beat()
    assert (recorder.names, recorder.woken, recorder.fence.permit()) == (["fenced"], [], False)
    assert recorder.lost == ["fenced: the guard holds epoch 2"]


def test_without_a_folder_to_write_there_is_no_start(tmp_path: Path) -> None:
    (tmp_path / "lease").write_text("a file")
    with pytest.raises(InputError, match="permissions"):
        Recorder(tmp_path).fence.begin()

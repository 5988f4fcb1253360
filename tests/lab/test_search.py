"""Searches: resumable, on workers of any machine, a killed worker costs its task alone, folds are purged and embargoed."""

from __future__ import annotations

import json
import os
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studies.searching import written
from turbo_trader.console.verbs import search as search_verb
from turbo_trader.lab.data import HEADER
from turbo_trader.lab.made_up_panels import MadeUpPanel
from turbo_trader.lab.sweep import Range, Search, Tried, check_ranges, overfitting
from turbo_trader.lab.tasks import Record, Task, evaluate
from turbo_trader.lab.walk import folds, reversed_folds, walk, walk_forward
from turbo_trader.lab.workers import Lost, Workers, workers
from turbo_trader.market.errors import InputError

pytestmark = pytest.mark.long

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
SIGNAL = """
from dataclasses import dataclass
from turbo_trader.lab.made_up_panels import Echo

@dataclass(frozen=True)
class Signal(Echo):
    hold: int = 6
"""
ALWAYS_LONG = """
from dataclasses import dataclass
import numpy as np
from turbo_trader.lab.panel import Panel, Scores

@dataclass(frozen=True)
class Signal:
    odd: int = 3
    lookback = 12

    def score(self, panel: Panel) -> Scores:
        return Scores((panel.volume[-1] * 1000).astype(int) % self.odd == 0, 0.001, 8 * panel.interval_ns)
"""


@pytest.fixture
def task(tmp_path: Path) -> Task:
    panel = MadeUpPanel(days=24, symbols=2, minutes=30, hold=6, edge=0.004, jumps_per_hour=0.5).panel(1)
    for s, symbol in enumerate(panel.symbols):
        rows = [HEADER]
        for t, ts in enumerate(panel.ts.tolist()):
            values = (float(x[t, s]) for x in (panel.open, panel.high, panel.low, panel.close, panel.volume))
            rows.append(f"{ts // 1_000_000},{','.join(f'{v:.8f}' for v in values)}")
        (tmp_path / f"{symbol}.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "mine.py").write_text(SIGNAL)
    return Task(str(tmp_path / "mine.py"), tmp_path, {})


class Here(Workers):
    """Runs each task where it is asked for."""

    def __init__(self) -> None:
        self.ran = 0

    def run(self, work, following):  # type: ignore[no-untyped-def]
        for each in following:
            self.ran += 1
            yield each, work(each)


RANGES = {"times": Range(2.0, 5.0), "hold": Range(3, 9, whole=True)}


def test_search_stopped_in_the_middle_goes_on_where_it_was(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    counted: list[int] = []

    def count(tried: Sequence[Tried]) -> None:
        counted.extend(each.number for each in tried)

    said: list[tuple[int, str]] = []
    Search(folder, task, RANGES, 1).run(Here(), 5, say=print, report=lambda *_: None, count=count)
    with (folder / "trials.jsonl").open("a") as file:
        file.write('{"number": 5, "param')  # killed while it wrote
    again, here = Search(folder, task, RANGES, 1), Here()
    found = again.run(here, 8, say=print, report=lambda *each: said.append(each), count=count)
    assert len(found) == 8
    assert counted == [*range(5), *range(5), 5, 6, 7]
    assert here.ran == 3
    assert [done for done, _ in said] == [1, 2, 3]
    assert said[-1][1].startswith("best t by day ")
    result = again.result()
    assert result["trials"] == len(result["sharpes"]) == 8
    assert result["best"]["t_by_day"] == pytest.approx(max(each.value for each in again.tried), abs=1e-3)


def test_trial_that_cannot_be_counted_is_not_kept_and_nothing_is_said_of_it(
    task: Task, tmp_path: Path
) -> None:
    search, said = Search(tmp_path / "search", task, RANGES, 1), list[int]()

    def full(tried: Sequence[Tried]) -> None:
        if tried:
            raise InputError("the ledger cannot be written")

    with pytest.raises(InputError, match="the ledger"):
        search.run(Here(), 3, say=print, report=lambda done, _: said.append(done), count=full)
    assert said == []
    assert Search(tmp_path / "search", task, RANGES, 1).tried == []


@pytest.mark.parametrize(
    ("target", "name", "message"),
    [
        ("rules", "momentum", "momentum: no number of the rules"),
        ("rules", "ou_threshold", "OU_THRESHOLD"),
        ("five_signals", "momentum", "its parameters are"),
        ("five_signals", "window", "window must be 30 or more"),
    ],
)
def test_range_that_a_parameter_cannot_have_is_refused_before_any_trial(
    task: Task, target: str, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_ranges(replace(task, target=target), {name: Range(-5, 100, whole=True)})


def test_folder_of_another_search_is_refused(task: Task, tmp_path: Path) -> None:
    Search(tmp_path / "search", task, RANGES, 1)
    with pytest.raises(InputError, match="holds another search"):
        Search(tmp_path / "search", replace(task, round_trip=0.0), RANGES, 1)


@pytest.mark.parametrize("given", ["hours", "hours=3", "hours=8..1", "hours=a..b", "=1..2"])
def test_range_that_is_none_is_one_clear_line(given: str) -> None:
    with pytest.raises(InputError, match=r"NAME=LOW\.\.HIGH"):
        Range.parse(given)


def test_ranges_are_whole_numbers_numbers_and_choices() -> None:
    assert Range.parse("hold=3..9") == ("hold", Range(3, 9, whole=True))
    assert Range.parse("times=2.5..5") == ("times", Range(2.5, 5.0))
    assert Range.parse("tiers=A|B") == ("tiers", Range(choices=("A", "B")))


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler and two workers, each a process of its own."""
    file = tmp_path / "scheduler.json"
    local = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    made = [start("distributed.cli.dask_scheduler", *local)]
    until = time.monotonic() + 60
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
    made += [start("distributed.cli.dask_worker", address, *alone) for _ in range(2)]
    yield address, made[1:]
    for process in made:
        process.kill()
        process.wait()


def slowly(given: tuple[int, str]) -> tuple[int, int]:
    number, folder = given
    with (Path(folder) / f"began-{number}").open("a") as file:
        file.write(".")
    time.sleep(0.4)
    return number, os.getpid()


def test_killed_worker_costs_only_its_task(
    cluster: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path
) -> None:
    address, processes = cluster
    found: dict[int, int] = {}
    until = time.monotonic() + 60
    while True:
        try:
            with workers(address, 0) as connected:
                connected.client.wait_for_workers(2, timeout=60)
                break
        except InputError:
            assert time.monotonic() < until
            time.sleep(0.2)
    with workers(address, 0) as connected:
        for (number, _), result in connected.run(slowly, iter([(k, str(tmp_path)) for k in range(12)])):
            assert not isinstance(result, Lost)
            found[number] = result[1]
            if len(found) == 4:
                threading.Thread(target=processes[0].send_signal, args=(signals.SIGKILL,)).start()
    assert sorted(found) == list(range(12))
    began = [len((tmp_path / f"began-{k}").read_text()) for k in range(12)]
    assert sum(began) <= 12 + 2  # at most what the dead worker had begun is done again
    assert len(set(found.values())) == 2


def test_scheduler_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turbo_trader.lab.workers._TIMEOUT_S", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers there"), workers("tcp://127.0.0.1:9", 0):
        pass


def record(days: np.ndarray, net: np.ndarray, hold: int = 2 * HOUR) -> Record:
    entered = days.astype(np.int64) * DAY
    return Record(entered, entered + hold, net)


def test_folds_are_purged_and_embargoed() -> None:
    made = folds(0, 60 * DAY, 5, DAY)
    assert [fold.test_start for fold in made[1:]] == [fold.test_end for fold in made[:-1]]
    open_at_test = Record(np.array([9 * DAY]), np.array([10 * DAY + HOUR]), np.array([1.0]))
    just_before = Record(np.array([9 * DAY]), np.array([10 * DAY - HOUR]), np.array([1.0]))
    long_before = Record(np.array([8 * DAY]), np.array([9 * DAY]), np.array([1.0]))
    learned = [
        len(r.between(made[0].train_start, made[0].train_end).net)
        for r in (open_at_test, just_before, long_before)
    ]
    assert learned == [0, 0, 1]
    back = reversed_folds(0, 60 * DAY, 5, DAY)
    assert all(fold.train_start == fold.test_end + DAY for fold in back)


def test_parameters_are_chosen_on_training_trades_alone() -> None:
    days = np.arange(60)
    early = record(days, np.where(days < 10, 0.01, -0.01) + 0.001 * (days % 3))
    late = record(days, np.where(days < 10, -0.01, 0.01) + 0.001 * (days % 3))
    tried = [Tried(0, {"x": 0}, early), Tried(1, {"x": 1}, late)]
    forward, chosen = walk(tried, folds(0, 60 * DAY, 5, HOUR))
    assert chosen[0]["trial"] == 0  # right on what was known, wrong on what came
    assert chosen[0]["test_bp"] < 0
    assert chosen[-1]["trial"] == 1
    assert len(forward.net) <= 50


def test_walk_forward_refuses_noise_and_finds_what_lasts() -> None:
    rng = np.random.default_rng(1)
    days = np.repeat(np.arange(120), 8)
    noise = [Tried(k, {"k": k}, record(days, rng.normal(0, 0.004, len(days)))) for k in range(40)]
    assert walk_forward(noise, 5, DAY)["verdict"] != "edge"
    real = [*noise, Tried(40, {"k": 40}, record(days, rng.normal(0.001, 0.004, len(days))))]
    found = walk_forward(real, 5, DAY)
    assert (found["verdict"], found["trials"]) == ("edge", 41)
    assert [fold["trial"] for fold in found["folds"]].count(40) >= 4
    assert (overfitting(real) or 0.0) < 0.1


def test_walk_forward_on_a_rising_market_is_no_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fold earns forwards and backwards; always long at the same moments earns as much."""
    written(MadeUpPanel(days=40, symbols=3, minutes=30, drift=0.04).panel(1), tmp_path)
    (tmp_path / "mine.py").write_text(ALWAYS_LONG)
    here: Workers = Here()

    def run(made: Search, trials: int, *_: object) -> list[Tried]:
        return made.run(here, trials, say=print, report=lambda *_: None, count=lambda _: None)

    monkeypatch.setattr(search_verb, "_run", run)
    code = search_verb.walk_forward(
        target=str(tmp_path / "mine.py"), data=tmp_path, search=["odd=3|5"], trials=2, folder=tmp_path / "w", json=True
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert found["net_bp"] > 0 < found["reversed_bp"]
    assert (code, found["verdict"]) == (1, "no edge")
    assert any(reason.startswith("always long") for reason in found["reasons"])


def test_trades_of_a_fold_are_those_of_the_fold_asked_alone(task: Task, tmp_path: Path) -> None:
    whole = evaluate(task)
    part = tmp_path / "part"
    part.mkdir()
    for file in tmp_path.glob("*.csv"):
        lines = file.read_text().splitlines()
        (part / file.name).write_text("\n".join(lines[:700]) + "\n")
    alone = evaluate(replace(task, data=part))
    end = int(alone.left.max())
    assert np.array_equal(whole.between(0, end).net, alone.net)


def test_numbers_of_the_rules_can_be_searched() -> None:
    sample = Path(__file__).parents[2] / "samples" / "bars"
    found = evaluate(Task("rules", sample, {"ou_threshold": 0.7}))
    assert (found.left >= found.entered).all()

"""Kernels: compiled once, before a process is started that needs them, and said on stderr; nothing is compiled later on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import turbo_trader
from turbo_trader.console import kernels
from turbo_trader.console.kernels import Use, entries
from turbo_trader.market import compiled
from turbo_trader.market.machine_code import processor
from turbo_trader.rules.assess import assess

SOURCE = Path(turbo_trader.__file__).parent
BELIEF = (
    "from turbo_trader.console import kernels as k; from turbo_trader.console import progress; progress.FIRST_S = 0.0;"
    "from turbo_trader.signals.drift_belief import belief; k._ENTRIES = {u: lambda: iter([(belief, (0.0, 0))]) for u in k.Use};"
)
EVERYTHING = """
import gc, math, numpy as np
from decimal import Decimal
from turbo_trader.console.kernels import Use, load
from turbo_trader.market.compiled import Kernel
load(*Use)
kernels = [k for k in gc.get_objects() if type(k) is Kernel]
before = {k: len(k._linked) for k in kernels}

from turbo_trader.market.rows import MINUTE, SECOND, BAR
from turbo_trader.market.rebuild import rebuild
from turbo_trader.market.reference import universe
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.noise import fit_noise
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.chaos.situations import OFTEN
from turbo_trader.simulation.synthetic import SyntheticMarket

begin = 1_767_603_600 * SECOND
market = SyntheticMarket(universe()[:2], 1, begin, 3.0)
history = tuple(market.history(i.symbol) for i in universe()[:2])
tape = Tape(universe()[:2], tuple(market.read(s, begin + 20 * MINUTE) for s in range(2)), "made up", made_up=True)
result = Backtest(tape, Policy.from_env(OFTEN), Decimal(60)).run(history)
assert result["entries_by_limit"], "a run without an entry calls less"
fit_noise(np.arange(400), np.cumsum(np.random.default_rng(1).normal(0, 1e-4, 400)))
rebuild(history[0][:30], universe()[0], seed=1)
print("new", sorted(k.py_func.__name__ for k in gc.get_objects() if type(k) is Kernel and len(k._linked) > before.get(k, 0)))
"""


def python(code: str, root: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    path = {"PYTHONPATH": str(root)} if root is not None else {}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **path, **environment},
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose package's folder has the kernel `belief`."""
    root = tmp_path_factory.mktemp("installed")
    shutil.copytree(SOURCE, root / "turbo_trader", ignore=shutil.ignore_patterns("__pycache__", "kernels"))
    shutil.copyfile(SOURCE / "console" / "kernels.py", root / "turbo_trader" / "console" / "kernels.py")
    said = python(BELIEF + "k.ship()", root, TURBO_TRADER_CACHE=str(root / "cache"))
    assert "compiling kernels" in said.stderr
    assert said.stdout == ""
    return root


COUNT = (
    BELIEF
    + "print(k.compile_missing(*k.Use)); print(belief(3.0, 100)); import sys; print('numba' in sys.modules)"
)


@pytest.mark.long
def test_another_user_of_an_installation_compiles_nothing(installed: Path, tmp_path: Path) -> None:
    done = python(COUNT, installed, TURBO_TRADER_CACHE=str(tmp_path / "empty"))
    assert (done.stdout.split()[0], done.stdout.splitlines()[2], done.stderr) == ("0", "False", "")
    assert not (tmp_path / "empty").exists()


@pytest.mark.long
def test_an_edited_kernel_is_not_taken_from_the_package(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "edited"
    shutil.copytree(
        installed / "turbo_trader", copy / "turbo_trader", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (copy / "turbo_trader" / "signals" / "drift_belief.py").open("a") as source:
        source.write("# edited\n")
    done = python(COUNT, copy, TURBO_TRADER_CACHE=str(tmp_path / "empty"))
    assert int(done.stdout.split()[0]) > 0
    assert "compiling kernels" in done.stderr


@pytest.mark.long
def test_a_cache_that_cannot_be_written_stops_nothing(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    shutil.copytree(
        installed / "turbo_trader", tmp_path / "turbo_trader", ignore=shutil.ignore_patterns("belief*")
    )
    done = python(COUNT, tmp_path, TURBO_TRADER_CACHE=str(tmp_path / "file"))
    assert float(done.stdout.splitlines()[1]) > 0


@pytest.mark.long
def test_what_the_uses_name_is_all_that_a_run_calls() -> None:
    assert python(EVERYTHING).stdout.splitlines()[-1] == "new []"


def test_no_use_of_a_live_start_has_kernels_of_the_simulated_exchange() -> None:
    modules = {
        each.py_func.__module__ for kernel, _ in entries(Use.TRADER) for each in compiled.reachable(kernel)
    }
    assert not {
        name for name in modules if ".exchange." in name or ".simulation." in name or "rebuild" in name
    }


def test_what_a_kernel_calls_is_found_in_other_modules_too() -> None:
    assert isinstance(assess, compiled.Kernel)
    names = {each.py_func.__name__ for each in compiled.reachable(assess)}
    assert {"assess", "evaluate", "data_gate", "two_barrier", "catch_up"} <= names


def test_kernels_are_for_any_processor_of_the_kind() -> None:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    expected = (
        "x86-64-v2" if features.get("sse4.2") and features.get("popcnt") else binding.get_host_cpu_name()
    )
    assert processor()[0] == os.environ.get("NUMBA_CPU_NAME", expected)


def test_nothing_is_said_when_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernels, "entries", lambda *_: [])
    assert kernels.compile_missing(*Use) == 0
    assert capsys.readouterr() == ("", "")


class Stopped(Exception):
    pass


def test_a_backtest_compiles_before_it_starts_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    from turbo_trader.console.verbs import backtest

    came: list[str] = []

    def run(*_: object) -> None:
        came.append("run")
        raise Stopped

    monkeypatch.setattr(kernels, "compile_missing", lambda *_: came.append("compile"))
    monkeypatch.setattr(backtest, "_results", run)
    with pytest.raises(Stopped):
        backtest.backtest(tape=Path(__file__))
    assert came == ["compile", "run"]


def test_a_paper_run_compiles_before_it_starts_its_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    from turbo_trader.console import paper, start
    from turbo_trader.console.settings import load_settings
    from turbo_trader.rules.policy import Policy

    came: list[object] = []

    def venue(*_: object) -> None:
        came.append("venue")
        raise Stopped

    monkeypatch.setattr(start, "compile_missing", lambda *uses: came.extend(uses))
    monkeypatch.setattr(paper, "paper_venue", venue)
    monkeypatch.setattr(start, "in_lockstep", lambda _: False)
    with pytest.raises(Stopped), start.paper_ground(load_settings(mode="paper"), Policy()):
        pass
    assert came == [Use.TRADER, Use.VENUE, "venue"]

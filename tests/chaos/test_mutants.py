"""Mutants are valid Python, differ from their source, are drawn the same by the same seed, and results are kept."""

from __future__ import annotations

import ast
import gc
import json
import os
import weakref
from collections import Counter
from pathlib import Path

import pytest

from turbo_trader.chaos import mutation_results
from turbo_trader.chaos.grafting import Ungraftable, function_of, graft
from turbo_trader.chaos.mutants import ROOMS, Mutant, draw, path_of_module, plainly
from turbo_trader.chaos.mutation_session import fork
from turbo_trader.chaos.planting import patched
from turbo_trader.chaos.reach import Reach, Watcher
from turbo_trader.trader.ids import Ids, boot_of

pytestmark = pytest.mark.long


def test_mutants_are_python_and_differ_from_their_source() -> None:
    for mutant in draw(25, 1):
        source = path_of_module(mutant.module).read_text(encoding="utf-8")
        changed = patched(mutant.defect(), source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), mutant.name


def test_no_mutant_changes_a_decorator() -> None:
    for mutant in draw(150, 1):
        line = path_of_module(mutant.module).read_text(encoding="utf-8").splitlines()[mutant.line - 1]
        assert not line.lstrip().startswith("@"), mutant.name


def test_the_same_seed_draws_the_same_mutants_of_every_room() -> None:
    names = [mutant.name for mutant in draw(200, 3)]
    assert names == [mutant.name for mutant in draw(200, 3)]
    assert len(set(names)) == 200
    assert set(Counter(name.split(".")[1] for name in names)) == set(ROOMS)


def test_results_are_kept_and_not_made_again(tmp_path: Path) -> None:
    mutants, kept = draw(4, 1), tmp_path / "kept.jsonl"
    for mutant in mutants[:2]:
        mutation_results.keep(kept, mutant, "tests", "tests/a.py::test_b")
    with kept.open("a", encoding="utf-8") as file:
        file.write('{"name": "torn o')
    assert mutation_results.left_to_do(mutants, kept, 40) == [
        (each, mutation_results.NEW) for each in mutants[2:]
    ]
    assert [result["how"] for result in mutation_results.read(kept)] == ["tests/a.py::test_b"] * 2


def test_what_survives_few_seeds_meets_the_others_and_no_test_again(tmp_path: Path) -> None:
    mutants, kept = draw(3, 1), tmp_path / "kept.jsonl"
    mutation_results.keep(kept, mutants[0], mutation_results.NOBODY, "7 seeds", 7)
    mutation_results.keep(kept, mutants[1], mutation_results.NOBODY, "not reached by chaos")
    mutation_results.keep(kept, mutants[2], mutation_results.CHAOS, "I1, seed 3", 0)
    assert mutation_results.left_to_do(mutants, kept, 7) == []
    assert mutation_results.left_to_do(mutants, kept, 40) == [(mutants[0], 7)]
    mutation_results.keep(kept, mutants[0], mutation_results.CHAOS, "I5, seed 12", 0)
    assert mutation_results.left_to_do(mutants, kept, 40) == []
    assert [result["noticed_by"] for result in mutation_results.read(kept)] == ["chaos", "", "chaos"]


def mutant_of_ids(old: str, new: str) -> Mutant:
    module = "turbo_trader.trader.ids"
    text = plainly(path_of_module(module).read_text(encoding="utf-8"))
    assert old in text
    return Mutant(module, 1, "by hand", text.replace(old, new, 1))


def test_a_mutant_is_grafted_into_functions_that_are_imported(tmp_path: Path) -> None:
    mutant, found = mutant_of_ids("self._count += 1", "self._count += 2"), tmp_path / "found"
    dead = weakref.proxy(set())  # its class cannot be asked for

    def judge() -> None:
        graft(mutant)
        found.write_text(Ids("b").next("entry"), encoding="utf-8")

    gc.freeze()  # as a backtest or a play of chaos before it may
    try:
        os.waitpid(fork(judge, 60), 0)
    finally:
        gc.unfreeze()
    assert function_of(mutant) == "Ids.next"
    assert found.read_text(encoding="utf-8") == "tt-b-2-entry"
    del dead
    assert Ids("b").next("entry") == "tt-b-1-entry"


def test_what_stands_outside_of_functions_is_not_grafted() -> None:
    with pytest.raises(Ungraftable):
        graft(mutant_of_ids("'tt'", "'uu'"))


def test_a_mutant_meets_the_tests_that_reach_it_the_quickest_first() -> None:
    reach = Reach()
    reach.add("slow", 2.0, {"m:f", "m:g"})
    reach.add("quick", 0.1, {"m:f"})
    assert reach.quickest("m", "m:f", seconds=5.0) == ["quick", "slow"]
    assert reach.quickest("m", "m:f", seconds=2.0) == ["quick"]
    assert reach.quickest("m", "m:g", seconds=1.0) == ["slow"]
    assert reach.quickest("m", "", seconds=5.0) == ["quick", "slow"]
    assert reach.quickest("m", "m:h", seconds=5.0) == []


def test_the_watcher_names_the_functions_of_the_rooms_that_are_called() -> None:
    watcher = Watcher()
    with watcher:
        boot_of("tt-b-1-entry")
        json.dumps({})
    assert watcher.called == {"turbo_trader.trader.ids:boot_of"}


def test_the_table_counts_by_room_and_names_survivors() -> None:
    results = [
        {"name": "a", "module": "turbo_trader.trader.entries", "noticed_by": "tests"},
        {"name": "b", "module": "turbo_trader.trader.entries", "noticed_by": "chaos"},
        {"name": "c", "module": "turbo_trader.bybit.rest", "noticed_by": ""},
    ]
    text = mutation_results.table(results)
    assert "| `trader` | 2 | 1 | 1 | 0 |" in text
    assert "- c" in text

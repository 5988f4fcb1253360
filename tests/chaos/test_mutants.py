"""Mutants are valid Python, differ from their source, are drawn the same by the same seed, and results are kept."""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.chaos import mutation
from turbo_trader.chaos.mutants import ROOMS, Mutant, draw, path_of_module
from turbo_trader.chaos.planting import patched


def test_mutants_are_python_and_differ_from_their_source() -> None:
    for mutant in draw(60, 1):
        source = path_of_module(mutant.module).read_text(encoding="utf-8")
        changed = patched(mutant.defect(), source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), mutant.name


def test_the_same_seed_draws_the_same_mutants_of_every_room() -> None:
    names = [mutant.name for mutant in draw(200, 3)]
    assert names == [mutant.name for mutant in draw(200, 3)]
    assert len(set(names)) == 200
    assert set(Counter(name.split(".")[1] for name in names)) == set(ROOMS)


def test_results_are_kept_and_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def judged(mutant: Mutant, seeds: int) -> dict[str, Any]:
        asked.append(mutant.name)
        return {"name": mutant.name, "module": mutant.module, "noticed_by": "tests"}

    monkeypatch.setattr(mutation, "judged", judged)
    mutants, kept = draw(4, 1), tmp_path / "kept.jsonl"
    list(mutation.run(mutants[:2], kept, 1, 1))
    results = list(mutation.run(mutants, kept, 1, 1))
    assert len(results) == 4
    assert sorted(asked) == sorted(mutant.name for mutant in mutants)
    assert len([json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]) == 4


def test_the_table_counts_by_room_and_names_survivors() -> None:
    results = [
        {"name": "a", "module": "turbo_trader.trader.entries", "noticed_by": "tests"},
        {"name": "b", "module": "turbo_trader.trader.entries", "noticed_by": "chaos"},
        {"name": "c", "module": "turbo_trader.bybit.rest", "noticed_by": ""},
    ]
    text = mutation.table(results)
    assert "| `trader` | 2 | 1 | 1 | 0 |" in text
    assert "- c" in text

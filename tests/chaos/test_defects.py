"""Planted defects: each fits its module, and the oracle names what broke. All of them: `turbo-trader chaos --defects`."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from turbo_trader.chaos.campaign import Options
from turbo_trader.chaos.defects import DEFECTS
from turbo_trader.chaos.hunt import hunt, options_of
from turbo_trader.chaos.kernel_cache import keep_apart, own_cache
from turbo_trader.chaos.planting import Defect, Unapplicable, patched, path_of
from turbo_trader.market import compiled

SOURCES = Path(__file__).resolve().parents[2] / "src" / "turbo_trader"
PRODUCTION = (
    "market",
    "signals",
    "rules",
    "trader",
    "runtime",
    "bybit",
    "journal",
    "live",
    "exchange",
    "simulation",
)


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_fits_its_module_and_is_python(name: str) -> None:
    defect = DEFECTS[name]
    ast.parse(patched(defect, path_of(defect).read_text(encoding="utf-8")))


def test_there_are_forty_defects_at_least_in_every_production_room() -> None:
    rooms = Counter(defect.module.split(".")[1] for defect in DEFECTS.values())
    assert len(DEFECTS) >= 40
    assert {"rules", "trader", "runtime", "bybit", "signals"} <= set(rooms)


def test_a_patch_that_does_not_fit_is_refused() -> None:
    defect = Defect("gone", "turbo_trader.rules.exits", "no such text", "")
    with pytest.raises(Unapplicable, match="0 times, not once"):
        patched(defect, path_of(defect).read_text(encoding="utf-8"))


def test_production_code_names_no_defect() -> None:
    for room in PRODUCTION:
        for file in (SOURCES / room).rglob("*.py"):
            assert "turbo_trader.chaos" not in file.read_text(encoding="utf-8"), file


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "invariant"),
    [
        ("stop-distance-doubled", "I7"), ("size-tripled", "I7"), ("sent-before-it-is-on-disk", "I8"),
        ("never-trades", "I13"), ("stop-not-put-back", "I1"),
    ],
)  # fmt: skip
def test_the_oracle_finds_a_planted_defect(name: str, invariant: str) -> None:
    found = hunt(DEFECTS[name], options_of(DEFECTS[name], Options()), seeds=10)
    assert found.violation is not None
    assert found.violation["invariant"] == invariant
    assert f"--defect {name}" in found.violation["command"]
    json.dumps(found.violation)


def test_every_planted_defect_has_a_situation_that_can_be_played() -> None:
    for defect in DEFECTS.values():
        options = options_of(defect, Options())
        assert replace(options, first=1).chaos(1).hours == defect.hours


def test_kernels_that_see_a_defect_are_kept_apart_and_others_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TURBO_TRADER_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled, "sources_hash", compiled.sources_hash)  # put back after the test
    shared = compiled.cache_folder()
    sees, other = (compiled.module_folder(SOURCES / name) for name in ("rules/assess.py", "market/book.py"))
    for folder in (sees, other):
        folder.mkdir(parents=True)
    defect = DEFECTS["stop-of-the-whole-target"]  # in rules.distances, which assess imports
    own = own_cache(defect) / "turbo-trader" / "kernels"
    assert [link.name for link in own.iterdir()] == [other.name]
    keep_apart(defect)
    assert compiled.module_folder(SOURCES / "rules" / "assess.py").name != sees.name
    assert compiled.module_folder(SOURCES / "market" / "book.py") == shared / other.name

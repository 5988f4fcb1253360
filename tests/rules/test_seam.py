"""A signal, a gate, a panel signal: each is added in one place (samples/seam, samples/signals), and everything names it."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.rules import declared_tables, gates
from turbo_trader.rules.gate import When
from turbo_trader.signals import listed

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples" / "seam"
#: Each sample: its file, where it goes, the file of the list that its patch changes.
ADDED = {"mark": ("signals", "listed.py"), "tail_gate": ("rules", "gates.py")}


def source(kernel: Any) -> str:
    return inspect.getsource(getattr(kernel, "py_func", kernel))


def test_every_declared_signal_is_scored_at_its_place() -> None:
    called = re.findall(r"_put\(out, j, (\d+), \w+\.(\w+)\(", source(listed.score_figures))
    assert called == [(str(k), signal.score.__name__) for k, signal in enumerate(listed.LISTED)]


def test_every_declared_gate_is_judged_at_its_place() -> None:
    for when, kernel in ((When.FIGURES, gates.judge_figures), (When.WORTH, gates.judge_worth)):
        called = re.findall(r"settle\(out, j, (\d+), \w+\.(\w+)\(", source(kernel))
        declared = [(str(k), gate.judge.__name__) for k, gate in enumerate(gates.LISTED) if gate.when is when]
        assert called == declared


def test_the_tables_of_the_docs_are_those_of_the_declarations() -> None:
    text = (ROOT / "docs" / "rules.md").read_text()
    for table in (declared_tables.signal_table(), declared_tables.gate_table()):
        assert "\n".join(table) in text, "python -m turbo_trader.rules.declared_tables"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the samples added as samples/README.md says."""
    root = tmp_path_factory.mktemp("extended")
    package = root / "turbo_trader"
    shutil.copytree(
        ROOT / "src" / "turbo_trader", package, ignore=shutil.ignore_patterns("__pycache__", "kernels")
    )
    for name, (room, _) in ADDED.items():
        shutil.copy(SAMPLES / f"{name}.py", package / room)
        subprocess.run(["git", "apply", SAMPLES / f"{name}.patch"], cwd=root, check=True)
    return root


ASKED = """
import json
import numpy as np
from decimal import Decimal
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.reference import universe
from turbo_trader.market.state import new_states
from turbo_trader.rules import declared_tables
from turbo_trader.rules.assess import evaluate
from turbo_trader.rules.candidates import candidate
from turbo_trader.rules.explanation import explain
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.rules.gates import GATES
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import SIGNALS
from turbo_trader.signals.listed import score_figures

def row(policy, equity):
    tier = policy.capital_tier(Decimal(equity))
    signals, gp = policy.signal_parameters(tier), policy.gate_parameters(tier, Decimal(equity))
    states = new_states(universe()[:1], **policy.market_parameters())
    out = np.zeros(1, SCAN)
    for name, value in {"warm": 1, "fresh": 1, "jump_age": 1 << 60, "direction": 1, "mark": 100.1, "last_price": 100.0,
                        "range_tail": 0.05}.items():
        out[name] = value
    score_figures(states, 0, MINUTE, signals, out, 0)
    evaluate(states, 0, 12 * 3600 * SECOND, gp, out, 0)
    return out

policy = Policy()
found = {}
for equity in ("18", "500"):
    rows = row(policy, equity)
    funnel = Funnel()
    funnel.add(rows)
    found[equity] = {
        "explain": explain(policy, rows, 0, "BTCUSDT"), "candidate": candidate(policy, rows, 0), "funnel": funnel.to_dict(),
        "lead": float(rows["mark_lead"][0]),
    }
stricter = Policy.from_env({"MARK_THRESHOLD": "0.01", "TAIL_MOST": "0.1"})
found["stricter"] = explain(stricter, row(stricter, "500"), 0, "BTCUSDT")
found["policy"] = {each.name: [each.unit, each.section, each.source, each.reason] for each in policy.table()}
found["tables"] = declared_tables.signal_table() + declared_tables.gate_table()
found["names"] = [SIGNALS, GATES]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers(extended: Path) -> dict[str, Any]:
    """What the extended package says; not compiled, which would take a minute."""
    environment = {**os.environ, "PYTHONPATH": str(extended), "NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", ASKED], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_sample_touches_two_source_files() -> None:
    for name, (room, registry) in ADDED.items():
        changed = re.findall(r"^\+\+\+ b/(\S+)", (SAMPLES / f"{name}.patch").read_text(), re.MULTILINE)
        assert changed == [f"turbo_trader/{room}/{registry}"]  # and the file that is copied


def test_an_added_signal_has_figures_a_bit_and_a_line_of_explain(answers: dict[str, Any]) -> None:
    assert answers["names"][0][-1] == "MARK"
    assert answers["18"]["lead"] == pytest.approx(0.001)
    assert "MARK score +1.00 confirms: 10.0 bp ahead of it, needs > 3.0 bp" in answers["18"]["explain"]
    assert "MARK score +0.05 does not confirm: 10.0 bp ahead of it, needs > 100.0 bp" in answers["stricter"]
    assert answers["18"]["candidate"]["signals"]["MARK"]["confirms"] is True


def test_an_added_gate_blocks_warns_and_is_explained_and_counted(answers: dict[str, Any]) -> None:
    assert answers["names"][1][-3:] == ["tail", "limits", "size"]
    assert "gate 8 tail: block  range tail 500.0 bp > 200.0 bp: wide" in answers["500"]["explain"]
    assert answers["500"]["funnel"]["any_blocks"]["tail"] == 1
    assert any(line.startswith("gate 8 tail: warn") for line in answers["18"]["explain"])
    assert "wide minutes: range tail 500.0 bp, proceeding in turbo" in answers["18"]["candidate"]["warnings"]
    assert answers["18"]["funnel"]["any_blocks"]["tail"] == 0
    assert "gate 8 tail: pass  range tail 500.0 bp <= 1000.0 bp" in answers["stricter"]


def test_numbers_and_tables_name_what_was_added(answers: dict[str, Any]) -> None:
    assert answers["policy"]["MARK_THRESHOLD"] == [
        "fraction", "4 MARK", "no line: the mark price leads the last one", "twice the usual gap of a quiet symbol",
    ]  # fmt: skip
    assert {"TAIL_MOST", "TURBO_TAIL", "GROWING_TAIL", "INSTITUTIONAL_TAIL"} <= answers["policy"].keys()
    text = "\n".join(answers["tables"])
    assert "| MARK | distance of the mark price from the last one, followed |" in text
    assert "| 8 tail | 99.9 % of one-minute ranges within TAIL_MOST | each scan | yes |" in text

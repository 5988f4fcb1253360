"""The table of docs/edge.md: every row once, counted in order, not tried again where it is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studies import hypotheses
from studies.hypotheses import HALF_HOURS, ROWS, Row, main
from studies.searching import written
from turbo_trader.lab.loading import load_signal
from turbo_trader.lab.made_up_panels import MadeUpPanel


def test_each_row_has_a_name_of_its_own_and_a_signal_that_loads() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        name = str(hypotheses.SAMPLES / row.signal) if row.signal.endswith(".py") else row.signal
        load_signal(name, row.parameters)


def test_each_of_the_five_signals_and_the_rule_is_among_the_rows() -> None:
    alone = {row.parameters.get("only") for row in ROWS if row.signal == "five_signals"}
    assert alone == {None, "OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT"}
    assert {row.hypothesis for row in ROWS} == {f"H{k}" for k in range(1, 7)}  # H7 is a column


def test_rows_are_counted_in_order_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tuple(Row("H2", "residual", HALF_HOURS, {"sds": sds}) for sds in (2.0, 3.0))
    monkeypatch.setattr(hypotheses, "ROWS", rows)
    monkeypatch.setattr(hypotheses, "FUNDING", {})
    (tmp_path / HALF_HOURS).mkdir()
    written(MadeUpPanel(days=20, symbols=3, minutes=30).panel(1), tmp_path / HALF_HOURS)
    for _ in range(2):
        monkeypatch.setattr("sys.argv", ["hypotheses", str(tmp_path / "out"), str(tmp_path)])
        main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == lines[2:]
    assert [line.split(" | ")[-2] for line in lines[:2]] == ["1", "2"]
    kept = json.loads((tmp_path / "out" / f"{rows[0].name}.json").read_text())
    assert f"| {kept['trades']:,} |" in lines[0]

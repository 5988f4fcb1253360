"""`feasible` is readable on a terminal of 80 columns at any balance, and says what set each size or why there is none."""

from __future__ import annotations

import json

import pytest

from turbo_trader.console.tables import WIDTH
from turbo_trader.console.verbs.feasible import COLUMNS, feasible


@pytest.mark.parametrize("balance", ["2", "18", "100", "5000", "250000"])
def test_it_fits_80_columns(balance: str, capsys: pytest.CaptureFixture[str]) -> None:
    feasible(balance=balance)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].split() == list(COLUMNS)
    assert len([line for line in lines if line.split()[:1] == ["XRPUSDT"]]) == 1


def test_every_symbol_has_a_size_with_its_limit_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    feasible(balance="2", json=True)
    symbols = json.loads(capsys.readouterr().out)["symbols"]
    feasible(balance="2")
    said = " ".join(capsys.readouterr().out.split())
    for row in symbols:
        assert bool(row["reason"]) == (float(row["qty"]) == 0)
        assert (row["reason"] or f"size set by {row['binding']}") in said
    assert any(row["reason"] for row in symbols)

"""`feasible` is readable on a terminal of 80 columns at any balance, and says what set each size or why there is none."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from turbo_trader.console.tables import WIDTH
from turbo_trader.console.verbs.feasible import COLUMNS, amount, feasible, reference_prices
from turbo_trader.market.errors import InputError


@pytest.mark.parametrize("balance", ["2", "18", "100", "5000", "250000"])
def test_it_fits_80_columns(balance: str, capsys: pytest.CaptureFixture[str]) -> None:
    feasible(balance=balance)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].split() == " ".join(COLUMNS).split()
    assert len([line for line in lines if line.startswith("XRPUSDT ")]) == 1


def test_every_symbol_has_a_size_with_its_limit_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    feasible(balance="2", json=True)
    symbols = json.loads(capsys.readouterr().out)["symbols"]
    feasible(balance="2")
    said = " ".join(capsys.readouterr().out.split())
    for row in symbols:
        assert bool(row["reason"]) == (float(row["sizes"]["A"][1]) == 0)
        assert (row["reason"] or f"size set by {row['binding']}") in said
    assert [row["symbol"] for row in symbols if row["reason"]] == ["BTCUSDT"]
    assert "A size set by margin target at the narrowest exits: all but BTCUSDT" in said


def test_what_may_be_lost_and_the_worst_case_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    feasible(balance="18")
    said = " ".join(capsys.readouterr().out.split())
    assert "10% at the stop of an A-trade (1.80), 5% of a B-trade (0.90), 20% in a session (3.60)" in said
    assert "is the margin: 40% a trade (7.20), 90% of up to 3 together (16.20)" in said


def test_a_wilder_market_allows_less_where_one_direction_is_limited(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAME_DIRECTION", "0.30")
    sizes = []
    for reach in ("50bp", "3%"):
        feasible(balance="18", reach=reach, json=True)
        sizes.append(float(json.loads(capsys.readouterr().out)["symbols"][3]["sizes"]["A"][1]))
    assert sizes[0] > sizes[1] > 0


@pytest.mark.parametrize("given", ["x", "-1%", "nan", "200%"])
def test_a_range_is_a_fraction(given: str) -> None:
    with pytest.raises(InputError, match="--range"):
        feasible(balance="18", reach=given)


def test_a_price_is_given_with_its_symbol() -> None:
    assert reference_prices(["BTC=97000"])["BTCUSDT"] == 97_000
    for wrong in ("BTCUSDT", "FOO=1", "BTC=x"):
        with pytest.raises(InputError, match="--price"):
            reference_prices([wrong])


@pytest.mark.parametrize(
    ("money", "text"), [("5.178", "5.18"), ("99.994", "99.99"), ("250.4", "250"), ("123456", "123k")]
)
def test_amounts_are_short(money: str, text: str) -> None:
    assert amount(Decimal(money)) == text

"""The line that a person is shown of a difference holds the difference."""

from __future__ import annotations

import pytest

from turbo_trader.simulation.command_lines import narrowed


@pytest.mark.parametrize("length", [10, 299, 400, 5_000])
def test_a_long_line_is_cut_so_that_its_difference_is_seen(length: int) -> None:
    same = "Note ts=1 name=candidate text=" + "x" * length
    left, right = narrowed([f"{same} ev=0.1 why=a"], [f"{same} ev=0.2"])
    assert "ev=0.1" in left
    assert "ev=0.2" in right
    assert left.startswith("Note ts=1")


def test_of_lines_with_the_same_fields_only_what_differs_is_shown() -> None:
    line = "scan BTCUSDT ts=1 ev={} snr=2 cost={}"
    assert narrowed([line.format(1, 5)], [line.format(2, 5)]) == ("scan BTCUSDT ev=1", "scan BTCUSDT ev=2")


def test_a_command_that_one_side_lacks_is_nothing_on_it() -> None:
    assert narrowed(["a b=1"], []) == ("a b=1", "nothing")
    assert narrowed([], ["a b=1"]) == ("nothing", "a b=1")

"""Ids: ours, short, unique across starts (S13)."""

from __future__ import annotations

import pytest

from turbo_trader.trader.ids import Ids, boot_of


def test_s13_ids_are_unique_across_starts_and_fit_the_venue() -> None:
    made = [
        ids.next(purpose) for ids in (Ids("b1"), Ids("b2")) for purpose in ("entry", "close", "stop") * 50
    ]
    assert len(set(made)) == len(made)
    assert {boot_of(each) for each in made} == {"b1", "b2"}
    assert all(len(each) <= 36 for each in made)
    longest = Ids("b" * 12)
    longest._count = 36**8
    assert len(longest.next("cancel")) <= 36


@pytest.mark.parametrize("foreign", ["", "tt", "my-order", "tt-b1-1", "xtt-b1-1-entry", "tt-b1-1-entry-2"])
def test_ids_of_others_are_not_ours(foreign: str) -> None:
    assert boot_of(foreign) == ""


def test_a_boot_nonce_is_letters_and_digits() -> None:
    with pytest.raises(ValueError, match="letters or digits"):
        Ids("a-b")

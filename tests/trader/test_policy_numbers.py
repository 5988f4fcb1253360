"""Numbers of the policy that the Trader reads itself: changing one changes what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.trader import events as told
from turbo_trader.trader import scanning
from turbo_trader.trader.commands import Read


@pytest.mark.parametrize("milliseconds", [1000, 500, 3000])
def test_entries_carry_the_receive_window(staged: Callable[..., Any], milliseconds: int) -> None:
    stage = staged(policy=Policy.from_env({"ENTRY_RECV_WINDOW": str(milliseconds)}))
    stage.recover()
    assert stage.enter().recv_window_ms == milliseconds


def given_up_after(stage: Any) -> int:
    """Seconds until an entry that the venue knows nothing of is given up."""
    stage.recover()
    sent = stage.enter()
    stage.answer(sent, "unknown", -1)
    asked = stage.now
    for _ in range(40):
        stage.clock(1)
        for read in [each for each in stage.all(Read) if each.link_id == sent.id][-1:]:
            stage.read(read, asked=stage.now)
        if stage.notes("entry-ended"):
            return int((stage.now - asked) // 10**9)
    raise AssertionError("never given up")


def test_an_unknown_entry_is_looked_up_for_its_window_and_the_extra_time(staged: Callable[..., Any]) -> None:
    usual = given_up_after(staged())
    assert usual == 12  # beyond 1 s + 10 s, at the next look
    assert given_up_after(staged(policy=Policy.from_env({"LOOKUP_EXTRA": "4"}))) == usual - 6
    assert given_up_after(staged(policy=Policy.from_env({"ENTRY_RECV_WINDOW": "5000"}))) == usual + 4


def refreshes(stage: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the weights are made in half an hour in which every scan asks for them."""
    counted: list[int] = []

    def made(policy: Policy, equity: object, returns: Any) -> Any:
        counted.append(1)
        return np.full(returns.shape[1], 0.5)

    monkeypatch.setattr(scanning, "weights", made)
    stage.recover()
    scanner, begin = stage.inside._scanner, stage.now
    while stage.now - begin < 1800 * 10**9:
        stage.inside._desk.now = stage.now
        scanner._refresh_weights(1000)
        stage.now += 30 * 10**9
    return len(counted)


def test_weights_are_refreshed_at_the_policy_s_interval(
    staged: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refreshes(staged(), monkeypatch) == 2
    assert refreshes(staged(policy=Policy.from_env({"WEIGHTS_REFRESH": "300"})), monkeypatch) == 6


@pytest.mark.parametrize("seconds", [2, 5])
def test_a_flatten_that_lasts_longer_than_promised_is_told(staged: Callable[..., Any], seconds: int) -> None:
    stage = staged(policy=Policy.from_env({"FLATTEN_TIME": str(seconds)}))
    stage.recover()
    stage.hold()
    stage.tell(told.Control(stage.now, "flatten", "test"))
    stage.wait(seconds - 1)
    assert not stage.notes("flatten-unconfirmed")
    stage.clock(1)
    (note,) = stage.notes("flatten-unconfirmed")
    assert "AAAUSDT" in note.fields["why"]
    stage.wait(29)
    assert len(stage.notes("flatten-unconfirmed")) == 1
    stage.clock(1)
    assert len(stage.notes("flatten-unconfirmed")) == 2


def test_a_flatten_that_is_quick_enough_is_not_told(staged: Callable[..., Any]) -> None:
    stage = staged()
    stage.recover()
    sent = stage.hold()
    stage.tell(told.Control(stage.now, "flatten", "test"))
    stage.clock(1)
    stage.tell(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.tell(stage.position("0"))
    stage.wait(5)
    assert stage.notes("flat")
    assert not stage.notes("flatten-unconfirmed")

"""Numbers of the policy that the Trader reads itself: changing one changes what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from turbo_trader.rules.policy import Policy
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

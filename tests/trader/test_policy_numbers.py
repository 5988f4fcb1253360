"""Numbers of the policy that the Trader reads itself: changing one changes what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.trader import events, scanning
from turbo_trader.trader.commands import Read


@pytest.mark.parametrize(("env", "milliseconds"), [({}, 1000), ({"ENTRY_RECV_WINDOW": "3000"}, 3000)])
def test_entries_carry_the_receive_window(
    staged: Callable[..., Any], env: dict[str, str], milliseconds: int
) -> None:
    stage = staged(policy=Policy.from_env(env))
    stage.recover()
    assert stage.enter().recv_window_ms == milliseconds


@pytest.mark.parametrize(
    ("name", "equity"),
    [
        ("MICRO_TURBO_SIGNAL_INTERVAL", "18"),
        ("GROWING_SCAN_INTERVAL", "500"),
        ("INSTITUTIONAL_SCAN_INTERVAL", "2000"),
    ],
)
def test_scans_come_at_the_policy_s_interval_of_the_capital_tier(
    staged: Callable[..., Any], name: str, equity: str
) -> None:
    usual = {"18": 30, "500": 60, "2000": 300}[equity]
    for seconds, env in ((usual, {}), (20, {name: "20"})):
        stage = staged(policy=Policy.from_env(env))
        stage.recover(equity)
        stage.wait(seconds)
        assert stage.inside._scanner.next_ns % (seconds * 10**9) == 0
        assert 0 < stage.inside._scanner.next_ns - stage.now <= seconds * 10**9


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


def refreshes(
    stage: Any, monkeypatch: pytest.MonkeyPatch, worth: Sequence[int] = (1000,)
) -> list[tuple[int, int]]:
    """(second, minutes of returns behind it) of each new portfolio in half an hour of a scan a second; `worth`: E, in turn."""
    made: list[tuple[int, int]] = []
    stage.recover()
    begin = stage.now

    def weights(policy: Policy, equity: object, returns: Any) -> Any:
        made.append(((stage.now - begin) // 10**9, returns.shape[0]))
        return np.full(returns.shape[1], 0.5)

    monkeypatch.setattr(scanning, "weights", weights)
    for i in range(1800):
        stage.inside._state.now = stage.now = begin + i * 10**9
        stage.inside._scanner._refresh_weights(worth[i * len(worth) // 1800])
    return made


def test_weights_are_refreshed_at_the_policy_s_interval_over_its_window(
    staged: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refreshes(staged(), monkeypatch) == [(0, 480), (900, 480)]
    changed = Policy.from_env({"WEIGHTS_REFRESH": "300", "WEIGHTS_WINDOW": "60"})
    assert refreshes(staged(policy=changed), monkeypatch) == [(300 * i, 60) for i in range(6)]


def test_weights_turn_at_once_where_equity_crosses_the_portfolio_s_switch(
    staged: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = staged()
    assert [at for at, _ in refreshes(stage, monkeypatch, (20, 19, 20))] == [0, 1200]
    assert set(stage.inside._scanner._weights) == {0.5}
    below = staged()
    assert [at for at, _ in refreshes(below, monkeypatch, (20, 19))] == [0]
    assert set(below.inside._scanner._weights) == {1 / len(below.trader.symbols)}


@pytest.mark.parametrize(("env", "seconds"), [({}, 1), ({"MONITOR_INTERVAL": "3"}, 3)])
def test_account_is_looked_at_an_interval_after_news_while_held(
    staged: Callable[..., Any], env: dict[str, str], seconds: int
) -> None:
    stage = staged(policy=Policy.from_env(env))
    stage.recover()
    stage.hold()
    stage.clock(seconds)
    stage.deliver(stage.wallet("17"))
    assert stage.trader.next_time() - stage.now == seconds * 10**9


def test_account_is_not_looked_at_while_no_watched_price_moves(staged: Callable[..., Any]) -> None:
    stage = staged()
    stage.recover()
    stage.hold()
    stage.wait(12)  # the last look for warnings is over too
    assert stage.trader.next_time() - stage.now > 10**9
    stage.quote("90", "90.01")
    assert stage.trader.next_time() - stage.now <= 10**9


@pytest.mark.parametrize(("env", "seconds"), [({}, 2), ({"FLATTEN_TIME": "5"}, 5)])
def test_a_flatten_that_lasts_longer_than_promised_is_reported(
    staged: Callable[..., Any], env: dict[str, str], seconds: int
) -> None:
    stage = staged(policy=Policy.from_env(env))
    stage.recover()
    stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.wait(seconds - 1)
    assert not stage.notes("flatten-unconfirmed")
    stage.clock(1)
    (note,) = stage.notes("flatten-unconfirmed")
    assert "AAAUSDT" in note.fields["why"]
    stage.wait(29)
    assert len(stage.notes("flatten-unconfirmed")) == 1
    stage.clock(1)
    assert len(stage.notes("flatten-unconfirmed")) == 2


def test_a_flatten_that_is_quick_enough_is_not_reported(staged: Callable[..., Any]) -> None:
    stage = staged()
    stage.recover()
    sent = stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.clock(1)
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    stage.wait(5)
    assert stage.notes("flat")
    assert not stage.notes("flatten-unconfirmed")


def test_a_flatten_of_nothing_is_done_and_not_reported_by_a_quiet_venue(staged: Callable[..., Any]) -> None:
    stage = staged()
    stage.recover()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.clock(10)
    assert stage.notes("flat")
    assert not stage.notes("flatten-unconfirmed")

"""Each limit of account and session warns once 80 % of it is used, and again only after it was left; also across a restart."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy
from turbo_trader.trader import events
from turbo_trader.trader.exposure import secured, usage

D = Decimal


def squeezed(stage: Any) -> None:
    """A position whose margin is nearly all there is to trade with."""
    stage.hold()
    stage.deliver(events.WalletReport(stage.now, D(1000), D(1), D(10), D(0), D(0)))


#: limit -> what brings a session of 1,000 USDT beyond 80 % of it, and the policy it is tried under
NEAR: dict[str, tuple[Callable[[Any], object], dict[str, str]]] = {
    "session result": (lambda stage: setattr(stage.inside._state.session, "start_equity", D(1200)), {}),
    "session budget": (lambda stage: setattr(stage.inside._state.session, "realised", D(-165)), {}),
    "drawdown": (lambda stage: setattr(stage.inside._state.session, "peak", D(1140)), {}),
    "same direction": (lambda stage: stage.hold(range_tail=0.4), {"SAME_DIRECTION": "0.30"}),
    "total margin": (squeezed, {}),
    "open positions": (
        lambda stage: stage.hold(),
        {"INSTITUTIONAL_MAX_POSITIONS": "1"},
    ),  # the tier is kept though the fee took it below 1,000
    "consecutive losses": (lambda stage: setattr(stage.inside._state.session, "losses", 3), {}),
    "drawdown pauses": (
        lambda stage: setattr(stage.inside._state.session, "pauses", 5),
        {"PAUSES_TO_HALT": "6"},
    ),
}


def warned(stage: Any) -> list[str]:
    return [note.fields["limit"] for note in stage.notes("limit") if note.fields["what"] == "warning"]


def look(stage: Any) -> None:
    """Until the limits were held against the account once more."""
    stage.now = max(stage.now + 10**9, stage.inside._scanner.next_ns)
    stage.clock()


@pytest.mark.parametrize("limit", NEAR)
def test_a_limit_warns_at_80_percent_once(staged: Callable[..., Any], limit: str) -> None:
    bring, env = NEAR[limit]
    stage = staged(policy=Policy.from_env({"BELIEF": "weighed", "MIN_SIZE_SHARE": "0", **env}))
    stage.recover()
    look(stage)
    assert warned(stage) == []
    bring(stage)
    look(stage)
    assert limit in warned(stage)
    (note,) = [note for note in stage.notes("limit") if note.fields.get("limit") == limit]
    assert note.level == "warning"
    assert note.fields["used"] >= D("0.8")
    assert (
        stage.trader.view().limits[limit] == usage(stage.inside._state, stage.inside._state.equity())[limit]
    )
    look(stage)
    assert warned(stage).count(limit) == 1
    again = stage.restart()
    assert limit in again.inside._state.session.warned


def test_every_limit_is_tried(staged: Callable[..., Any]) -> None:
    stage = staged(policy=Policy(same_direction=D("0.30"), pauses_to_halt=3))
    stage.recover()
    assert set(NEAR) == set(stage.trader.view().limits)


def test_the_peak_is_of_the_wallet_and_what_the_stop_has_locked(stage: Any) -> None:
    stage.hold()
    stage.quote("100.45", "100.46", mark="100.45")  # before zone 1: on paper only
    stage.clock(1)
    session = stage.inside._state.session
    assert session.equity > 1000
    assert session.peak <= 1000


def test_a_tier_at_its_boundary_is_reported_once(staged: Callable[..., Any]) -> None:
    stage = staged(policy=Policy())
    stage.recover("100")
    look(stage)
    for balance in ("99", "100.5", "98", "101", "96"):
        stage.inside._state.ledger.start = D(balance)
        look(stage)
    assert stage.notes("tier") == []
    assert stage.trader.view().capital_tier == "growing"
    stage.inside._state.ledger.start = D("94")
    look(stage)
    assert [note.fields["capital"] for note in stage.notes("tier")] == ["turbo"]


def test_a_view_shows_all_figures_of_one_moment(stage: Any) -> None:
    """The session looks at the account now and then; equity, its result and its drawdown are of the view's time all the same."""
    stage.hold()
    before = stage.trader.view()
    stage.quote("99.90", "99.91")
    view, session = stage.trader.view(), stage.inside._state.session
    assert view.equity < before.equity
    assert view.session_result == (view.equity - session.start_equity) / session.start_equity
    assert view.drawdown == (session.peak - view.equity) / session.peak
    used = view.limits["drawdown"] * stage.inside._state.policy.drawdown_pause
    assert used == view.drawdown


@pytest.mark.parametrize("balance", ["5", "1000"])  # a position of less than one coin, and of many
@pytest.mark.parametrize("direction", [1, -1])
def test_within_its_room_a_price_brings_the_equity_to_no_limit(
    staged: Callable[..., Any], balance: str, direction: int
) -> None:
    stage = staged(policy=Policy(belief=Belief.WEIGHED, min_size_share=D(0)))
    stage.recover(balance)
    stage.hold(direction=direction)
    look(stage)
    state, limits = stage.state(), stage.inside._limits
    equity, (low, high) = stage.inside._state.equity(), limits.calm
    ticks = state.instrument.ticks(stage.inside._state.closable(state))
    below, above = ticks - state.room.ticks[0], state.room.ticks[1] - ticks
    market = stage.trader.states[state.s]
    assert state.room.ticks[0] <= market["watch_low"] < ticks < market["watch_high"] <= state.room.ticks[1]
    worth = abs(state.held) * state.instrument.tick
    down, up = (below, above) if direction > 0 else (above, below)
    assert 0 < down * worth <= equity - low < (down + 1) * worth * (1 + state.taker)  # and not without need
    assert 0 < up * worth <= high - equity


def test_what_a_stop_has_locked_becomes_the_peak_when_the_mark_comes_there(stage: Any) -> None:
    sent = stage.hold()
    stage.quote("100.60", "100.61", mark="100.15")  # zone 1; the mark lags behind
    stop = stage.stops[-1]
    stage.answer(stop)
    stage.deliver(stage.position(str(sent.qty), str(stop.stop_loss), str(sent.take_profit)))
    stage.clock(1)
    session, sure = stage.inside._state.session, secured(stage.inside._state)
    assert session.peak < sure
    assert session.equity < sure
    assert stage.inside._limits.calm[1] == sure
    stage.quote("100.60", "100.61", mark="100.60")
    stage.clock(1)
    assert session.peak == sure


@pytest.mark.parametrize("held", [False, True])
def test_too_little_left_to_lose_ends_the_session_where_nothing_is_open(
    staged: Callable[..., Any], held: bool
) -> None:
    stage = staged(policy=Policy(belief=Belief.WEIGHED))
    stage.recover()
    if held:
        stage.hold()
    state = stage.inside._state
    state.session.start_equity = state.equity() / (1 - stage.policy.session_loss) - D("0.001")
    look(stage)
    assert bool(state.session.halts) is not held


def test_beyond_its_room_a_price_is_watched_by_its_bracket_alone(staged: Callable[..., Any]) -> None:
    stage = staged(policy=Policy(belief=Belief.WEIGHED, min_size_share=D(0)))
    stage.recover("1000")
    for s in (0, 1):
        stage.hold(s)
    look(stage)
    rooms = [stage.state(s).room.ticks for s in (0, 1)]
    below = stage.state().instrument.price(rooms[0][0] - 1)
    stage.quote(str(below), str(below + D("0.01")))
    assert [stage.state(s).room.ticks for s in (0, 1)] == [None, None]
    assert stage.trader.states["watch_low"][1] == int(stage.state(1).bracket.stop * 100)

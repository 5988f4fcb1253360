"""The zone machine of section 6, its worked example, and its one promise: stops only tighten."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import (
    Action,
    Bracket,
    ClosePosition,
    ExitReason,
    MoveBackstop,
    MoveStop,
    exit_rules,
    initial_stop,
)
from turbo_trader.rules.policy import Policy

D = Decimal
T = 1800 * SECOND


def bracket(direction: int = 1, *, tick: str = "0.01", cost: str = "0.0005", **env: str) -> Bracket:
    """Entry 100, TP 101.50 (or 98.50), SL 0.6 %."""
    return Bracket(
        direction=direction,
        entry=D(100),
        tick=D(tick),
        take_profit=D("0.015"),
        stop_loss=D("0.006"),
        cost=D(cost),
        opened_ns=0,
        hold_ns=T,
        rules=exit_rules(Policy.from_env({"BELIEF": "weighed", **env})),
    )


def price(direction: int, away: str) -> Decimal:
    return D(100) + direction * D(away)


SIDES = pytest.mark.parametrize("d", [1, -1], ids=["long", "short"])


@SIDES
def test_entry_places_stop_target_and_backstop(d: int) -> None:
    b = bracket(d)
    assert b.stop == price(d, "-0.60")
    assert b.target == price(d, "1.50")
    assert b.backstop == price(d, "2.25")  # target + half the TP distance


@SIDES
def test_zone_1_before_half_way_nothing(d: int) -> None:
    b = bracket(d)
    assert b.progress(price(d, "0.7499")) < D("0.5")
    assert b.on_price(price(d, "0.7499")) == []
    assert b.zone == 0


@SIDES
def test_zone_1_at_half_way_break_even(d: int) -> None:
    b = bracket(d)
    assert b.next_level == price(d, "0.75")
    assert b.on_price(price(d, "0.75")) == [MoveStop(price(d, "0.10"), "zone-1")]
    assert b.zone == 1


@SIDES
def test_zone_1_break_even_pays_the_cost_where_that_is_more(d: int) -> None:
    b = bracket(d, cost="0.0013")
    assert b.on_price(price(d, "0.75")) == [MoveStop(price(d, "0.13"), "zone-1")]


@SIDES
def test_zone_1_break_even_is_rounded_beyond_cost(d: int) -> None:
    b = bracket(d, cost="0.00131")
    assert b.break_even == price(d, "0.14")


@SIDES
def test_zone_2_confirmed_locks_half_and_moves_backstop_first_then_target(d: int) -> None:
    b = bracket(d)
    b.on_price(price(d, "0.75"))
    assert b.on_price(price(d, "1.49"), confirmed=True) == []
    assert b.at_target(price(d, "1.50"))
    actions = b.on_price(price(d, "1.50"), confirmed=True)
    assert actions == [MoveStop(price(d, "0.75"), "zone-2"), MoveBackstop(price(d, "3.00"))]
    assert b.target == price(d, "1.50")  # not before the backstop stands
    assert b.on_price(price(d, "1.60"), confirmed=True) == []
    b.backstop_confirmed(price(d, "2.25"))  # an older one: nothing
    assert b.target == price(d, "1.50")
    b.backstop_confirmed(price(d, "3.00"))
    assert (b.target, b.backstop, b.extensions) == (price(d, "2.25"), price(d, "3.00"), 1)


@SIDES
@pytest.mark.parametrize("confirmed", [False, None])
def test_zone_2_unconfirmed_locks_and_closes(d: int, confirmed: bool | None) -> None:
    b = bracket(d)
    actions = b.on_price(price(d, "1.50"), confirmed=confirmed)
    assert actions == [
        MoveStop(price(d, "0.10"), "zone-1"),
        MoveStop(price(d, "0.75"), "zone-2"),
        ClosePosition(ExitReason.TARGET),
    ]
    assert b.on_price(price(d, "9"), confirmed=True) == []


@SIDES
def test_zone_2_unconfirmed_hold_keeps_it_open_behind_the_lock(d: int) -> None:
    b = bracket(d, TP_WITHOUT_CONFIRMATION="hold")
    actions = b.on_price(price(d, "1.50"), confirmed=False)
    assert actions[-1] == MoveStop(price(d, "0.75"), "zone-2")
    assert b.held
    assert b.next_level is None
    assert b.on_price(price(d, "2.00"), confirmed=True) == []
    assert b.on_time(2 * T) == [ClosePosition(ExitReason.TIME)]


@SIDES
def test_extension_three_times_at_most(d: int) -> None:
    b = bracket(d)
    for away, locked, backstop in (
        ("1.50", "0.75", "3.00"),
        ("2.25", "1.13", "3.75"),
        ("3.00", "1.50", "4.50"),
    ):
        actions = b.on_price(price(d, away), confirmed=True)
        assert MoveStop(price(d, locked), "zone-2" if away == "1.50" else "extension") in actions
        assert actions[-1] == MoveBackstop(price(d, backstop))
        b.backstop_confirmed(price(d, backstop))
    assert b.target == price(d, "3.75")
    assert b.on_price(price(d, "3.75"), confirmed=True)[-1] == ClosePosition(ExitReason.TARGET)
    assert b.extensions == 3


def test_backstop_refused_closes_or_holds() -> None:
    b = bracket()
    assert b.backstop_refused() == []
    b.on_price(D("101.50"), confirmed=True)
    assert b.backstop_refused() == [ClosePosition(ExitReason.TARGET)]
    held = bracket(TP_WITHOUT_CONFIRMATION="hold")
    held.on_price(D("101.50"), confirmed=True)
    assert held.backstop_refused() == []
    assert held.held


@SIDES
def test_price_that_jumps_over_the_target_locks_half_of_what_was_reached(d: int) -> None:
    b = bracket(d)
    assert MoveStop(price(d, "1.00"), "zone-2") in b.on_price(price(d, "2.00"), confirmed=True)


def test_time_limit_before_zone_1_closes() -> None:
    b = bracket()
    assert b.deadline_ns == T
    assert b.on_time(T - 1) == []
    assert b.on_time(T) == [ClosePosition(ExitReason.TIME)]
    assert b.on_time(T) == []


def test_time_limit_after_zone_1_is_twice_as_long() -> None:
    b = bracket()
    b.on_price(D("100.75"))
    assert b.next_time_ns == 2 * T
    assert b.on_time(2 * T - 1) == []
    assert b.on_time(2 * T) == [ClosePosition(ExitReason.TIME)]


@SIDES
def test_mark_a_tenth_of_a_percent_beyond_the_stop_for_a_second_closes(d: int) -> None:
    b = bracket(d)
    beyond = b.stop * (1 - d * D("0.001"))
    assert b.on_mark(0, beyond + d * D("0.0001")) == []
    assert b.on_mark(5, beyond) == []
    assert b.next_time_ns == 5 + SECOND
    assert b.on_mark(5 + SECOND - 1, beyond) == []
    assert b.on_mark(5 + SECOND, beyond) == [ClosePosition(ExitReason.MARK)]


def test_mark_that_comes_back_starts_again() -> None:
    b = bracket()
    b.on_mark(0, D(99))
    b.on_mark(SECOND // 2, D("99.35"))
    assert b.on_mark(SECOND, D(99)) == []
    assert b.on_mark(2 * SECOND, D(99)) == [ClosePosition(ExitReason.MARK)]


def test_reaching_the_stop_is_the_venues_business() -> None:
    assert bracket().on_price(D(99)) == []


def test_coarse_tick_leaves_the_stop_one_tick_short_of_the_price() -> None:
    b = bracket(tick="0.5", cost="0.007")
    assert b.on_price(D("101.0")) == [MoveStop(D("100.5"), "zone-1")]


@pytest.mark.parametrize(("d", "stop"), [(1, "99.41"), (-1, "100.59")])
def test_initial_stop_is_rounded_towards_the_entry(d: int, stop: str) -> None:
    assert initial_stop(d, D(100), D("0.00595"), D("0.01")) == D(stop)


@pytest.mark.parametrize("d", [1, -1])
def test_initial_stop_is_a_tick_away_at_least(d: int) -> None:
    assert initial_stop(d, D("0.10"), D("0.003"), D("0.01")) == D("0.10") - d * D("0.01")


def apply(b: Bracket, actions: list[Action], confirm: bool) -> None:
    for action in actions:
        if isinstance(action, MoveBackstop) and confirm:
            b.backstop_confirmed(action.price)


@settings(max_examples=150, deadline=None)
@given(
    d=st.sampled_from([1, -1]),
    tick=st.sampled_from(["0.01", "0.1", "0.001"]),
    cost=st.sampled_from(["0.0005", "0.0011", "0.003"]),
    hold=st.sampled_from(["close", "hold"]),
    path=st.lists(
        st.tuples(st.integers(-1000, 6000), st.booleans(), st.booleans(), st.booleans()), max_size=40
    ),
)
def test_stops_only_tighten_on_any_path(
    d: int, tick: str, cost: str, hold: str, path: list[tuple[int, bool, bool, bool]]
) -> None:
    b = bracket(d, tick=tick, cost=cost, TP_WITHOUT_CONFIRMATION=hold)
    stop, target, backstop = b.stop, b.target, b.backstop
    for away, confirmed, answered, restart in path:
        now = D(100) + d * D(away) * D("0.001")
        actions = b.on_price(now, confirmed)
        for action in actions:
            if isinstance(action, MoveStop):
                assert d * (action.price - stop) > 0
                assert d * (now - action.price) > 0  # never through the price
                assert action.price % b.tick == 0
                stop = action.price
        apply(b, actions, answered)
        assert b.stop == stop
        assert d * (b.target - target) >= 0
        assert d * (b.backstop - backstop) >= 0
        assert d * (b.backstop - b.target) > 0
        target, backstop = b.target, b.backstop
        if restart:
            b = msgspec.convert(msgspec.to_builtins(b), Bracket)
    assert b.extensions <= 3


def test_a_bracket_survives_its_dict() -> None:
    b = bracket(-1)
    b.on_price(D("98.50"), confirmed=True)
    b.on_mark(7, D(103))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(b)), Bracket) == b

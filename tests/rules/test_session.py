"""Section 8: session result, drawdown pauses, halts, losing streak; what lifts what; and that restarts
change nothing.
"""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.rows import DAY, MINUTE, SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.session import Session
from turbo_trader.rules.session_changes import HaltCause
from turbo_trader.rules.sizing import least_loss

D = Decimal
P = Policy()
T0 = 20_000 * DAY + 3600 * SECOND


def begun(equity: str = "100") -> Session:
    session = Session()
    session.on_equity(P, T0, D(equity))
    return session


def names(session: Session, ts: int, equity: str) -> list[str]:
    return [event.name for event in session.on_equity(P, ts, D(equity))]


def test_before_it_has_begun_nothing_is_allowed() -> None:
    assert Session().refusal(T0)


def test_does_not_begin_without_money() -> None:
    session = Session()
    assert session.on_equity(P, T0, D(0)) == []
    assert session.refusal(T0)


def test_begins_with_the_first_equity() -> None:
    session = begun()
    assert (session.start_equity, session.peak, session.day) == (D(100), D(100), 20_000)
    assert session.refusal(T0) == ""
    assert session.next_time_ns() == 20_001 * DAY


def test_result_of_minus_20_percent_flattens_and_halts_until_session_new() -> None:
    session = Session()
    policy = Policy.from_env({"DRAWDOWN_PAUSE": "0.2"})
    session.on_equity(policy, T0, D(100))
    assert session.on_equity(policy, T0 + 1, D("80.01")) == []
    events = session.on_equity(policy, T0 + 2, D("80.00"))
    assert [(e.name, e.flatten) for e in events] == [("session-loss", True)]
    assert session.flattening
    assert session.refusal(T0 + 3) == "flattening"
    session.flat(T0 + 4)
    assert "halted" in session.refusal(T0 + 4)
    assert session.resume(T0 + 5, "alice")
    assert "halted" in session.refusal(T0 + 5)
    assert session.session_new(T0 + 6, "alice", D(80)) == []
    assert session.refusal(T0 + 6) == ""
    assert session.start_equity == 80


def test_drawdown_of_15_percent_from_peak_pauses_half_an_hour_then_peak_is_equity() -> None:
    session = begun()
    names(session, T0 + 1, "200")
    assert "drawdown-pause" not in names(session, T0 + 2, "170.01")
    assert "drawdown-pause" in names(session, T0 + 3, "170")
    assert "paused" in session.refusal(T0 + 4)
    assert session.next_time_ns() == T0 + 3 + 30 * MINUTE
    assert names(session, T0 + 2 + 30 * MINUTE, "165") == []
    assert "pause-over" in names(session, T0 + 3 + 30 * MINUTE, "165")
    assert session.peak == 165
    assert session.refusal(T0 + 3 + 30 * MINUTE) == ""


def test_the_nth_pause_halts_where_asked_for() -> None:
    policy, session = Policy(pauses_to_halt=3), begun()
    ts = T0
    for equity, seen in (
        ("300", ""),
        ("250", "drawdown-pause"),
        ("250", "pause-over"),
        ("210", "drawdown-pause"),
    ):
        ts += 31 * MINUTE
        assert not seen or seen in [event.name for event in session.on_equity(policy, ts, D(equity))]
        session.peak = max(session.peak, D(equity))
    ts += 31 * MINUTE
    session.on_equity(policy, ts, D(210))
    events = session.on_equity(policy, ts + 1, D(170))
    assert [(e.name, e.flatten) for e in events if e.name == "pauses-halt"] == [("pauses-halt", False)]
    session.resume(ts + 2, "bob")
    assert session.halted
    session.session_new(ts + 3, "bob", D(170))
    assert (session.halts, session.pauses) == ({}, 0)


def test_warning_at_80_percent_of_a_limit_once_until_it_is_well_below() -> None:
    session = begun()
    clock = iter(range(T0, T0 + 100 * 3600 * SECOND, 3600 * SECOND))  # an hour between looks

    def warned(**used: str) -> list[str]:
        shares = {name: D(share) for name, share in used.items()}
        return [event.fields["limit"] for event in session.on_usage(P, next(clock), shares)]

    assert warned(drawdown="0.7999", margin="0.1") == []
    assert warned(drawdown="0.8", margin="0.1") == ["drawdown"]
    assert warned(drawdown="0.9", margin="0.8") == ["margin"]
    assert warned(drawdown="0.60", margin="0.8") == []  # 20 points below: not over yet
    assert warned(drawdown="0.8", margin="0.8") == []
    assert warned(drawdown="0.5999", margin="0.8") == []
    assert warned(drawdown="0.8", margin="0.8") == ["drawdown"]
    session = msgspec.convert(msgspec.to_builtins(session), Session)
    assert warned(drawdown="0.8", margin="0.8") == []


def test_the_same_warning_comes_once_an_hour_at_most() -> None:
    session = begun()
    full, empty = {"open positions": D(1)}, {"open positions": D(0)}
    reported = [
        len(session.on_usage(P, T0 + minute * 60 * SECOND, full if minute % 2 else empty))
        for minute in range(48 * 60)
    ]
    assert sum(reported) == 48


def test_a_limit_that_has_halted_says_so_and_is_not_warned_of() -> None:
    session = begun()
    assert names(session, T0 + 1, "79") == ["session-loss"]
    assert session.on_usage(P, T0 + 1, {"session result": D("1.05")}) == []
    assert Session().on_usage(P, T0, {"session budget": D(1)}) == []  # nothing is known yet


def test_profit_that_was_only_on_paper_is_no_drawdown() -> None:
    session = begun()
    assert [event.name for event in session.on_equity(P, T0 + 1, D(130), D(100))] == []
    assert session.on_equity(P, T0 + 2, D(100), D(100)) == []
    assert (session.peak, session.drawdown) == (D(100), D(0))


def test_closed_results_and_locked_parts_raise_the_peak() -> None:
    session = begun()
    session.on_equity(P, T0 + 1, D(130), D(100))
    session.on_equity(P, T0 + 2, D(130), D(120))  # a stop has locked 20
    assert session.peak == D(120)
    assert session.on_equity(P, T0 + 3, D("102.01"), D(120)) == []
    (event,) = session.on_equity(P, T0 + 4, D(102), D(102))
    assert event.name == "drawdown-pause"


def test_what_is_locked_is_no_peak_before_the_account_is_worth_it() -> None:
    """A stop locks by the last price, and equity counts the mark where that is worse: a gain paused entries."""
    session = begun()
    session.on_equity(P, T0 + 1, D(94), D(100))
    assert session.on_equity(P, T0 + 2, D(94), D(111)) == []
    assert session.peak == D(100)
    session.on_equity(P, T0 + 3, D(111), D(111))  # the mark has followed
    assert session.peak == D(111)


def test_after_a_pause_the_peak_is_the_equity_and_no_pause_halts() -> None:
    policy = Policy()
    session = Session()
    now = T0
    session.on_equity(policy, now, D(100), D(100))
    equity = D(100)
    for _ in range(5):
        session.session_new(now, "test", D(100))  # the session's own limit is not the matter here
        session.on_equity(policy, now, D(100), D(100))
        now += 1
        (event,) = session.on_equity(policy, now, D(85), D(85))
        assert event.name == "drawdown-pause"
        now += 1800 * SECOND
        assert [each.name for each in session.on_equity(policy, now, D(85), D(85))] == ["pause-over"]
        assert session.peak == D(85)
        assert not session.halted
    assert equity == D(100)


def test_a_crumbs_win_does_not_end_a_losing_streak() -> None:
    session = begun()
    for _ in range(3):
        session.on_trade(D(-1))
    session.on_trade(D("0.01"), crumb=True)
    assert session.losses == 3
    session.on_trade(D("-0.01"), crumb=True)
    assert session.losses == 4
    session.on_trade(D("0.01"))
    assert session.losses == 0


def test_it_says_what_would_allow_entries_again() -> None:
    session = begun()
    assert session.lifted_by(T0) == ""
    session.halt(T0, "alice")
    assert session.lifted_by(T0) == "`turbo-trader resume`"
    names(session, T0 + 1, "79")
    assert session.lifted_by(T0 + 2) == "everything closed, `turbo-trader resume`, `turbo-trader session new`"
    session.resume(T0 + 2, "alice")
    session.flat(T0 + 2)
    assert session.lifted_by(T0 + 2) == "`turbo-trader session new`"
    session.session_new(T0 + 3, "alice", D(79))
    assert session.lifted_by(T0 + 3) == ""
    names(session, T0 + 4, "67")
    assert (
        session.lifted_by(T0 + 4 + SECOND) == "the end of the pause in 1799 s, or `turbo-trader session new`"
    )
    assert "account" in Session().lifted_by(T0)


def test_midnight_begins_a_new_session() -> None:
    session = begun()
    session.on_result(D(-5))
    assert names(session, 20_001 * DAY - 1, "95") == []
    assert names(session, 20_001 * DAY, "95") == ["session-new"]
    assert (session.start_equity, session.peak, session.realised, session.day) == (D(95), D(95), D(0), 20_001)


@pytest.mark.parametrize("how", ["halt", "watchdog", "flatten"])
def test_midnight_begins_none_while_halted(how: str) -> None:
    session = begun()
    if how == "halt":
        session.halt(T0, "alice")
    elif how == "watchdog":
        session.halt(T0, "watchdog", "no edge", HaltCause.WATCHDOG)
    else:
        session.begin_flatten(T0, "alice", "page")
    assert names(session, 20_001 * DAY, "95") == []
    session.flat(20_001 * DAY + 1)
    assert session.resume(20_001 * DAY + 2, "alice") == []
    assert names(session, 20_001 * DAY + 3, "95") == ["session-new"]


def test_midnight_begins_none_while_paused() -> None:
    session = Session()
    session.on_equity(P, 20_001 * DAY - MINUTE, D(100))
    assert "drawdown-pause" in names(session, 20_001 * DAY - 2, "84")
    assert names(session, 20_001 * DAY, "84") == []
    assert names(session, 20_001 * DAY + 30 * MINUTE, "84") == ["pause-over", "session-new"]


def test_a_new_session_does_not_lift_a_persons_halt() -> None:
    session = begun()
    session.halt(T0, "alice")
    assert session.session_new(T0 + 1, "bob", D(100)) == ["halted by command"]
    assert session.resume(T0 + 2, "alice") == []


def test_resume_does_not_end_a_drawdown_pause_but_session_new_does() -> None:
    session = begun()
    names(session, T0 + 1, "85")
    session.resume(T0 + 2, "alice")
    assert session.refusal(T0 + 2)
    session.session_new(T0 + 3, "alice", D(85))
    assert session.refusal(T0 + 3) == ""


def test_flatten_is_halted_until_resume() -> None:
    session = begun()
    session.begin_flatten(T0, "alice", "signal")
    session.flat(T0 + 1)
    assert session.halted
    session.resume(T0 + 2, "alice")
    assert session.refusal(T0 + 3) == ""


def test_who_did_what_when_is_recorded() -> None:
    session = begun()
    session.halt(T0, "alice", "lunch")
    session.resume(T0 + 1, "bob")
    session.session_new(T0 + 2, "carol", D(100))
    assert [(h["ts"], h["what"], h["by"]) for h in session.history] == [
        (T0, "halt", "alice"),
        (T0 + 1, "resume", "bob"),
        (T0 + 2, "session new", "carol"),
    ]
    for _ in range(300):
        session.resume(T0 + 3, "bob")
    assert len(session.history) == 100


@pytest.mark.parametrize("amount", ["50", "-40"])
def test_deposits_and_withdrawals_are_neither_profit_nor_loss(amount: str) -> None:
    session = begun()
    names(session, T0 + 1, "110")
    before = (session.result * session.start_equity, session.peak - session.equity)
    session.on_transfer(D(amount))
    assert (session.result * session.start_equity, session.peak - session.equity) == before
    assert names(session, T0 + 2, str(110 + D(amount))) == []


def test_consecutive_losses_count_until_a_win_and_across_sessions() -> None:
    session = begun()
    for net in ("-1", "0", "-0.01"):
        session.on_trade(D(net))
    assert session.losses == 3
    names(session, 20_001 * DAY, "100")
    assert session.losses == 3
    session.on_trade(D("0.01"))
    assert session.losses == 0


def test_equity_of_nothing_halts() -> None:
    session = begun()
    assert names(session, T0 + 1, "0") == ["session-loss"]


events = st.lists(
    st.tuples(
        st.sampled_from(
            ["equity", "trade", "result", "transfer", "halt", "resume", "new", "flatten", "flat"]
        ),
        st.integers(1, 500),
        st.integers(0, 7200),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(script=events, restarts=st.sets(st.integers(0, 40)))
def test_restarts_change_nothing(script: list[tuple[str, int, int]], restarts: set[int]) -> None:
    one, two = Session(), Session()
    now = T0
    for i, (what, amount, wait) in enumerate(script):
        now += wait * SECOND
        if i in restarts:
            two = msgspec.convert(msgspec.json.decode(msgspec.json.encode(two)), Session)
        said = [step(session, what, D(amount), now) for session in (one, two)]
        assert said[0] == said[1]
        assert one == two
        assert one.refusal(now) == two.refusal(now)
        if one.halted or one.flattening or one.paused(now):
            assert one.refusal(now)


def step(session: Session, what: str, amount: Decimal, now: int) -> object:
    if what == "equity":
        return session.on_equity(P, now, amount)
    if what == "trade":
        return session.on_trade(amount - 250)  # type: ignore[func-returns-value]
    if what == "result":
        return session.on_result(amount - 250)  # type: ignore[func-returns-value]
    if what == "transfer":
        return session.on_transfer(amount)  # type: ignore[func-returns-value]
    if what == "halt":
        return session.halt(now, "x")  # type: ignore[func-returns-value]
    if what == "resume":
        return session.resume(now, "x")
    if what == "new":
        return session.session_new(now, "x", amount)
    if what == "flatten":
        return session.begin_flatten(now, "x", "y")  # type: ignore[func-returns-value]
    return session.flat(now)  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("left", "halted"), [("0.16", False), ("0.13", True)])
def test_a_session_in_which_no_trade_fits_any_more_is_over(left: str, halted: bool) -> None:
    """Its loss limit was never reached, and every entry was refused for the budget, hour after hour, while it looked open."""
    session = begun("18")
    session.paused_until_ns = T0 + 10_000 * SECOND  # the drawdown came first
    equity = D(18) * (1 - P.session_loss) + D(left)
    events = session.on_equity(P, T0 + SECOND, equity, least_loss=least_loss(P, equity))
    assert [event.name for event in events if event.flatten] == (["session-loss"] if halted else [])
    assert session.halted is halted
    if halted:
        session.flat(T0 + SECOND)
        assert "no trade fits" in session.refusal(T0 + SECOND)
        assert session.lifted_by(T0 + SECOND) == "`turbo-trader session new`"


def test_an_open_position_may_win_back_what_a_session_has_lost() -> None:
    session = begun("18")
    session.paused_until_ns = T0 + 10_000 * SECOND
    assert session.on_equity(P, T0 + SECOND, D(18) * (1 - P.session_loss) + D("0.01")) == []
    assert not session.halted

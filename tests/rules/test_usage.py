"""Used shares of the limits, and the equities between which no look at the account decides anything."""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.session import Session
from turbo_trader.rules.sizing import Account, OpenRisk
from turbo_trader.rules.usage import equity_levels, limit_usage

D = Decimal


def test_shares() -> None:
    policy = Policy(same_direction=D("0.30"), pauses_to_halt=3)
    session = Session()
    session.on_equity(policy, 1, D(100))
    session.on_equity(policy, 2, D(94))
    session.on_trade(D(-1))
    session.pauses = 2
    risks = [
        OpenRisk(
            symbol="A",
            direction=1,
            notional=D(1000),
            margin=D(18),
            stop_distance=D("0.005"),
            cost=D("0.001"),
            range_tail=D("0.004"),
        ),
        OpenRisk(
            symbol="B",
            direction=-1,
            notional=D(100),
            margin=D(9),
            stop_distance=D("0.005"),
            cost=D("0.001"),
            range_tail=D("0.004"),
        ),
    ]
    used = limit_usage(policy, Account(D(94), D(90), D(60), D(100), D(-2)), risks, session)
    assert used["session result"] == D("0.3")
    assert used["session budget"] == (D(6) + D("0.6") + 2) / 20
    assert used["drawdown"] == D("0.4")
    assert used["same direction"] == D(10) / D("28.2")
    assert used["total margin"] == D(27) / 81
    assert used["open positions"] == D(2) / 3
    assert used["consecutive losses"] == D(1) / 3
    assert used["drawdown pauses"] == D(2) / 3
    assert len(used) == 8


def test_nothing_left_is_all_used() -> None:
    policy = Policy(same_direction=D("0.30"))
    used = limit_usage(policy, Account(D(0), D(0), D(0), D(0), D(0)), [], Session())
    assert used["total margin"] == used["same direction"] == used["session budget"] == 1


def test_limits_that_are_switched_off_are_not_among_them() -> None:
    used = limit_usage(Policy(), Account(D(100), D(100), D(100), D(100), D(0)), [], Session())
    assert not {"same direction", "drawdown pauses"} & set(used)


def money(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=4)


@given(money(20, 2000), money(90, 140), st.decimals("0.001", "0.999", places=3), st.booleans())
def test_between_two_levels_no_limit_and_no_capital_tier_changes(
    equity: Decimal, peak: Decimal, part: Decimal, together: bool
) -> None:
    policy = Policy(same_direction=D("0.30") if together else D(0))
    risk = OpenRisk(
        symbol="A", direction=1, notional=D(900), margin=D(18), stop_distance=D("0.02"), cost=D("0.001"),
        range_tail=D("0.004"),
    )  # fmt: skip
    session = Session(day=1, start_equity=D(100), peak=max(peak, D(100)))

    def shares(at: Decimal) -> dict[str, Decimal]:
        session.equity = at
        return limit_usage(policy, Account(at, D(90), D(60), D(100), D(-2)), [risk], session)

    used = shares(equity)
    levels = equity_levels(policy, session, equity, used)
    assume(equity not in levels)
    low = max((level for level in levels if level < equity), default=D(0))
    high = min((level for level in levels if level > equity), default=equity * 2)
    other = low + (high - low) * part
    assume(low < other < high)
    tier = policy.capital_tier(equity, None)
    assert policy.capital_tier(other, tier) == policy.capital_tier(equity, tier)
    later = shares(other)
    for name in {"session result", "drawdown", "same direction"} & set(used):
        for share in (D(1), policy.warn_share, policy.warn_share - policy.warn_hysteresis):
            assert (later[name] >= share) == (used[name] >= share)


def test_each_limit_that_rests_on_equity_has_its_levels() -> None:
    policy, session = Policy(), Session(day=1, start_equity=D(100), peak=D(110))
    levels = equity_levels(policy, session, D(100), {})
    assert D(100) * (1 - policy.session_loss) in levels
    assert D(110) * (1 - policy.drawdown_pause) in levels
    assert D(110) * (1 - policy.warn_share * policy.drawdown_pause) in levels
    used = {"same direction": D("0.5")}
    assert D(50) in equity_levels(policy, session, D(100), used)

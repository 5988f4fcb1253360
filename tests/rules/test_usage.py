"""Used shares of the limits."""

from decimal import Decimal

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.session import Session
from turbo_trader.rules.sizing import Account, OpenRisk
from turbo_trader.rules.usage import limit_usage

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

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.bybit.budget import BAN_S, LIMITS, Budget
from turbo_trader.exchange.protocol.rate_limits import ROUTES


def test_entries_leave_a_reserve_for_exits() -> None:
    budget = Budget()
    sent = 0
    while budget.reserve("create", 0.0) == 0:
        sent += 1
    assert sent == 6  # 8 a second, a quarter kept
    assert budget.reserve("create", 0.0, exit_share=True) == 0
    assert budget.reserve("create", 0.0, exit_share=True) == 0
    assert budget.reserve("create", 0.0, exit_share=True) > 0


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=200))
@settings(max_examples=30)
def test_no_second_sees_more_than_the_venue_allows(pauses: list[float]) -> None:
    budget = Budget()
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        if budget.reserve("create", now, exit_share=True) == 0:
            sent.append(now)
    for start in sent:
        assert sum(1 for at in sent if start <= at <= start + 1.0) <= 8  # of ten


def test_what_waits_for_the_budget_leaves_as_soon_as_a_second_has_room() -> None:
    budget = Budget()
    now = 0.0
    sent: list[float] = []
    while len(sent) < 20:
        wait = budget.reserve("create", now, exit_share=True)
        if not wait:
            sent.append(now)
        now += wait
    assert sent == pytest.approx([0.0] * 8 + [1.1] * 8 + [2.2] * 4)


def test_s28_the_reset_time_is_obeyed_and_one_in_the_past_is_harmless() -> None:
    budget = Budget()
    budget.hold("create", 100.0, {"X-Bapi-Limit-Reset-Timestamp": "5700"}, 5_000)
    assert 0.69 < budget.reserve("create", 100.0) < 0.71
    budget.hold("create", 100.0, {"X-Bapi-Limit-Reset-Timestamp": "1"}, 5_000)
    assert budget.reserve("create", 100.0) == 0
    budget.hold("create", 100.0, {"X-Bapi-Limit-Reset-Timestamp": "nonsense"}, 5_000)
    assert budget.reserve("create", 100.0) > 0


def test_headers_lower_the_rate() -> None:
    budget = Budget()
    budget.report("create", 0.0, {"X-Bapi-Limit": "5", "X-Bapi-Limit-Status": "4"}, 0)
    sent = 0
    while budget.reserve("create", 0.0, exit_share=True) == 0:
        sent += 1
    assert sent == 4


def test_s28_a_ban_is_ten_minutes_of_silence() -> None:
    budget = Budget()
    assert budget.banned(5.0) == 0
    budget.ban(5.0)
    assert budget.banned(6.0) == BAN_S - 1
    assert budget.banned(5.0 + BAN_S) == 0


@pytest.mark.parametrize("limit", ["nan", "inf", "-inf", "1e400", "-5", "0", "1e-300", "0.1", "1e9", "x", ""])
def test_a_limit_that_cannot_be_changes_nothing(limit: str) -> None:
    budget, usual = Budget(), Budget()
    headers = {"X-Bapi-Limit": limit, "X-Bapi-Limit-Status": "nan", "X-Bapi-Limit-Reset-Timestamp": "inf"}
    budget.report("create", 0.0, headers, 0)
    for now in (0.0, 0.0, 0.5, 0.5, 1.0):
        assert budget.reserve("create", now) == usual.reserve("create", now)


def test_no_group_is_given_more_than_its_routes_are_by_the_venue() -> None:
    routes = {
        "create": "order/create", "cancel": "order/cancel", "trading-stop": "position/trading-stop",
        "set-leverage": "position/set-leverage", "realtime": "order/realtime", "history": "order/history",
        "executions": "execution/list", "positions": "position/list", "wallet": "account/wallet-balance", "account": "account/info",
        "transactions": "account/transaction-log", "key": "user/query-api", "fees": "account/fee-rate",
        "margin-mode": "account/set-margin-mode",
    }  # fmt: skip
    assert {group: LIMITS[group] for group in routes} == {
        group: ROUTES[route] for group, route in routes.items()
    }
    assert set(LIMITS) - set(routes) == {"market"}

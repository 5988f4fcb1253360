"""Rate limits: rolling windows per account and route, the ban of an address, new connections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.protocol.rate_limits import ROUTES, RateLimits

SECOND = 1_000_000_000


def test_ten_orders_a_second_then_a_wait_until_the_oldest_leaves() -> None:
    limits = RateLimits()
    for n in range(10):
        allowed = limits.take("1", "order/create", n * 1_000_000)
        assert (allowed.granted, allowed.limit, allowed.left, allowed.wait_ns) == (1, 10, 9 - n, 0)
    refused = limits.take("1", "order/create", 500_000_000)
    assert (refused.granted, refused.left, refused.wait_ns) == (0, 0, 500_000_000)
    assert limits.take("1", "order/create", SECOND).granted == 1


def test_accounts_and_routes_have_windows_of_their_own() -> None:
    limits = RateLimits()
    for _ in range(10):
        limits.take("1", "order/create", 0)
    assert not limits.take("1", "order/create", 0).granted
    assert limits.take("2", "order/create", 0).granted
    assert limits.take("1", "order/cancel", 0).granted


def test_a_batch_counts_its_orders_and_its_first_ones_pass() -> None:
    limits = RateLimits()
    assert limits.take("1", "order/create-batch", 0, 7).granted == 7
    allowed = limits.take("1", "order/create-batch", 0, 7)
    assert (allowed.granted, allowed.left) == (3, 0)


def test_vip_levels_raise_orders_alone() -> None:
    assert [RateLimits(vip).limit("order/create") for vip in range(4)] == [10, 20, 40, 60]
    limits = RateLimits(3)
    assert limits.limit("position/set-leverage") == ROUTES["position/set-leverage"]


@given(st.lists(st.integers(0, 300_000_000), max_size=60))
def test_no_window_ever_holds_more_than_its_limit(gaps: list[int]) -> None:
    limits, now, granted = RateLimits(), 0, []
    for gap in gaps:
        now += gap
        if limits.take("1", "order/create", now).granted:
            granted.append(now)
    for at in granted:
        assert sum(at - SECOND < other <= at for other in granted) <= 10


def test_an_address_above_600_in_five_seconds_is_banned_for_ten_minutes() -> None:
    limits = RateLimits()
    assert all(limits.admits("a", n) for n in range(600))
    assert not limits.admits("a", 600)
    assert limits.admits("b", 600)
    assert not limits.admits("a", 599 * SECOND)
    assert limits.admits("a", 601 * SECOND)


def test_500_connections_in_five_minutes() -> None:
    limits = RateLimits()
    assert all(limits.connects("a", 0) for _ in range(500))
    assert not limits.connects("a", 299 * SECOND)
    assert limits.connects("a", 300 * SECOND)


def test_a_thousand_connections_of_market_data_at_a_time() -> None:
    limits = RateLimits()
    assert limits.connects("a", 0, listeners=999)
    assert not limits.connects("a", 0, listeners=1_000)
    assert limits.connects("a", 0)  # the account's own


def test_3000_operations_a_second_over_all_trade_sockets_of_an_address() -> None:
    limits = RateLimits()
    assert sum(limits.operates("a", n * 100_000) for n in range(4_000)) == 3_000  # in 0.4 s
    assert limits.operates("b", 400_000_000)
    assert limits.operates("a", 1_000_000_001)


def test_the_length_of_the_ban_can_be_chosen() -> None:
    limits = RateLimits(ban=3 * SECOND)
    assert [limits.admits("a", n) for n in range(602)] == [True] * 600 + [False] * 2
    assert not limits.admits("a", 3 * SECOND)
    assert limits.admits("a", 3 * SECOND + 600)

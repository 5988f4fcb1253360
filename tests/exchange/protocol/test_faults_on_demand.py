"""The fault plan: what its text says, and that seed and order of calls alone decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.protocol.fault_terms import FRAME, REQUEST
from turbo_trader.exchange.protocol.faults_on_demand import (
    FaultPlan,
    Faults,
    explained,
)
from turbo_trader.market.errors import InputError


def test_short_names_are_shared_out_evenly() -> None:
    plan = FaultPlan.parse("drop=0.1, error=0.06,delay_s=0.5")
    shares = {rate.name: rate.probability for rate in plan.rates}
    assert shares["drop_before"] == shares["drop_after"] == 0.05
    assert shares["http_502"] == pytest.approx(0.01)
    assert len(shares) == 8
    assert plan.delay_s == 0.5


@given(
    st.lists(st.sampled_from([*REQUEST, *FRAME]), unique=True),
    st.sampled_from(["", "order", "order/create"]),
)
def test_a_plan_reads_its_own_text(names: list[str], route: str) -> None:
    plan = FaultPlan.parse(",".join(f"{name}{'@' if route else ''}{route}=0.01" for name in names))
    assert [rate.name for rate in plan.rates] == names
    assert FaultPlan.parse(str(plan)) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drop", "NAME=NUMBER"),
        ("dorp=0.1", r"^faults 'dorp=0.1': unknown; did you mean drop\? \(--faults help lists them\)$"),
        ("drop=a", "is not a number"),
        ("drop=1.5", "from 0 to 1"),
        ("drop=nan", "from 0 to 1"),
        ("drop=0.6,delay=0.6", "more than 1"),
    ],
)
def test_a_wrong_text_is_refused_with_the_part_that_is_wrong(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        FaultPlan.parse(text)


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> list[object]:
        faults = Faults(FaultPlan.parse("drop=0.2,error=0.2,delay=0.2,reorder=0.3"), seed)
        return [faults.request("order/create") if n % 2 else faults.frame("order") for n in range(500)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_frames_do_not_move_the_faults_of_requests() -> None:
    one, two = (Faults(FaultPlan.parse("drop=0.3,duplicate=0.3"), 5) for _ in range(2))
    for _ in range(100):
        one.frame("execution")
    assert [one.request("x") for _ in range(100)] == [two.request("x") for _ in range(100)]


def test_probabilities_are_kept_and_counted() -> None:
    faults = Faults(FaultPlan.parse("drop_before=0.1,ret_10016=0.2"), 3)
    found = [faults.request("order/create") for _ in range(5_000)]
    assert faults.counts["drop_before"] == sum(f is not None and f.name == "drop_before" for f in found)
    assert 400 < faults.counts["drop_before"] < 600
    assert 850 < faults.counts["ret_10016"] < 1_150
    ambiguous = [f.processed for f in found if f is not None and f.name == "ret_10016"]
    assert 0.4 < sum(ambiguous) / len(ambiguous) < 0.6


@pytest.mark.parametrize(
    ("name", "processed"),
    [("drop_before", False), ("drop_after", True), ("ret_10006", False), ("slow", True)],
)
def test_each_says_whether_the_request_is_processed(name: str, processed: bool) -> None:
    fault = Faults(FaultPlan.parse(f"{name}=1,delay_s=3")).request("order/create")
    assert fault is not None
    assert fault.processed is processed
    assert 0 <= fault.wait_s <= 3


def test_a_route_is_met_alone() -> None:
    faults = Faults(FaultPlan.parse("drop_after@order/create=1"))
    assert faults.request("order/create") is not None
    assert faults.request("order/create-batch") is not None
    assert faults.request("position/list") is None


def test_times_ends_the_plan() -> None:
    faults = Faults(FaultPlan.parse("drop=1"), times=2)
    assert [faults.request("x") is None for _ in range(4)] == [False, False, True, True]


def test_frames_get_what_fits_them() -> None:
    def names(plan: str, topic: str, *, delta: bool = False) -> set[str]:
        faults = Faults(FaultPlan.parse(plan), 1)
        return {found.name for _ in range(200) if (found := faults.frame(topic, delta=delta)) is not None}

    every = ",".join(f"{name}=0.14" for name in FRAME)
    assert names(every, "execution") == {"duplicate", "reorder", "late", "disconnect", "silent", "extra"}
    assert names(every, "order.linear") == {"duplicate", "reorder", "disconnect", "silent", "extra"}
    assert names(every, "orderbook.50.BTCUSDT", delta=True) == {"gap", "disconnect", "silent", "extra"}
    assert names(every, "tickers.BTCUSDT") == {"disconnect", "silent", "extra"}
    assert names("gap@orderbook.50.ETH=1", "orderbook.50.BTCUSDT", delta=True) == set()


def test_everything_a_plan_may_say_is_explained() -> None:
    assert set(REQUEST) | set(FRAME) | {"drop", "error", "delay_s", "reorder_s"} == set(explained())

"""Each fault bites: it shows in what the process met, and the clean code holds."""

from __future__ import annotations

from functools import cache

import pytest

from turbo_trader.chaos.campaign import Options
from turbo_trader.chaos.play import UID, Run

HOURS = 0.28


@cache
def played(fault: str, seed: int) -> Run:
    """A run with this fault alone, which came and broke nothing."""
    run = Run(Options(situation="faulty", hours=HOURS, faults=fault).chaos(seed), seed)
    assert run.play() is None
    assert run.faults.counts[fault.partition("=")[0]]
    return run


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ("future=0.3", "future-refused"), ("odd_row=0.3", "message-unreadable"), ("odd_answer=0.4", "row-unreadable"),
        ("banned=60", "address-refused"), ("limited_address=30", "rate-limited"), ("key_refused=20", "account-refused"),
        ("clock_jump=30", "clock-resynced"),
    ],
)  # fmt: skip
def test_a_fault_of_messages_answers_and_clocks_is_met(fault: str, event: str) -> None:
    seed = 14 if fault.startswith("clock_jump") else 12  # where a request is signed while the clock is off
    assert played(fault, seed).simulation.process.emitted[event]


def test_a_contract_whose_end_is_announced_takes_no_entries() -> None:
    assert played("delisting=20", 12).oracle.counts["not-trading"]


def test_a_refused_key_halts_until_the_owner_resumes() -> None:
    assert played("key_refused=20", 12).oracle.counts["control"] > 1


@pytest.mark.long
def test_a_power_cut_ends_a_life() -> None:
    assert played("power_cut=20", 12).simulation.process.lives > 1


def test_maintenance_ends_the_streams() -> None:
    run = played("maintenance=30", 13)
    assert run.oracle.counts["stream"] > 2
    assert run.simulation.notices.maintenance is None


@pytest.mark.parametrize(("fault", "kind"), [("deleveraged=40", "AdlTrade"), ("liquidation=30", "BustTrade")])
def test_the_venue_closes_a_position_by_itself(fault: str, kind: str) -> None:
    account = played(fault, 13).simulation.exchange.accounts[UID]
    assert kind in {each.kind for each in account.executions}


@pytest.mark.parametrize("fault", ["foreign_position=40", "hedge_mode=40"])
def test_a_position_of_others_is_met_and_left_alone(fault: str) -> None:
    run = played(fault, 12)
    assert run.oracle.counts["foreign-fill"]
    assert not run.oracle.world.strangers  # the owner has closed it, whatever the Trader did


def test_orders_on_a_thin_book_fill_in_parts() -> None:
    orders = [
        each.order_id for each in played("thin_book=30", 15).simulation.exchange.accounts[UID].executions
    ]
    assert len(set(orders)) < len(orders)


def test_a_flash_crash_moves_a_price_far_and_back() -> None:
    run = Run(Options(situation="faulty", hours=0.1, faults="flash_crash=25").chaos(2), 2)
    jumps: list[tuple[int, float]] = []
    market = run.market
    market.jump = lambda s, size: jumps.append((s, size))  # type: ignore[method-assign]
    assert run.play() is None
    assert jumps
    assert all(abs(size) >= 0.03 for _, size in jumps)
    assert jumps[1::2] == [(s, -size) for s, size in jumps[::2]]


@pytest.mark.long
def test_a_guard_protects_and_closes_meanwhile_and_the_woken_process_is_fenced() -> None:
    faults = "away=30,stop_removed=60,freeze=60,guard_crash=10"
    assert played(faults, 33).oracle.world.guarded["protect"]  # the process was back between two looks
    run = played(faults, 28)
    assert run.faults.counts["guard_crash"]
    assert run.oracle.world.guarded["protect"]
    assert run.oracle.world.guarded["close"]
    assert run.faults.counts["fenced"]

"""The capital table, row by row, at its boundaries."""

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.tiers import CapitalTier


def tier(equity: str, **env: str) -> CapitalTier:
    return Policy.from_env(env).capital_tier(Decimal(equity))


@pytest.mark.parametrize(
    ("equity", "name"),
    [
        ("0.01", "turbo"), ("18", "turbo"), ("99.99", "turbo"), ("100", "growing"), ("100.00", "growing"),
        ("999.99", "growing"), ("1000", "institutional"), ("1000.00", "institutional"), ("5000", "institutional"),
    ],
)  # fmt: skip
def test_tier_by_equity(equity: str, name: str) -> None:
    assert tier(equity).name == name


@pytest.mark.parametrize(
    ("equity", "name"), [("18", "growing"), ("99.99", "growing"), ("1000", "institutional")]
)
def test_tier_without_turbo(equity: str, name: str) -> None:
    assert tier(equity, MICRO_TURBO_MODE="false").name == name


COLUMNS: list[tuple[str, dict[str, Any]]] = [
    (
        "99.99",
        {
            "scan_interval_ns": 30 * SECOND, "min_snr": Decimal("1.0"), "min_confidence": Decimal("0.50"), "b_trades": True,
            "block_low_consensus": False, "block_flat": False, "fee_multiplier": Decimal("1.0"), "max_positions": 3,
            "horizon_s": 900, "max_hold_s": 1800,
        },
    ),
    (
        "999.99",
        {
            "scan_interval_ns": 60 * SECOND, "min_snr": Decimal("1.5"), "min_confidence": Decimal("0.65"), "b_trades": False,
            "block_low_consensus": True, "block_flat": True, "fee_multiplier": Decimal("2.5"), "max_positions": 5,
            "horizon_s": 1800, "max_hold_s": 2700,
        },
    ),
    (
        "1000",
        {
            "scan_interval_ns": 300 * SECOND, "min_snr": Decimal("1.5"), "min_confidence": Decimal("0.65"),
            "b_trades": False, "block_low_consensus": True, "block_flat": True, "fee_multiplier": Decimal("2.5"),
            "max_positions": 5, "horizon_s": 1800, "max_hold_s": 2700,
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("equity", "row", "value"),
    [(equity, row, value) for equity, column in COLUMNS for row, value in column.items()],
)
def test_column_of_the_capital_table(equity: str, row: str, value: Any) -> None:
    assert getattr(tier(equity), row) == value


@pytest.mark.parametrize(
    ("equity", "value"),
    [
        ("18", "0"), ("24.99", "0"), ("25", "0"), ("25.01", "0.0008"), ("99.99", "0.0008"), ("100", "0.0007"),
        ("999.99", "0.0007"), ("1000", "0.0006"),
    ],
)  # fmt: skip
def test_minimum_net_ev_with_turbo(equity: str, value: str) -> None:
    assert tier(equity).min_ev == Decimal(value)


@pytest.mark.parametrize(
    ("equity", "value"),
    [
        ("18", "0.0005"),
        ("24.99", "0.0005"),
        ("25", "0.0008"),
        ("99.99", "0.0008"),
        ("100", "0.0007"),
        ("1000", "0.0006"),
    ],
)
def test_minimum_net_ev_without_turbo(equity: str, value: str) -> None:
    assert tier(equity, MICRO_TURBO_MODE="0").min_ev == Decimal(value)


@pytest.mark.parametrize(
    ("equity", "blocks"), [("99.99", False), ("100", False), ("100.01", True), ("1000", True)]
)
def test_low_consensus_warns_up_to_and_with_100_when_turbo_is_on(equity: str, blocks: bool) -> None:
    assert tier(equity).block_low_consensus is blocks


def test_low_consensus_blocks_without_turbo() -> None:
    assert tier("18", MICRO_TURBO_MODE="false").block_low_consensus


def test_overrides_reach_the_tier() -> None:
    assert tier("18", MICRO_TURBO_SIGNAL_INTERVAL="10").scan_interval_ns == 10 * SECOND
    assert tier("18", TURBO_MAX_POSITIONS="1").max_positions == 1


def test_times_in_nanoseconds() -> None:
    assert tier("18").horizon_ns == 900 * SECOND
    assert tier("18").max_hold_ns == 1800 * SECOND


def test_a_tier_is_left_for_a_lower_one_only_well_below_its_boundary() -> None:
    policy = Policy()
    held, seen = None, []
    for equity in ("99.99", "100", "99", "101", "95", "94.99", "99.99", "100", "1000", "950", "949.99"):
        held = policy.capital_tier(Decimal(equity), held)
        seen.append(held.name)
    assert seen == [
        "turbo", "growing", "growing", "growing", "growing", "turbo", "turbo", "growing", "institutional", "institutional",
        "growing",
    ]  # fmt: skip


def test_without_hysteresis_a_tier_turns_at_its_boundary() -> None:
    policy = Policy(tier_hysteresis=Decimal(0))
    held = policy.capital_tier(Decimal(100))
    assert policy.capital_tier(Decimal("99.99"), held).name == "turbo"

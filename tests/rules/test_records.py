"""The kernels' records carry the policy's numbers, and calibration maps that make sense."""

from decimal import Decimal

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.maps import KNOTS, MAP_P_TP
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.records import NEVER, set_map
from turbo_trader.signals.figures import ASKED, WEIGHED

E = Decimal(18)


def test_gate_record() -> None:
    policy = Policy(belief=Belief.WEIGHED)
    record = policy.gate_parameters(policy.capital_tier(E), E, symbols=3)
    assert record.shape == (3,)
    row = record[2]
    assert (row["min_snr"], row["min_confidence"], row["fee_multiplier"], row["min_ev"]) == (
        1.0,
        0.5,
        1.0,
        0.0,
    )
    assert (row["violent_pause"], row["settlement_window"]) == (300 * SECOND, 10 * SECOND)
    assert (row["maintenance_lead"], row["key_expiry_lead"]) == (900 * SECOND, 86_400 * SECOND)
    assert (row["maintenance_ts"], row["key_expiry_ts"], row["funding_minutes"]) == (NEVER, NEVER, 480)
    assert (row["max_hold_s"], row["monitor_s"], row["belief"], row["maker_entry"]) == (1800, 1.0, WEIGHED, 0)


def test_signal_record() -> None:
    policy = Policy(belief=Belief.WEIGHED)
    for equity, horizon in (("18", 900), ("100", 1800), ("1000", 1800)):
        row = policy.signal_parameters(policy.capital_tier(Decimal(equity)))[0]
        assert row["horizon_s"] == horizon
    assert (*row["ou_window"], row["ou_spacing_s"]) == (240, 960, 60)
    assert (row["ou_min_half_life_s"], row["ou_max_half_life_s"]) == (120, 3600)
    assert list(row["slope_horizons"]) == [5, 15, 60, 240, 1440]
    assert (row["book_stale_s"], row["stale_funding"], row["warm_up_s"]) == (5, 2, 300)
    assert row["df_critical"][:, 0].tolist() == [-2.56677, -2.86154]
    assert (row["belief"], row["vwap_min_sd"], row["ou_threshold"]) == (WEIGHED, 1, 1)
    row = Policy().signal_parameters(Policy().capital_tier(E))[0]
    assert (row["belief"], row["vwap_min_sd"], row["ou_threshold"]) == (ASKED, 0, 0.5)
    assert (*row["ou_window"], row["accel_samples"]) == (240, 960, 60)


def test_every_signal_parameter_is_filled() -> None:
    policy = Policy(belief=Belief.WEIGHED)
    record = policy.signal_parameters(policy.capital_tier(E))
    for name in record.dtype.names or ():
        assert np.all(record[name] != 0) or name == "df_critical", name  # its last coefficient at 10 % is 0


def test_dickey_fuller_level_chooses_the_critical_values() -> None:
    for level, value in (("0.01", -3.43035), ("0.05", -2.86154), ("0.10", -2.56677)):
        policy = Policy.from_env({"BELIEF": "weighed", "DICKEY_FULLER_LEVEL": level})
        assert policy.signal_parameters(policy.capital_tier(E))["df_critical"][0, WEIGHED, 0] == value
        asked = Policy.from_env({"DICKEY_FULLER_LEVEL": level})
        assert asked.signal_parameters(asked.capital_tier(E))["df_critical"][0, ASKED, 0] == value


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([], []),
        ([1.0], [1.0, 2.0]),
        ([2.0, 1.0], [0, 1]),
        ([1.0, 2.0], [1, 0]),
        ([np.nan], [1.0]),
        ([0.0] * (KNOTS + 1),) * 2,
    ],
)
def test_a_map_that_is_none_is_refused(x: list[float], y: list[float]) -> None:
    policy = Policy(belief=Belief.WEIGHED)
    record = policy.gate_parameters(policy.capital_tier(E), E)
    with pytest.raises(ValueError, match="calibration map"):
        set_map(record, [0], MAP_P_TP, x, y)


def test_set_map() -> None:
    policy = Policy(belief=Belief.WEIGHED)
    record = policy.gate_parameters(policy.capital_tier(E), E, symbols=2)
    set_map(record, [1], MAP_P_TP, [0.0, 1.0], [0.0, 0.5])
    assert list(record["knots"][:, MAP_P_TP]) == [0, 2]
    assert list(record["map_y"][1, MAP_P_TP, :2]) == [0.0, 0.5]

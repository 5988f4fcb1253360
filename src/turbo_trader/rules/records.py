"""The policy's numbers as records for the kernels: floats and integers, one record per symbol (or one for
all)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from turbo_trader.market.rows import SECOND, Rows, record_dtype
from turbo_trader.numbers.declared import extra
from turbo_trader.rules.choices import EntryStyle, Unconfirmed
from turbo_trader.rules.gates import GATE_FIELDS
from turbo_trader.rules.maps import KNOTS, MAPS
from turbo_trader.rules.tiers import CapitalTier, minimum_ev
from turbo_trader.signals.figures import ASKED, BELIEFS, WEIGHED
from turbo_trader.signals.listed import SIGNAL_NUMBERS
from turbo_trader.signals.parameters import SIGNAL_PARAMETERS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

NEVER: Final = 1 << 62  # a time or an age beyond all others, ns

GATE_PARAMETERS: Final = record_dtype(
    [
        ("capital_tier", "u1"),
        ("b_trades", "u1"),
        ("block_low_consensus", "u1"),
        ("block_flat", "u1"),
        ("maker_entry", "u1"),
        (
            "belief",
            "u1",
        ),  # whose figures the gates see (signals.figures.BELIEFS); measured without a map blocks
        ("min_snr", "f8"),
        ("min_confidence", "f8"),
        ("fee_multiplier", "f8"),
        ("min_ev", "f8"),
        ("max_hold_s", "f8"),
        ("hold_factor", "f8"),
        *GATE_FIELDS.items(),  # of the gates (rules.gates), under the names of the policy
        ("vol_log_sd", "f8"),
        ("tp_sigmas", "f8"),
        ("tp_min", "f8"),
        ("tp_max", "f8"),
        ("sl_of_tp", "f8"),
        ("sl_min", "f8"),
        ("sl_max", "f8"),
        ("sl_day_sigmas", "f8"),
        ("b_tp_factor", "f8"),
        ("b_tp_min", "f8"),
        ("b_tp_max", "f8"),
        ("b_sl_factor", "f8"),
        ("b_sl_min", "f8"),
        ("b_sl_max", "f8"),
        ("break_even_min", "f8"),
        ("break_even_extra", "f8"),
        ("break_even_cost", "f8"),  # 1: zone 1 pays the cost too; 0: BREAK_EVEN_MIN alone
        ("zone_one", "f8"),
        ("zone_two", "f8"),
        ("lock_share", "f8"),
        ("extension", "f8"),
        ("max_extensions", "<i4"),
        ("extension_share", "f8"),
        ("backstop_extra", "f8"),
        ("close_unconfirmed", "u1"),  # 1: TP_WITHOUT_CONFIRMATION=close
        ("monitor_s", "f8"),
        ("entry_slip", "f8"),  # the entry's limit beyond the touch, at most
        # of the venue and the account; the trader keeps them current
        ("taker_fee", "f8"),
        ("maker_fee", "f8"),
        ("slippage", "f8"),  # book walk of entry and exit together at the reference notional, fraction
        ("clock_offset", "<i8"),  # venue - ours, ns
        ("btc_move_ts", "<i8"),  # last one-minute move of BTC beyond btc_move, ns; 0 = never
        ("maintenance_ts", "<i8"),  # announced begin, ns; NEVER = none
        ("maintenance_end_ts", "<i8"),
        ("key_expiry_ts", "<i8"),  # ns; NEVER = none
        ("funding_minutes", "<i4"),  # interval where the market state has none yet
        # the panel signal's score of the symbol (SIGNAL); `scored` 0: the five signals decide
        ("scored", "u1"),
        ("score_direction", "i1"),  # 0: none
        ("score_expected", "f8"),  # return in that direction over the horizon, a fraction
        ("score_horizon_s", "f8"),
        ("score_until", "<i8"),  # it counts before this time, ns
        # calibration maps: piecewise linear, clamped; knots 0 = no map
        ("knots", "<i4", (MAPS,)),
        ("map_x", "f8", (MAPS, KNOTS)),
        ("map_y", "f8", (MAPS, KNOTS)),
    ]
)

_SAME_NAME: Final = (
    "vol_log_sd", "tp_sigmas", "tp_min", "tp_max", "sl_of_tp", "sl_min", "sl_max", "sl_day_sigmas", "b_tp_factor", "b_tp_min",
    "b_tp_max", "b_sl_factor", "b_sl_min", "b_sl_max", "break_even_min",
    "break_even_extra", "break_even_cost", "zone_one", "zone_two", "lock_share", "extension",
    "max_extensions", "extension_share", "backstop_extra", "hold_factor", "taker_fee", "maker_fee",
)  # fmt: skip
_OF_TIER: Final = (
    "b_trades",
    "block_low_consensus",
    "block_flat",
    "min_snr",
    "min_confidence",
    "fee_multiplier",
)


def gate_records(policy: Policy, tier: CapitalTier, equity: Decimal, symbols: int) -> Rows:
    """GATE_PARAMETERS of one tier, alike for all symbols, with nothing announced and no calibration map."""
    out = np.zeros(symbols, GATE_PARAMETERS)
    for name in _SAME_NAME:
        out[name] = float(getattr(policy, name))
    for name in GATE_FIELDS:
        out[name] = _plain(policy, name if name in type(policy).model_fields else f"{tier.name}_{name}")
    for name in _OF_TIER:
        out[name] = float(getattr(tier, name))
    out["min_ev"] = float(minimum_ev(policy, equity, tier.index))
    out["capital_tier"] = tier.index
    out["max_hold_s"] = tier.max_hold_s
    out["scored"] = policy.scored
    out["maker_entry"] = policy.entry_style is EntryStyle.MAKER
    out["belief"] = BELIEFS.index(policy.belief)
    out["close_unconfirmed"] = policy.tp_without_confirmation is Unconfirmed.CLOSE
    out["monitor_s"] = float(policy.monitor_interval)
    out["entry_slip"] = float(policy.entry_slip_max)
    out["maintenance_ts"] = NEVER
    out["key_expiry_ts"] = NEVER
    out["funding_minutes"] = policy.funding_period * 60
    return out


def _plain(policy: Policy, name: str) -> float:
    """A number of a gate as kernels read it: s as ns, an answer as its place among the choices."""
    value, facts = getattr(policy, name), extra(type(policy).model_fields[name])
    if facts["choices"]:
        return float(facts["choices"].index(value))
    return int(value * SECOND) if facts["unit"] == "s" else float(value)


def set_map(
    records: Rows, symbols: Sequence[int], which: int, x: Sequence[float], y: Sequence[float]
) -> None:
    """Give the records of `symbols` a calibration map (`which`: MAP_...): the points of a monotone map, ascending in x.

    ValueError for no points, more than KNOTS, points that are not finite, or an x or y that descends.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    if (
        not 0 < len(xs) <= KNOTS
        or len(xs) != len(ys)
        or not np.all(np.isfinite(xs))
        or not np.all(np.isfinite(ys))
    ):
        raise ValueError(f"a calibration map has 1 to {KNOTS} finite points, got {len(xs)} and {len(ys)}")
    if np.any(np.diff(xs) < 0) or np.any(np.diff(ys) < 0):
        raise ValueError("a calibration map ascends in x and y")
    records["knots"][symbols, which] = len(xs)
    records["map_x"][symbols, which, : len(xs)] = xs
    records["map_y"][symbols, which, : len(ys)] = ys


#: SIGNAL_PARAMETERS fields and the policy's numbers that fill them, beside those of the signals (the same names).
_SIGNAL_FIELDS: Final[dict[str, str]] = {
    "warm_up_s": "kalman_warmup",
    "min_minutes": "min_minutes",
    "min_returns": "min_returns",
    "slow_vol_share": "slow_vol_share",
    "book_stale_s": "stale_book",
    "trade_stale_s": "stale_book",
    "score_z": "score_z",
    "damping_s": "damping",
    "ou_spacing_s": "ou_sample_interval",
    "ou_min_share": "min_share",
    "slope_horizons": "consensus_horizons",
    "slope_min_share": "slope_share",
    "slope_t_threshold": "consensus_t",
}

#: MacKinnon, "Critical values for cointegration tests" (2010), table 2, constant, one variable: b0..b3 of
#: 1/n.
_DICKEY_FULLER: Final = {
    "0.01": (-3.43035, -6.5393, -16.786, -79.433),
    "0.05": (-2.86154, -2.8903, -4.234, -40.040),
    "0.10": (-2.56677, -1.5384, -2.809, 0.0),
}


def market_arguments(policy: Policy) -> dict[str, Any]:
    """Keyword arguments of `market.state.new_states`."""
    return {
        "flow_window_s": policy.ofi_window,
        "vol_half_life_min": float(policy.vol_half_life_min),
        "slow_vol_half_life_min": float(policy.slow_vol_half_life_min),
        "jump_sigmas": float(policy.jump_sigmas),
        "jump_fraction": float(policy.btc_move),
    }


def signal_record(policy: Policy, tier: CapitalTier) -> Rows:
    """One record of SIGNAL_PARAMETERS at the horizon of the tier."""
    out = cast("Rows", np.zeros(1, SIGNAL_PARAMETERS))
    for name, number in _SIGNAL_FIELDS.items():
        value = getattr(policy, number)
        out[name] = value if isinstance(value, tuple) else float(value)
    for name, _ in SIGNAL_NUMBERS:
        out[name] = float(getattr(policy, name))
    out["horizon_s"] = tier.horizon_s
    out["ou_min_half_life_s"] = float(policy.ou_half_life_min * 60)
    out["ou_max_half_life_s"] = float(policy.ou_half_life_max * 60)
    out["belief"] = BELIEFS.index(policy.belief)
    for fit in (ASKED, WEIGHED):  # both forecasts are always made; an override is of the belief in force
        out["ou_window"][0, fit] = policy.under("ou_samples", fit)
        out["df_critical"][0, fit] = _DICKEY_FULLER[policy.under("dickey_fuller_level", fit)]
    return out

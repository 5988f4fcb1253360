"""A second copy of the numbers of the trading rules (sections 2 and 4 to 8). The policy's defaults must equal them.

A change of a default is a change of the rules, and is made here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.rules.policy import Policy

NUMBERS: Final[Mapping[str, str]] = {
    # section 2
    "micro_turbo_mode": "True", "turbo_below": "100", "institutional_from": "1000",
    "micro_turbo_signal_interval": "30", "growing_scan_interval": "60", "institutional_scan_interval": "300",
    "tier_hysteresis": "0.05", "turbo_min_snr": "1.0", "growing_min_snr": "1.5", "institutional_min_snr": "1.5",
    "turbo_min_confidence": "0.50", "growing_min_confidence": "0.65", "institutional_min_confidence": "0.65",
    "turbo_b_trades": "True", "growing_b_trades": "False", "institutional_b_trades": "False",
    "turbo_low_consensus": "warn", "growing_low_consensus": "block", "institutional_low_consensus": "block",
    "turbo_consensus_up_to": "100", "turbo_flat": "warn", "growing_flat": "block", "institutional_flat": "block",
    "turbo_fee_multiplier": "1.0", "growing_fee_multiplier": "2.5", "institutional_fee_multiplier": "2.5",
    "zero_min_ev_up_to": "25", "micro_below": "25", "micro_min_ev": "0.0005", "turbo_min_ev": "0.0008",
    "growing_min_ev": "0.0007", "institutional_min_ev": "0.0006", "turbo_max_positions": "3",
    "growing_max_positions": "5", "institutional_max_positions": "5", "turbo_horizon": "900",
    "growing_horizon": "1800", "institutional_horizon": "1800", "turbo_max_hold": "1800", "growing_max_hold": "2700",
    "institutional_max_hold": "2700",
    # section 4
    "ofi_levels": "10", "ofi_window": "30", "ofi_threshold": "0.15", "vwap_warmup": "1800", "vwap_min_gap": "0.0010",
    "vwap_min_sd": "0", "score_z": "2", "accel_threshold": "1", "funding_period": "8", "funding_threshold": "0.0005",
    "funding_scale": "0.0010", "ou_threshold": "0.5", "stale_book": "5", "stale_funding": "2", "a_min_others": "1",
    # section 5.1
    "max_spread": "0.0010", "max_clock_offset": "1", "max_mark_gap": "0.001", "violent_pause": "300",
    "jump_sigmas": "6", "btc_move": "0.005", "settlement_window": "10", "maintenance_lead": "900",
    "key_expiry_lead": "86400",
    # section 5.4
    "consensus_t": "1", "low_consensus": "0.60", "slope_share": "0.8",
    # section 5.5
    "flat_edge": "0.0010",
    # section 5.8
    "cooldown_horizons": "1",
    # section 5
    "vol_log_sd": "0.6", "taker_fee": "0.00055", "maker_fee": "0.00020",
    # section 6
    "tp_sigmas": "1.5", "tp_min": "0.006", "tp_max": "0.015", "sl_of_tp": "0.5", "sl_min": "0.003", "sl_max": "0.006",
    "b_tp_factor": "0.7", "b_tp_min": "0.004", "b_tp_max": "0.008", "b_sl_factor": "0.8", "b_sl_min": "0.0025",
    "b_sl_max": "0.005", "break_even_min": "0.0010", "break_even_cost": "True", "break_even_extra": "0.0003",
    "backstop_extra": "0.5", "zone_one": "0.5", "zone_two": "1.0", "lock_share": "0.5", "extension": "0.5",
    "max_extensions": "3", "extension_share": "0.5", "tp_without_confirmation": "hold", "mark_beyond": "0.001",
    "mark_beyond_for": "1", "hold_factor": "2", "monitor_interval": "1",
    # section 7
    "a_margin_low": "0.30", "a_margin_high": "0.50", "b_margin_low": "0.10", "b_margin_high": "0.15",
    "small_below": "20", "medium_below": "50", "small_margin_cap": "0.40", "medium_margin_cap": "0.50",
    "large_margin_cap": "0.60", "a_risk": "0.10", "b_risk": "0.05", "same_direction": "0", "min_size_share": "0.5",
    "range_quantile": "0.999", "total_margin": "0.90", "max_leverage": "50", "leverage_policy": "lowest",
    "liquidation_multiple": "2", "losses_to_halve": "3", "losses_factor": "0.5", "portfolio_from": "20",
    "weight_cap": "0.30", "weights_window": "480", "weights_refresh": "900",
    # section 8
    "entry_style": "taker", "entry_slip_max": "0.0002", "entry_slip_of_ev": "0.5", "entry_recv_window": "1000",
    "maker_patience": "10", "lookup_extra": "10", "session_loss": "0.20", "drawdown_pause": "0.15",
    "pause_time": "1800", "pauses_to_halt": "0", "warn_share": "0.80", "warn_hysteresis": "0.20",
    "warn_again": "3600", "flatten_time": "2", "guard_close_after": "900", "on_term": "leave",
    "watchdog_trades": "30", "watchdog_probability": "0.05",
}  # fmt: skip


def hold_to_the_rules() -> None:
    """Violated where a default of the policy is another number than that of the rules."""
    defaults = {name: str(field.default) for name, field in Policy.model_fields.items()}
    other = {
        name: defaults.get(name, "missing")
        for name, number in NUMBERS.items()
        if defaults.get(name) != number
    }
    if other:
        rules = {name: NUMBERS[name] for name in other}
        raise Violated(
            Invariant.SIZE, "numbers of the policy are not those of the rules", policy=other, rules=rules
        )

# ruff: noqa: RUF009 (`number` is a dataclass field with more metadata)
"""Every number of the trading rules, in one frozen, validated object.

Each field carries its unit, the section of the rules page it comes from and whether the user asked for it (fixed) or it was left
open and chosen. Its name in upper case is the environment variable that overrides it. Fractions are fractions (0.006 = 0.6 %;
text may say 0.6% or 60bp), times seconds unless the name says otherwise. The tables per capital tier: `capital_tier`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from turbo_trader.market.events import Rows
from turbo_trader.market.instruments import UNIVERSE, perpetual
from turbo_trader.rules import clashes, records
from turbo_trader.rules.numbers import NumberRow, check, env_name, number, number_rows, parse
from turbo_trader.rules.tiers import CapitalTier, tier_of

_LOW_ANSWERS = ("warn", "block")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force. InputError where a value is out of its range or two of them contradict each other."""

    # 1 universe
    target_assets: tuple[str, ...] = number(
        tuple(symbol.removesuffix("USDT") for symbol in UNIVERSE), "coins or symbols", "1", "universe"
    )
    min_entry_notional: Decimal = number("5", "USDT", "1", "smallest notional of an entry")
    # 2 capital tiers
    micro_turbo_mode: bool = number(True, "switch", "2", "turbo tier and its softer gates below TURBO_BELOW")
    turbo_below: Decimal = number("100", "USDT", "2", "turbo tier: E below")
    institutional_from: Decimal = number("1000", "USDT", "2", "institutional tier: E from")
    micro_turbo_signal_interval: int = number(30, "s", "2", "scan interval, turbo", low="1", high="86400")
    growing_scan_interval: int = number(60, "s", "2", "scan interval, growing", low="1", high="86400")
    institutional_scan_interval: int = number(
        300, "s", "2", "scan interval, institutional", low="1", high="86400"
    )
    turbo_min_snr: Decimal = number("1.0", "ratio", "2", "SNR above, turbo")
    growing_min_snr: Decimal = number("1.5", "ratio", "2", "SNR above, growing")
    institutional_min_snr: Decimal = number("1.5", "ratio", "2", "SNR above, institutional")
    turbo_min_confidence: Decimal = number("0.50", "probability", "2", "confidence above, turbo", high="1")
    growing_min_confidence: Decimal = number(
        "0.65", "probability", "2", "confidence above, growing", high="1"
    )
    institutional_min_confidence: Decimal = number(
        "0.65", "probability", "2", "confidence above, institutional", high="1"
    )
    turbo_b_trades: bool = number(True, "switch", "2", "B-trades, turbo")
    growing_b_trades: bool = number(False, "switch", "2", "B-trades, growing")
    institutional_b_trades: bool = number(False, "switch", "2", "B-trades, institutional")
    turbo_low_consensus: str = number("warn", "answer", "2", "low consensus, turbo", choices=_LOW_ANSWERS)
    growing_low_consensus: str = number(
        "block", "answer", "2", "low consensus, growing", choices=_LOW_ANSWERS
    )
    institutional_low_consensus: str = number(
        "block", "answer", "2", "low consensus, institutional", choices=_LOW_ANSWERS
    )
    turbo_consensus_up_to: Decimal = number(
        "100", "USDT", "2", "turbo's answer to low consensus: E up to and with"
    )
    turbo_flat: str = number("warn", "answer", "2", "flat market, turbo", choices=_LOW_ANSWERS)
    growing_flat: str = number("block", "answer", "2", "flat market, growing", choices=_LOW_ANSWERS)
    institutional_flat: str = number(
        "block", "answer", "2", "flat market, institutional", choices=_LOW_ANSWERS
    )
    turbo_fee_multiplier: Decimal = number("1.0", "ratio", "2", "fee protection multiplier, turbo")
    growing_fee_multiplier: Decimal = number("2.5", "ratio", "2", "fee protection multiplier, growing")
    institutional_fee_multiplier: Decimal = number(
        "2.5", "ratio", "2", "fee protection multiplier, institutional"
    )
    zero_min_ev_up_to: Decimal = number("25", "USDT", "2", "turbo: minimum net EV is 0 for E up to and with")
    micro_below: Decimal = number(
        "25", "USDT", "2", "micro value of the minimum net EV: E below", chosen=True
    )
    micro_min_ev: Decimal = number(
        "0.0005", "fraction", "2", "minimum net EV, E below MICRO_BELOW", chosen=True, high="1"
    )
    turbo_min_ev: Decimal = number(
        "0.0008", "fraction", "2", "minimum net EV, E below TURBO_BELOW", chosen=True, high="1"
    )
    growing_min_ev: Decimal = number(
        "0.0007", "fraction", "2", "minimum net EV, E below INSTITUTIONAL_FROM", chosen=True, high="1"
    )
    institutional_min_ev: Decimal = number(
        "0.0006", "fraction", "2", "minimum net EV above", chosen=True, high="1"
    )
    turbo_max_positions: int = number(3, "positions", "2", "open positions, turbo", low="1", high="1000")
    growing_max_positions: int = number(
        5, "positions", "2", "open positions, growing", chosen=True, low="1", high="1000"
    )
    institutional_max_positions: int = number(
        5, "positions", "2", "open positions, institutional", chosen=True, low="1", high="1000"
    )
    turbo_horizon: int = number(
        900, "s", "2", "forecast horizon h, turbo", chosen=True, low="1", high="86400"
    )
    growing_horizon: int = number(
        1800, "s", "2", "forecast horizon h, growing", chosen=True, low="1", high="86400"
    )
    institutional_horizon: int = number(
        1800, "s", "2", "forecast horizon h, institutional", chosen=True, low="1", high="86400"
    )
    turbo_max_hold: int = number(1800, "s", "2", "maximum hold T, turbo", chosen=True, low="1", high="86400")
    growing_max_hold: int = number(
        2700, "s", "2", "maximum hold T, growing", chosen=True, low="1", high="86400"
    )
    institutional_max_hold: int = number(
        2700, "s", "2", "maximum hold T, institutional", chosen=True, low="1", high="86400"
    )
    # 3 forecast
    vol_half_life_min: Decimal = number(
        "30", "min", "3", "half-life of the volatility average", chosen=True, low="0.1", high="10000"
    )
    # Over the next half hour volatility reverts towards its day: so weighted (in logs, as of HAR models) it forecasts
    # the variance of the hold better, and without bias, on real bars (docs/signals.md)
    slow_vol_half_life_min: Decimal = number(
        "1440", "min", "3", "half-life of the slow volatility average", chosen=True, low="1", high="100000"
    )
    slow_vol_share: Decimal = number(
        "0.25", "share", "3", "slow average's weight in the volatility of the hold", chosen=True, high="1"
    )
    vol_log_sd: Decimal = number(
        "0.6", "log", "5", "sd of the log variance of the hold around its forecast", chosen=True, high="2"
    )
    kalman_significance: Decimal = number(
        "0.05", "probability", "3", "level of the test for jerk", chosen=True, pinned=True
    )
    damping: Decimal = number(
        "60", "s", "3", "time constant of the damped acceleration", chosen=True, low="1"
    )
    min_minutes: int = number(
        60, "minutes", "3", "warm-up: one-minute closes", chosen=True, low="2", high="1440"
    )
    min_returns: int = number(
        30, "returns", "3", "warm-up: returns in sigma", chosen=True, low="2", high="1440"
    )
    min_share: Decimal = number(
        "0.9", "share", "3", "samples an OU window needs", chosen=True, low="0.5", high="1"
    )
    kalman_warmup: int = number(300, "s", "3", "one-second grid fills for", chosen=True, low="1", high="1800")
    # 480 samples predict honestly up to half-lives of 15 min, 960 up to 30 (table in docs/signals.md)
    ou_samples: int = number(960, "samples", "3", "OU window", chosen=True, low="30", high="1440")
    ou_sample_interval: int = number(60, "s", "3", "OU sample interval", chosen=True, pinned=True)
    dickey_fuller_level: str = number(
        "0.05",
        "probability",
        "3",
        "level of the unit-root test",
        chosen=True,
        choices=("0.01", "0.05", "0.10"),
    )
    ou_half_life_min: Decimal = number("2", "min", "3", "shortest OU half-life", chosen=True, low="0.01")
    ou_half_life_max: Decimal = number("60", "min", "3", "longest OU half-life", chosen=True, low="0.01")
    # 4 the five signals
    ofi_levels: int = number(10, "levels", "4", "book levels of the order-flow imbalance", pinned=True)
    ofi_window: int = number(30, "s", "4", "order-flow window", low="1", high="63", chosen=True)
    ofi_threshold: Decimal = number("0.15", "score", "4", "OFI confirms above", high="1")
    vwap_warmup: int = number(1800, "s", "4", "VWAP valid after", chosen=True, high="86400")
    vwap_min_gap: Decimal = number(
        "0.0010", "fraction", "4", "VWAP confirms at a gap of", chosen=True, high="1"
    )
    vwap_min_sd: Decimal = number("1", "band sd", "4", "VWAP confirms at a gap of", chosen=True, pinned=True)
    score_z: Decimal = number("2", "sd", "4", "z or a at which a score saturates", chosen=True, low="0.01")
    accel_threshold: Decimal = number("1", "sd", "4", "ACCEL confirms above", chosen=True)
    funding_period: int = number(8, "h", "4", "funding rates are normalised to", chosen=True, pinned=True)
    funding_threshold: Decimal = number(
        "0.0005", "fraction per 8 h", "4", "FUNDING confirms beyond", chosen=True, high="1"
    )
    funding_scale: Decimal = number(
        "0.0010", "fraction per 8 h", "4", "FUNDING score saturates at", chosen=True, low="1e-9", high="1"
    )
    ou_threshold: Decimal = number("1", "sd", "4", "OU_DRIFT confirms below minus", chosen=True)
    stale_book: Decimal = number("5", "s", "4", "book is stale after", chosen=True, low="0.1", high="3600")
    stale_funding: Decimal = number(
        "2", "intervals", "4", "funding is stale after", chosen=True, low="0.1", high="100"
    )
    a_min_others: int = number(1, "signals", "4", "A needs of VWAP, ACCEL, FUNDING at least", high="3")
    # 5 gates
    max_spread: Decimal = number("0.0010", "fraction", "5.1", "spread below", chosen=True, high="1")
    max_clock_offset: Decimal = number("1", "s", "5.1", "clock offset below", chosen=True, high="60")
    max_mark_gap: Decimal = number("0.001", "fraction", "5.1", "|mark/last - 1| up to", chosen=True, high="1")
    violent_pause: int = number(
        300, "s", "5.1", "no entry after a violent move for", chosen=True, high="86400"
    )
    jump_sigmas: Decimal = number(
        "6", "sigma", "5.1", "violent one-minute move beyond", chosen=True, low="0.1"
    )
    btc_move: Decimal = number(
        "0.005", "fraction", "5.1", "violent one-minute move of BTC beyond", chosen=True, low="1e-6", high="1"
    )
    settlement_window: int = number(
        10, "s", "5.1", "no entry around a funding settlement within", chosen=True, high="3600"
    )
    maintenance_lead: int = number(
        900, "s", "5.1", "no entry before announced maintenance from", chosen=True, high="86400"
    )
    key_expiry_lead: int = number(
        86400, "s", "5.1", "no entry with a key that expires within", chosen=True, high="2592000"
    )
    consensus_horizons: tuple[int, ...] = number(
        (5, 15, 60, 240, 1440), "min", "5.4", "horizons of the slopes"
    )
    consensus_t: Decimal = number("1", "t", "5.4", "a slope counts beyond |t|", chosen=True)
    low_consensus: Decimal = number("0.60", "share", "5.4", "consensus is low below", chosen=True, high="1")
    slope_share: Decimal = number(
        "0.8", "share", "5.4", "minutes a slope needs", chosen=True, low="0.5", high="1"
    )
    flat_edge: Decimal = number("0.0010", "fraction", "5.5", "forecast edge of at least", high="1")
    cooldown_horizons: Decimal = number(
        "1", "h", "5.8", "cool-down after a stop-out", chosen=True, high="1000"
    )
    taker_fee: Decimal = number(
        "0.00055", "fraction", "5", "taker fee until the venue says", chosen=True, high="0.1"
    )
    maker_fee: Decimal = number(
        "0.00020", "fraction", "5", "maker fee until the venue says", chosen=True, low="-0.01", high="0.1"
    )
    # 6 exits
    tp_sigmas: Decimal = number("1.5", "sigma sqrt(h)", "6", "TP before its range")
    tp_min: Decimal = number("0.006", "fraction", "6", "TP from", low="0.0001", high="0.5")
    tp_max: Decimal = number("0.015", "fraction", "6", "TP to", low="0.0001", high="0.5")
    sl_of_tp: Decimal = number("0.5", "ratio", "6", "SL of TP before its range", low="0.01", high="10")
    sl_min: Decimal = number("0.003", "fraction", "6", "SL from", low="0.0001", high="0.5")
    sl_max: Decimal = number("0.006", "fraction", "6", "SL to", low="0.0001", high="0.5")
    b_tp_factor: Decimal = number("0.7", "ratio", "6", "B: TP of the normal one", low="0.01", high="10")
    b_tp_min: Decimal = number("0.004", "fraction", "6", "B: TP from", low="0.0001", high="0.5")
    b_tp_max: Decimal = number("0.008", "fraction", "6", "B: TP to", low="0.0001", high="0.5")
    b_sl_factor: Decimal = number("0.8", "ratio", "6", "B: SL of the normal one", low="0.01", high="10")
    b_sl_min: Decimal = number("0.0025", "fraction", "6", "B: SL from", low="0.0001", high="0.5")
    b_sl_max: Decimal = number("0.005", "fraction", "6", "B: SL to", low="0.0001", high="0.5")
    break_even_min: Decimal = number(
        "0.0010", "fraction", "6", "break-even stop beyond entry by at least", high="0.5"
    )
    backstop_extra: Decimal = number(
        "0.5", "of the TP distance", "6", "backstop beyond the target", chosen=True, low="0.01", high="10"
    )
    zone_one: Decimal = number("0.5", "progress", "6", "zone 1 from", low="0.01", high="10")
    zone_two: Decimal = number("1.0", "progress", "6", "zone 2 from", low="0.01", high="10")
    lock_share: Decimal = number(
        "0.5", "share", "6", "stop locks of the distance reached", low="0.01", high="0.99"
    )
    extension: Decimal = number(
        "0.5", "of the TP distance", "6", "target moves out by", low="0.01", high="10"
    )
    max_extensions: int = number(3, "times", "6", "target moves out at most", chosen=True, high="100")
    extension_share: Decimal = number(
        "0.5", "share", "6", "targets the EV assumes extended", chosen=True, high="1"
    )
    tp_without_confirmation: str = number(
        "close", "answer", "6", "at the target without confirmation", chosen=True, choices=("close", "hold")
    )
    mark_beyond: Decimal = number(
        "0.001", "fraction", "6", "close when the mark is beyond the stop by", chosen=True, high="1"
    )
    mark_beyond_for: Decimal = number("1", "s", "6", "and stays there for", chosen=True, high="3600")
    hold_factor: Decimal = number("2", "T", "6", "time limit after zone 1", chosen=True, low="1", high="100")
    monitor_interval: Decimal = number(
        "1", "s", "6", "zones and times are checked at least each", chosen=True, low="0.1", high="60"
    )
    # 7 size
    a_margin_low: Decimal = number("0.30", "of B", "7", "margin target, A, from", low="0.01", high="1")
    a_margin_high: Decimal = number("0.50", "of B", "7", "margin target, A, to", low="0.01", high="1")
    b_margin_low: Decimal = number("0.10", "of B", "7", "margin target, B, from", low="0.01", high="1")
    b_margin_high: Decimal = number("0.15", "of B", "7", "margin target, B, to", low="0.01", high="1")
    small_below: Decimal = number("20", "USDT", "7", "first step of the margin cap: E below", chosen=True)
    medium_below: Decimal = number("50", "USDT", "7", "second step of the margin cap: E below", chosen=True)
    small_margin_cap: Decimal = number(
        "0.40", "of B", "7", "margin cap per trade, first step", chosen=True, low="0.01", high="1"
    )
    medium_margin_cap: Decimal = number(
        "0.50", "of B", "7", "margin cap per trade, second step", chosen=True, low="0.01", high="1"
    )
    large_margin_cap: Decimal = number(
        "0.60", "of B", "7", "margin cap per trade above", chosen=True, low="0.01", high="1"
    )
    a_risk: Decimal = number("0.10", "of E", "7", "loss at SL, A, up to", low="0.0001", high="1")
    b_risk: Decimal = number("0.05", "of E", "7", "loss at SL, B, up to", low="0.0001", high="1")
    same_direction: Decimal = number(
        "0.30", "of E", "7", "same direction, all open, up to", low="0.0001", high="1"
    )
    range_quantile: Decimal = number(
        "0.999", "probability", "7", "quantile of one-minute ranges", pinned=True
    )
    total_margin: Decimal = number("0.90", "of B", "7", "total margin up to", low="0.01", high="1")
    max_leverage: Decimal = number("50", "x", "7", "leverage up to", low="1", high="125")
    liquidation_multiple: Decimal = number(
        "2", "x", "7", "liquidation lies beyond SL + slippage times", low="1", high="100"
    )
    losses_to_halve: int = number(
        3, "losses", "7", "size is reduced after consecutive losses", low="1", high="1000"
    )
    losses_factor: Decimal = number("0.5", "x", "7", "to this part until a win", low="0.01", high="1")
    portfolio_from: Decimal = number("20", "USDT", "7", "minimum-variance weights: E from")
    weight_cap: Decimal = number("0.30", "weight", "7", "one symbol's weight up to", low="0.01", high="1")
    weights_refresh: int = number(900, "s", "7", "weights are refreshed each", low="1", high="86400")
    # 8 orders and limits
    entry_style: str = number("taker", "style", "8", "entries", chosen=True, choices=("taker", "maker"))
    entry_slip_max: Decimal = number(
        "0.0005", "fraction", "8", "entry limit beyond the touch by at most", high="0.1"
    )
    entry_slip_of_ev: Decimal = number("0.5", "of EV margin", "8", "and by at most", high="1")
    entry_recv_window: int = number(1000, "ms", "8", "receive window of entries", low="100", high="60000")
    maker_patience: int = number(
        10, "s", "8", "a post-only entry is given up after", chosen=True, low="1", high="3600"
    )
    lookup_extra: int = number(
        10, "s", "8", "an unknown entry is looked up beyond its window for", chosen=True, low="1", high="3600"
    )
    session_loss: Decimal = number(
        "0.20", "of session-start E", "8", "session result that flattens and halts", low="0.001", high="1"
    )
    drawdown_pause: Decimal = number(
        "0.15", "of the session peak", "8", "drawdown that pauses", low="0.001", high="1"
    )
    pause_time: int = number(1800, "s", "8", "a pause lasts", low="1", high="86400")
    pauses_to_halt: int = number(3, "pauses", "8", "the nth pause halts", low="1", high="100")
    warn_share: Decimal = number(
        "0.80", "share", "8", "warning at this share of a limit", low="0.01", high="1"
    )
    flatten_time: int = number(2, "s", "8", "flat within, or told as unconfirmed", low="1", high="60")
    on_term: str = number("leave", "answer", "8", "positions at SIGTERM", choices=("leave", "flatten"))
    watchdog_trades: int = number(30, "trades", "8", "watchdog from", chosen=True, low="2", high="100000")
    watchdog_probability: Decimal = number(
        "0.05", "probability", "8", "watchdog trips below", chosen=True, high="1"
    )
    # 9 calibration
    calibration: str = number(
        "report", "answer", "9", "calibrated numbers", chosen=True, choices=("off", "report", "enforce")
    )
    calibration_min_samples: int = number(
        200, "outcomes", "9", "a map needs, of the symbol or else of all", chosen=True, low="20"
    )
    calibration_group: int = number(
        100, "outcomes", "9", "behind each point of a map at least", chosen=True, low="10"
    )
    calibration_window: int = number(
        2000, "outcomes", "9", "of a symbol that maps look back on", chosen=True, low="20", high="100000"
    )
    calibration_refit: int = number(
        14400, "s", "9", "maps are fitted anew each", chosen=True, low="1", high="604800"
    )
    calibration_hole: int = number(
        60, "s", "9", "longest time without a price in an outcome", chosen=True, low="1", high="600"
    )

    def __post_init__(self) -> None:
        for declared in fields(self):
            check(declared, getattr(self, declared.name))
        clashes.refuse(self)

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, live: bool = False) -> Policy:
        """The defaults with what `env` overrides; `live`: CALIBRATION is enforce unless it says otherwise.

        InputError names the variable, its value and what is expected.
        """
        given: dict[str, Any] = {"calibration": "enforce"} if live else {}
        for declared in fields(cls):
            text = env.get(env_name(declared), "")
            if text.strip():
                given[declared.name] = parse(declared, text)
        return cls(**given)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe as the venue's symbols, old names replaced, each once."""
        return tuple(dict.fromkeys(perpetual(name) for name in self.target_assets))

    @property
    def round_trip_fee(self) -> Decimal:
        """Entry and exit fee as a fraction of notional, at the default rates and the entry style in force."""
        return self.taker_fee + (self.maker_fee if self.entry_style == "maker" else self.taker_fee)

    def capital_tier(self, equity: Decimal) -> CapitalTier:
        """The column of the capital table that holds at this equity (USDT)."""
        return tier_of(self, equity)

    def market_parameters(self) -> dict[str, Any]:
        """Keyword arguments of `market.state.new_states`."""
        return records.market_arguments(self)

    def signal_parameters(self, tier: CapitalTier) -> Rows:
        """One record of signals.parameters.SIGNAL_PARAMETERS: what `signals.measure` needs at this tier."""
        return records.signal_record(self, tier)

    def gate_parameters(self, tier: CapitalTier, equity: Decimal, symbols: int = 1) -> Rows:
        """Records of rules.records.GATE_PARAMETERS, one per symbol (or one for all), at this tier and equity.

        Fee rates are the policy's; what is known of the venue (`clock_offset`, `btc_move_ts`, ...) is set in the records.
        """
        return records.gate_records(self, tier, equity, symbols)

    def table(self) -> list[NumberRow]:
        """Every number in force with its default, unit, section and whether it was overridden."""
        return number_rows(self)

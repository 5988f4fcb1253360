"""Every number of the trading rules, in one frozen, validated object.

Each number carries who set it (`asked`: the user; `chosen`: we did where the user's texts leave it open; `ours`: our own addition),
its unit, the line of the trading rules it comes from (`sources`) and its meaning. Its name in upper case is the environment
variable that overrides it. Fractions are fractions (0.006 is 0.6 %; text may say 0.6% or 60bp). Times are seconds unless the name
says otherwise. The tables per capital tier: `capital_tier`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from turbo_trader.market.instruments import UNIVERSE, perpetual
from turbo_trader.market.names import perpetual_symbol
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.declared import shown
from turbo_trader.numbers.number import Belief, Horizon, asked, by_mode, chosen, default_of, ours
from turbo_trader.rules import clashes, records
from turbo_trader.rules.choices import Answer, EntryStyle, LeveragePolicy, OnTerm, TradeSize, Unconfirmed
from turbo_trader.rules.gates import GateNumbers
from turbo_trader.rules.numbers import NumberRow, number_rows
from turbo_trader.rules.tiers import CapitalTier, tier_of
from turbo_trader.signals.figures import ASKED, BELIEFS
from turbo_trader.signals.listed import SignalNumbers

_COINS = tuple(symbol.removesuffix("USDT") for symbol in UNIVERSE)
RULES = "rules"  # SIGNAL: the five signals of section 4


class Policy(SignalNumbers, GateNumbers):
    """The rules in force. InputError where a value is out of its range or two of them contradict each other."""

    model_config = SettingsConfigDict(strict=True)

    # fmt: off
    # 1 universe
    target_assets: tuple[str, ...] = chosen(_COINS, "coins or symbols", "1 symbols", "universe")
    min_entry_notional: Decimal = ours("5", "USDT", "1 notional", "smallest notional of an entry")

    # 2 capital tiers
    micro_turbo_mode: bool = asked(True, "switch", "2 tiers", "turbo tier and its softer gates below TURBO_BELOW")
    turbo_below: Decimal = asked("100", "USDT", "2 tiers", "turbo tier: E below")
    institutional_from: Decimal = asked("1000", "USDT", "2 tiers", "institutional tier: E from")
    micro_turbo_signal_interval: int = asked(30, "s", "2 interval", "scan interval, turbo", low="1", high="86400")
    growing_scan_interval: int = asked(60, "s", "2 interval", "scan interval, growing", low="1", high="86400")
    institutional_scan_interval: int = asked(300, "s", "2 interval", "scan interval, institutional", low="1", high="86400")
    tier_hysteresis: Decimal = ours("0.05", "of the boundary", "2 hysteresis", "a lower tier only this far below", high="0.5")
    turbo_min_snr: Decimal = asked("1.0", "ratio", "2 SNR", "SNR above, turbo", high="100")
    growing_min_snr: Decimal = asked("1.5", "ratio", "2 SNR", "SNR above, growing", high="100")
    institutional_min_snr: Decimal = asked("1.5", "ratio", "2 SNR", "SNR above, institutional", high="100")
    turbo_min_confidence: Decimal = asked("0.50", "probability", "2 SNR", "confidence above, turbo", high="0.999")
    growing_min_confidence: Decimal = asked("0.65", "probability", "2 SNR", "confidence above, growing", high="0.999")
    institutional_min_confidence: Decimal = asked("0.65", "probability", "2 SNR", "confidence above, institutional", high="0.999")
    turbo_b_trades: bool = asked(True, "switch", "2 B", "B-trades, turbo", hours=False)
    growing_b_trades: bool = asked(False, "switch", "2 B", "B-trades, growing")
    institutional_b_trades: bool = asked(False, "switch", "2 B", "B-trades, institutional")
    turbo_low_consensus: Answer = asked(Answer.WARN, "answer", "2 consensus", "low consensus, turbo")
    growing_low_consensus: Answer = asked(Answer.BLOCK, "answer", "2 consensus", "low consensus, growing")
    institutional_low_consensus: Answer = asked(Answer.BLOCK, "answer", "2 consensus", "low consensus, institutional")
    turbo_consensus_up_to: Decimal = asked("100", "USDT", "2 consensus", "turbo's answer to low consensus: E up to and with")
    turbo_flat: Answer = asked(Answer.WARN, "answer", "2 flat", "flat market, turbo")
    growing_flat: Answer = asked(Answer.BLOCK, "answer", "2 flat", "flat market, growing")
    institutional_flat: Answer = asked(Answer.BLOCK, "answer", "2 flat", "flat market, institutional")
    turbo_fee_multiplier: Decimal = asked("1.0", "ratio", "2 fees", "fee protection multiplier, turbo")
    growing_fee_multiplier: Decimal = asked("2.5", "ratio", "2 fees", "fee protection multiplier, growing")
    institutional_fee_multiplier: Decimal = asked("2.5", "ratio", "2 fees", "fee protection multiplier, institutional")
    zero_min_ev_up_to: Decimal = asked("25", "USDT", "2 EV", "turbo: minimum net EV is 0 for E up to and with")
    micro_below: Decimal = chosen("25", "USDT", "2 EV", "micro value of the minimum net EV: E below")
    micro_min_ev: Decimal = chosen("0.0005", "fraction", "2 EV", "minimum net EV, E below MICRO_BELOW", high="1")
    turbo_min_ev: Decimal = chosen("0.0008", "fraction", "2 EV", "minimum net EV, E below TURBO_BELOW", high="1")
    growing_min_ev: Decimal = chosen("0.0007", "fraction", "2 EV", "minimum net EV, E below INSTITUTIONAL_FROM", high="1")
    institutional_min_ev: Decimal = chosen("0.0006", "fraction", "2 EV", "minimum net EV above", high="1")
    turbo_max_positions: int = asked(3, "positions", "2 positions", "open positions, turbo", low="1", high="1000")
    growing_max_positions: int = chosen(5, "positions", "2 positions", "open positions, growing", low="1", high="1000")
    institutional_max_positions: int = chosen(5, "positions", "2 positions", "open positions, institutional", low="1", high="1000")
    # minutes, or hours: a second set of these numbers (`hours`), for panel signals that hold for 8 to 24 h
    horizon: Horizon = ours(Horizon.MINUTES, "answer", "2 hours", "trades of minutes, or of hours")
    turbo_horizon: int = chosen(900, "s", "2 horizon", "forecast horizon h, turbo", low="1", high="86400", hours=43200)
    growing_horizon: int = chosen(1800, "s", "2 horizon", "forecast horizon h, growing", low="1", high="86400", hours=43200)
    institutional_horizon: int = chosen(1800, "s", "2 horizon", "horizon h, institutional", low="1", high="86400", hours=43200)
    turbo_max_hold: int = chosen(1800, "s", "2 horizon", "maximum hold T, turbo", low="1", high="86400", hours=86400)
    growing_max_hold: int = chosen(2700, "s", "2 horizon", "maximum hold T, growing", low="1", high="86400", hours=86400)
    institutional_max_hold: int = chosen(2700, "s", "2 horizon", "longest hold, institutional", low="1", high="86400", hours=86400)

    # 3 forecast
    # whose figures the gates see (3a); a number with `weighed` has that default unless BELIEF=asked
    belief: Belief = chosen(Belief.ASKED, "belief", "3 belief", "the gates see plain, averaged or calibrated figures")
    vol_half_life_min: Decimal = chosen("30", "min", "3 volatility", "half-life of the volatility average", low="0.1", high="10000")
    # Over the next half hour volatility reverts towards its day: so weighted (in logs, as of HAR models) it forecasts
    # the variance of the hold better, and without bias, on real bars (docs/signals.md)
    slow_vol_half_life_min: Decimal = ours("1440", "min", "3 slow", "half-life of the slow average", low="1", high="100000")
    slow_vol_share: Decimal = ours("0.25", "share", "3 slow", "its weight in the hold's volatility", high="1", hours="1")
    kalman_significance: Decimal = chosen("0.05", "probability", "3 Kalman", "level of the test for jerk", pinned=True)
    damping: Decimal = chosen("60", "s", "3 Kalman", "time constant of the damped acceleration", low="1")
    min_minutes: int = chosen(60, "minutes", "3 warm-up", "warm-up: one-minute closes", low="2", high="1440")
    min_returns: int = chosen(30, "returns", "3 warm-up", "warm-up: returns in sigma", low="2", high="1440")
    min_share: Decimal = chosen("0.9", "share", "3 warm-up", "samples an OU window needs", low="0.5", high="1")
    kalman_warmup: int = chosen(300, "s", "3 warm-up", "one-second grid fills for", low="1", high="1800")
    # under weighed: 480 samples predict honestly up to half-lives of 15 min, 960 up to 30 (table in docs/signals.md)
    ou_samples: int = chosen(240, "samples", "3 OU fit", "OU window", low="30", high="1440", weighed=960)
    ou_sample_interval: int = chosen(60, "s", "3 OU", "OU sample interval", pinned=True)
    dickey_fuller_level: str = chosen(
        "0.10", "probability", "3 OU fit", "unit-root test at", choices=("0.01", "0.05", "0.10"), weighed="0.05"
    )
    ou_half_life_min: Decimal = chosen("2", "min", "3 OU", "shortest OU half-life", low="0.01")
    ou_half_life_max: Decimal = chosen("60", "min", "3 OU", "longest OU half-life", low="0.01")

    # 4 the five signals
    score_z: Decimal = chosen("2", "sd", "4 scores", "z or a at which a score saturates", low="0.01")
    stale_book: Decimal = ours("5", "s", "4 stale", "book is stale after", low="0.1", high="3600")

    # 4 a panel signal in their place
    signal: str = chosen("rules", "name or file", "4 panel", "entries by: rules, an installed signal, a .py file", text=True)
    signal_params: tuple[str, ...] = chosen((), "NAME=VALUE pairs", "4 panel", "parameters of that signal", text=True)
    signal_interval: int = chosen(0, "min", "4 panel", "bars that signal is shown; 0: as it says", high="1440", hours=30)
    signal_time_limit: Decimal = ours("5", "s", "4 panel time", "that signal answers within", low="0.1", high="60")
    score_hold_min: int = ours(60, "s", "4 panel hold", "a score is held at least", low="1", high="86400", hours=28800)
    score_hold_max: int = ours(86400, "s", "4 panel hold", "a score is held at most", low="1", high="86400")

    # 5 gates
    consensus_horizons: tuple[int, ...] = chosen((5, 15, 60, 240, 1440), "min", "5.4 horizons", "horizons of the slopes")
    consensus_t: Decimal = chosen("1", "t", "5.4 consensus", "a slope counts beyond |t|")
    slope_share: Decimal = chosen("0.8", "share", "5.4 consensus", "minutes a slope needs", low="0.5", high="1")
    vol_log_sd: Decimal = ours("0.6", "log", "5 volatility", "sd of the log variance of the hold around its forecast", high="2")
    taker_fee: Decimal = chosen("0.00055", "fraction", "5 fees", "taker fee until the venue says", high="0.1")
    maker_fee: Decimal = chosen("0.00020", "fraction", "5 fees", "maker fee until the venue says", low="-0.01", high="0.1")

    # 6 exits
    tp_sigmas: Decimal = chosen("1.5", "sigma sqrt(h)", "6 A", "TP before its range")
    tp_min: Decimal = asked("0.006", "fraction", "6 A", "TP from", low="0.0001", high="0.5", hours="0.04")
    tp_max: Decimal = asked("0.015", "fraction", "6 A", "TP to", low="0.0001", high="0.5", hours="0.15")
    sl_day_sigmas: Decimal = ours("0", "day's sigma", "6 hours", "SL at least this many, within SL_MAX", high="10", hours="1")
    sl_of_tp: Decimal = asked("0.5", "ratio", "6 A", "SL of TP before its range", low="0.01", high="10")
    sl_min: Decimal = asked("0.003", "fraction", "6 A", "SL from", low="0.0001", high="0.5", hours="0.02")
    sl_max: Decimal = asked("0.006", "fraction", "6 A", "SL to", low="0.0001", high="0.5", hours="0.10")
    b_tp_factor: Decimal = asked("0.7", "ratio", "6 B", "B: TP of the normal one", low="0.01", high="10")
    b_tp_min: Decimal = asked("0.004", "fraction", "6 B", "B: TP from", low="0.0001", high="0.5")
    b_tp_max: Decimal = asked("0.008", "fraction", "6 B", "B: TP to", low="0.0001", high="0.5")
    b_sl_factor: Decimal = asked("0.8", "ratio", "6 B", "B: SL of the normal one", low="0.01", high="10")
    b_sl_min: Decimal = asked("0.0025", "fraction", "6 B", "B: SL from", low="0.0001", high="0.5")
    b_sl_max: Decimal = asked("0.005", "fraction", "6 B", "B: SL to", low="0.0001", high="0.5")
    break_even_min: Decimal = asked("0.0010", "fraction", "6 zones", "break-even stop beyond entry by at least", high="0.5")
    break_even_cost: bool = ours(True, "switch", "6 break-even", "and by the cost; false: by exactly BREAK_EVEN_MIN")
    break_even_extra: Decimal = ours("0.0003", "fraction", "6 break-even", "and this beyond either", high="0.5", weighed="0")
    backstop_extra: Decimal = ours("0.5", "of the TP distance", "6 backstop", "backstop beyond the target", low="0.01", high="10")
    zone_one: Decimal = asked("0.5", "progress", "6 zones", "zone 1 from", low="0.01", high="10")
    zone_two: Decimal = asked("1.0", "progress", "6 zones", "zone 2 from", low="0.01", high="10")
    lock_share: Decimal = asked("0.5", "share", "6 zones", "stop locks of the distance reached", low="0.01", high="0.99")
    extension: Decimal = asked("0.5", "of the TP distance", "6 zones", "target moves out by", low="0.01", high="10")
    max_extensions: int = chosen(3, "times", "6 zones", "target moves out at most", high="100")
    extension_share: Decimal = ours("0.5", "share", "6 extension share", "targets the EV assumes extended", high="1")
    tp_without_confirmation: Unconfirmed = chosen(
        Unconfirmed.HOLD, "answer", "6 target", "at the target, unconfirmed", weighed=Unconfirmed.CLOSE
    )
    mark_beyond: Decimal = ours("0.001", "fraction", "6 mark", "close when the mark is beyond the stop by", high="1")
    mark_beyond_for: Decimal = ours("1", "s", "6 mark", "and stays there for", high="3600")
    hold_factor: Decimal = chosen("2", "T", "6 time", "time limit after zone 1", low="1", high="100", hours="1")
    monitor_interval: Decimal = chosen("1", "s", "6 time", "zones and times are checked at least each", low="0.1", high="60")

    # 7 size
    a_margin_low: Decimal = asked("0.30", "of B", "7 margin target", "margin target, A, from", low="0.01", high="1")
    a_margin_high: Decimal = asked("0.50", "of B", "7 margin target", "margin target, A, to", low="0.01", high="1")
    b_margin_low: Decimal = asked("0.10", "of B", "7 margin target", "margin target, B, from", low="0.01", high="1")
    b_margin_high: Decimal = asked("0.15", "of B", "7 margin target", "margin target, B, to", low="0.01", high="1")
    small_below: Decimal = chosen("20", "USDT", "7 margin cap", "first step of the margin cap: E below")
    medium_below: Decimal = chosen("50", "USDT", "7 margin cap", "second step of the margin cap: E below")
    small_margin_cap: Decimal = chosen("0.40", "of B", "7 margin cap", "margin cap per trade, first step", low="0.01", high="1")
    medium_margin_cap: Decimal = chosen("0.50", "of B", "7 margin cap", "margin cap per trade, second step", low="0.01", high="1")
    large_margin_cap: Decimal = chosen("0.60", "of B", "7 margin cap", "margin cap per trade above", low="0.01", high="1")
    a_risk: Decimal = asked("0.10", "of E", "7 loss at stop", "loss at SL, A, up to", low="0.0001", high="1")
    b_risk: Decimal = asked("0.05", "of E", "7 loss at stop", "loss at SL, B, up to", low="0.0001", high="1")
    same_direction: Decimal = ours("0", "of E", "7 same direction", "same direction, all open, up to; 0: no such limit", high="1")
    min_size_share: Decimal = ours("0.5", "x", "7 least size", "of the low target at highest leverage", high="1", hours="0")
    gross_max: Decimal = ours("0", "of E", "7 hours", "notional of all open, up to; 0: no such limit", high="100", hours="1")
    minimum_order: bool = ours(False, "switch", "7 hours", "the smallest order where the target is below it", hours=True)
    worst_excursion: Decimal = ours("0", "fraction", "7 hours", "liquidation lies beyond; 0: no such limit", high="2", hours="0.91")
    range_quantile: Decimal = ours("0.999", "probability", "7 same direction", "quantile of one-minute ranges", pinned=True)
    total_margin: Decimal = chosen("0.90", "of B", "7 total margin", "total margin up to", low="0.01", high="1")
    max_leverage: Decimal = asked("50", "x", "7 leverage", "leverage up to", low="1", high="125")
    leverage_policy: LeveragePolicy = chosen(LeveragePolicy.LOWEST, "answer", "7 leverage policy", "that fills the target")
    liquidation_multiple: Decimal = ours("2", "x", "7 leverage", "liquidation lies beyond SL + slippage times", low="1", high="100")
    losses_to_halve: int = asked(3, "losses", "7 losses", "size is reduced after consecutive losses", low="1", high="1000")
    losses_factor: Decimal = asked("0.5", "x", "7 losses", "to this part until a win", low="0.01", high="1")
    portfolio_from: Decimal = asked("20", "USDT", "7 portfolio", "minimum-variance weights: E from")
    weight_cap: Decimal = chosen("0.30", "weight", "7 portfolio", "one symbol's weight up to", low="0.01", high="1")
    weights_window: int = chosen(480, "minutes", "7 portfolio", "returns behind the weights", low="2", high="1440")
    weights_refresh: int = chosen(900, "s", "7 portfolio", "weights are refreshed each", low="1", high="86400")

    # 7a how much evidence allows
    size: TradeSize = ours(TradeSize.FULL, "answer", "7a size", "size of trades")
    evidence_prior_shift: Decimal = ours(
        "0", "fraction", "7a evidence", "prior mean is -c and this, 0 at most: by `qualify`", low="-0.05", high="0.05"
    )
    evidence_prior_sd: Decimal = ours("0.0015", "fraction", "7a evidence", "beforehand: mean -c, sd", low="0.0001", high="0.1")
    evidence_trade_sd: Decimal = ours("0.0037", "fraction", "7a evidence", "sd of a net return at least", low="0.0001", high="0.1")
    evidence_half_life_days: Decimal = ours("30", "days", "7a evidence", "a trade's weight halves every", low="1", high="10000")
    scout_max_notional: Decimal = ours("10", "USDT", "7a scout", "a scout's order up to", high="1e6")
    scout_max_share: Decimal = ours("0.5", "of E", "7a scout", "or up to", high="10")
    scout_day_budget: Decimal = ours("0.02", "of E at 00:00", "7a budget", "scouts lose in a day up to", low="0.0001", high="1")
    scout_budget: Decimal = ours("0.10", "of first E", "7a budget", "scouts lose up to, until `explore`", low="0.0001", high="1")
    earned_chance: Decimal = ours("0.95", "probability", "7a earned", "earned: P(it earns) from", low="0.5", high="0.9999")
    earned_luck: Decimal = ours("0.10", "probability", "7a earned", "earned: by luck, ever, up to", low="0.0001", high="1")
    earned_fills: int = ours(30, "fills", "7a earned", "earned: real fills from", low="1", high="100000")
    earned_days: int = ours(2, "UTC days", "7a earned", "earned: days with fills from", low="1", high="365")
    earned_max_lag: Decimal = ours("2", "se", "7a earned", "earned: fills below shadows up to", high="100")
    earned_kelly: Decimal = ours("0.25", "ratio", "7a earned size", "notional of E (mean - 1 sd) / variance", low="0.01", high="1")
    earned_growth: Decimal = ours("2", "times", "7a earned size", "it grows in a UTC day up to", low="1", high="100")
    earned_loss: Decimal = ours("0.05", "of E", "7a earned loss", "scouts again after a loss of", low="0.001", high="1")
    shadow_chance: Decimal = ours("0.04", "probability", "7a shadow", "watching only: P(it earns) below", high="0.5")
    scout_chance: Decimal = ours("0.05", "probability", "7a shadow", "scouts again: P(it earns) from", high="0.5")
    shadow_gap: Decimal = ours("0.0002", "fraction", "7a gap", "shadows count less by, at first", high="0.1")
    shadow_pairs: int = ours(30, "pairs", "7a gap", "with fills, to say by how much", low="1", high="100000")

    # 8 orders and limits
    entry_style: EntryStyle = chosen(EntryStyle.TAKER, "style", "8 maker", "entries")
    entry_slip_max: Decimal = ours("0.0002", "fraction", "8 entry", "limit beyond touch, at most", high="0.1", weighed="0.0005")
    entry_slip_of_ev: Decimal = ours("0.5", "of EV margin", "8 entry", "unless BELIEF=asked, and by at most", high="1")
    entry_recv_window: int = ours(1000, "ms", "8 entry", "receive window of entries", low="100", high="60000")
    maker_patience: int = chosen(10, "s", "8 maker", "a post-only entry is given up after", low="1", high="3600")
    lookup_extra: int = ours(10, "s", "8 lookup", "an unknown entry is looked up beyond its window for", low="1", high="3600")
    session_loss: Decimal = asked("0.20", "of session-start E", "8 session", "result that flattens, halts", low="0.001", high="1")
    drawdown_pause: Decimal = asked("0.15", "of the session peak", "8 session", "drawdown that pauses", low="0.001", high="1")
    pause_time: int = asked(1800, "s", "8 session", "a pause lasts", low="1", high="86400")
    pauses_to_halt: int = ours(0, "pauses", "8 pauses to halt", "the nth pause halts; 0: none does", high="100")
    warn_share: Decimal = chosen("0.80", "share", "8 warning", "warning at this share of a limit", low="0.01", high="1")
    warn_hysteresis: Decimal = ours("0.20", "share", "8 warn again", "a warning is over this far below", high="1")
    warn_again: int = ours(3600, "s", "8 warn again", "the same warning again at the soonest after", high="86400")
    flatten_time: int = chosen(2, "s", "8 flatten", "flat within, or reported as unconfirmed", low="1", high="60")
    guard_close_after: int = ours(900, "s", "8 guard", "guard closes all without a daemon; 0 = never", high="604800")
    on_term: OnTerm = ours(OnTerm.LEAVE, "answer", "8 SIGTERM", "positions at SIGTERM")
    watchdog_trades: int = ours(30, "trades", "8 watchdog", "watchdog from", low="2", high="100000")
    watchdog_probability: Decimal = ours("0.05", "probability", "8 watchdog", "watchdog trips below", high="1")

    # 9 calibration
    calibration_min_samples: int = ours(200, "outcomes", "9 calibration", "a map needs, of the symbol or else of all", low="20")
    calibration_group: int = ours(100, "outcomes", "9 calibration", "behind each point of a map at least", low="10")
    calibration_window: int = ours(2000, "outcomes", "9 calibration", "of a symbol that maps look back on", low="20", high="100000")
    calibration_refit: int = ours(14400, "s", "9 calibration", "maps are fitted again each", low="1", high="604800")
    calibration_hole: int = ours(60, "s", "9 calibration", "longest time without a price in an outcome", low="1", high="600")
    # fmt: on

    @model_validator(mode="before")
    @classmethod
    def _by_mode(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        usual = (("belief", Belief.ASKED), ("horizon", Horizon.MINUTES))
        belief, horizon = (str(given.get(name, default)).strip().lower() for name, default in usual)
        return {**by_mode(cls, belief, horizon), **given}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for text in self.target_assets:
            perpetual_symbol(text, "TARGET_ASSETS")
        clashes.refuse(self)
        return self

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Policy:
        """The defaults with what `env` overrides. InputError names the variable, its value and what is expected."""
        return cls.read(env)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe as the venue's symbols, old names replaced, each once."""
        return tuple(dict.fromkeys(perpetual(name) for name in self.target_assets))

    @property
    def scored(self) -> bool:
        """Do entries come from a panel signal instead of the five signals?"""
        return self.signal != RULES

    @property
    def configured(self) -> dict[str, str]:
        """Of each of `symbols`, the symbol as TARGET_ASSETS has it: an old name where the venue calls it otherwise today."""
        return {perpetual(name): f"{name.upper().removesuffix('USDT')}USDT" for name in self.target_assets}

    @property
    def round_trip_fee(self) -> Decimal:
        """Entry and exit fee as a fraction of notional, at the default rates and the entry style in force."""
        return self.taker_fee + (self.maker_fee if self.entry_style is EntryStyle.MAKER else self.taker_fee)

    def break_even(self, cost: Decimal) -> Decimal:
        """How far beyond the entry zone 1 moves the stop at this round-trip cost; both fractions."""
        pays = max(self.break_even_min, cost) if self.break_even_cost else self.break_even_min
        return pays + self.break_even_extra

    def capital_tier(self, equity: Decimal, held: CapitalTier | None = None) -> CapitalTier:
        """The column of the capital table that holds at this equity (USDT), where `held` was in force before."""
        return tier_of(self, equity, held)

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

    def under(self, name: str, belief: int) -> Any:
        """A number as it stands under a belief (signals.figures.BELIEFS): in force, or the default of the other one."""
        if (belief == ASKED) == (self.belief is Belief.ASKED):
            return getattr(self, name)
        return default_of(type(self).model_fields[name], BELIEFS[belief], self.horizon)

    def overridden(self) -> dict[str, str]:
        """The numbers that are not the defaults, as text, by environment variable: `from_env` makes the same policy of them."""
        return {row.name: shown(row.value) for row in self.table() if row.overridden}

    def table(self) -> list[NumberRow]:
        """Every number in force with its default, unit, section and whether it was overridden."""
        return number_rows(self)

"""Where the numbers of the rules come from: lines of the trading rules, and the reason where the user's texts give none.

A number names its line by section and row, such as "7 margin cap". Asked numbers need no reason; the reasons of the others stand
here, once for all numbers of a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Source(NamedTuple):
    """A line of the trading rules."""

    text: str  # the line itself, shortened
    why: str = ""  # the reason for its numbers that are not asked for


SOURCES: Final[Mapping[str, Source]] = {
    "1 symbols": Source(
        "BTC ETH SOL XRP BNB AVAX ADA LINK DOGE LTC MATIC, and ARB OP RENDER INJ: 15",
        "the user asks for 15 symbols and names 11; the other four are the predecessor's",
    ),
    "1 notional": Source("order notional >= 5 USDT (entries)", "the venue's own minimum"),
    "2 tiers": Source("turbo below 100 USDT with MICRO_TURBO_MODE, growing below 1000, institutional above"),
    "2 interval": Source("scan interval 30 s (MICRO_TURBO_SIGNAL_INTERVAL), 60 s, 300 s"),
    "2 SNR": Source("SNR > / confidence > 1.0 / 0.50, 1.5 / 0.65, 1.5 / 0.65"),
    "2 B": Source("B-trades: allowed, no, no"),
    "2 consensus": Source("low consensus: warn and proceed (up to and with 100), block, block"),
    "2 flat": Source("flat market: warn and proceed, block, block"),
    "2 fees": Source("fee protection multiplier 1.0, 2.5, 2.5"),
    "2 EV": Source(
        "minimum net EV 0 when E <= 25, else the tier's value: 0.05 % below 25, 0.08 % below 100, 0.07 % below 1000, 0.06 %",
        "the user asks for a minimum and gives none above 25 USDT; these leave room for the error of the estimate",
    ),
    "2 hysteresis": Source(
        "an account keeps its tier until it is 5 % below the boundary (TIER_HYSTERESIS)",
        "around a boundary the tier flipped every few minutes; 0 does so again",
    ),
    "2 positions": Source(
        "open positions at most 3, 5, 5", "the user names 3 for turbo; larger accounts carry a few more"
    ),
    "2 horizon": Source(
        "h / T 900 / 1800, 1800 / 2700, 1800 / 2700 s",
        "within the 10 to 45 minutes that the user states for a trade",
    ),
    "2 hours": Source(
        "no line: a second set of numbers for hours instead of minutes, off by default",
        "panics come back over hours, not minutes",
    ),
    "6 hours": Source(
        "no line: the stop of a trade of hours", "a stop within a usual day's move is hit by chance"
    ),
    "7 hours": Source(
        "no line: how much in a trade of hours",
        "the worst day of 2024-25 was -85 % and +90 % on our perpetuals (docs/edge.md); a stop may not be reached in such a day",
    ),
    "3 volatility": Source(
        "sigma: moving average of one-minute log returns, half-life 30 min",
        "the user names no window; half an hour is as long as a trade of the turbo tier lasts",
    ),
    "3 slow": Source(
        "no line: volatility of the hold, weighted with that of its day",
        "forecasts the variance of the hold better and without bias on real bars (docs/signals.md)",
    ),
    "3 Kalman": Source(
        "Kalman: noise by maximum likelihood; a velocity only where jerk is significant (5 %); damped acceleration",
        "the user names Kalman and no parameter; the usual level of a test, and a minute for an acceleration to die down",
    ),
    "3 warm-up": Source(
        "warm-up from klines; only the one-second grid has to fill (5 min)",
        "the user gives no warm-up; the shortest that leaves the estimates usable",
    ),
    "3 OU": Source(
        "OU: AR(1) by maximum likelihood; valid if a unit root is rejected and the half-life lies in 2 to 60 min",
        "the user names OU and no parameter; this window predicts honestly up to half-lives of 30 min (docs/signals.md)",
    ),
    "3 belief": Source(
        "BELIEF=asked|weighed|measured, asked in every mode",
        "whether to trade is the user's rule; averaged or calibrated figures let almost nothing pass (docs/signals.md)",
    ),
    "3 OU fit": Source(
        "asked: OU window 240 closes, Dickey-Fuller 10 %; else 960, 5 %",
        "the user gives no parameter; asked: the funnel of those texts, else: honest up to half-lives of 30 min (docs/signals.md)",
    ),
    "4 OU_DRIFT": Source(
        "OU_DRIFT confirms d when the fit is valid and d*z is beyond 0.5 sd (else than asked 1 sd)",
        "the user gives no threshold; at 1 sd there are less than half as many A and B trades (docs/signals.md)",
    ),
    "3 ACCEL": Source(
        "asked: ACCEL from a second Kalman filter on one-minute closes, jerk by likelihood",
        "an hour, so that it is the acceleration of now; how often it confirms is in docs/signals.md",
    ),
    "4 VWAP band": Source(
        "VWAP confirms beyond 0.10 %; else than asked beyond max(0.10 %, 1 band sd)",
        "the user gives only 0.10 %. At 0 many confirming gaps are the day's ordinary noise; at 1 few are, and fewer trades are A",
    ),
    "4 OFI": Source(
        "order-flow imbalance over levels 1-10, last 30 s; confirms d beyond 0.15",
        "the user gives the threshold alone; Cont, Kukanov and Stoikov's measure over the levels the venue's book shows",
    ),
    "4 VWAP": Source(
        "VWAP since 00:00 UTC, valid after 30 min; confirms at >= 0.10 % on the cheap side",
        "the user gives 0.10 % alone; below one band's width a gap is noise",
    ),
    "4 scores": Source(
        "scores -clip(z/2), clip(a/2)",
        "the user names no scale; two standard deviations are a full score",
    ),
    "4 ACCEL": Source(
        "ACCEL confirms d when d*a > 1",
        "the user gives two readings and no threshold; one standard deviation serves both",
    ),
    "4 FUNDING": Source(
        "FUNDING: f8 > +0.05 % confirms short, < -0.05 % long; score clipped at 0.10 %",
        "the user gives no threshold; five times the venue's usual 0.01 % is crowded",
    ),
    "4 stale": Source(
        "never count a signal whose data is stale (> 5 s for book, > 2 intervals for funding)",
        "old data confirms nothing",
    ),
    "4 tiers": Source(
        "A = OFI and OU_DRIFT and at least one of VWAP, ACCEL, FUNDING; B = OFI and OU_DRIFT alone"
    ),
    "4 panel": Source(
        "no line: signals as plug-ins; a score is a candidate with direction, expected return and horizon, past the same gates",
        "the user asks for five signals, and for signals that anyone can add",
    ),
    "4 panel time": Source(
        "no line: a plug-in that is slow or fails gives no score", "entries can wait, exits cannot"
    ),
    "4 panel hold": Source(
        "no line: T of a score is its horizon",
        "a minute is the shortest bar, a day the longest hold tried in docs/edge.md",
    ),
    "5.1 data": Source(
        "warmed up, fresh, spread < 10 bp, clock offset < 1 s, |mark/last - 1| <= 0.1 %",
        "data that contradicts itself decides nothing",
    ),
    "5.1 pauses": Source(
        "no entry for 5 min after a violent move, 10 s around funding, before maintenance, with an expiring key",
        "the user names no such pause; in these minutes prices jump, books are empty, or the way out may be shut",
    ),
    "5.4 horizons": Source(
        "share of {5, 15, 60, 240, 1440 min} slopes with sign d",
        'the user\'s "2/5 = 40 %" gives five horizons and not which; from one scan to one day, each 3 to 6 times the last',
    ),
    "5.4 consensus": Source(
        "a slope counts at |t| > 1; low below 60 %",
        'the user\'s "2/5 = 40 %" is low, so three of five are not; a slope within its error has no sign',
    ),
    "5.5 flat": Source("flat: forecast edge >= 0.10 %"),
    "5.8 cool-down": Source(
        "cool-down: h after a stop-out, same symbol and direction",
        "the forecast that was just refuted is not traded again while it lasts",
    ),
    "5 volatility": Source(
        "no line: volatility of the hold, as uncertain as it is",
        "measured on real bars (docs/signals.md); a known volatility would overstate the probability of far targets",
    ),
    "5 fees": Source(
        "fee rates from the venue (defaults taker 0.055 %, maker 0.020 %)",
        "the venue's rates of its first level",
    ),
    "6 A": Source(
        "TP = clamp(1.5 sigma sqrt(h), 0.6 %, 1.5 %); SL = clamp(TP/2, 0.3 %, 0.6 %)",
        "the user gives the ranges; a target of 1.5 sigma of the horizon moves inside them with the market",
    ),
    "6 B": Source("B: 0.7 x TP clamped to 0.4-0.8 %, 0.8 x SL clamped to 0.25-0.5 %"),
    "6 backstop": Source(
        "TP backstop on the venue at target + half the original TP distance",
        "the venue takes the profit when the daemon is down, and stays clear of an extension",
    ),
    "6 zones": Source(
        "f >= 0.5: SL to break-even + max(0.10 %, c); f >= 1.0: SL locks 50 %, the target moves out by 50 %, 3 times at most",
        "the user gives no end to extensions; after three the move is 2.5 times the target",
    ),
    "6 break-even": Source(
        "zone 1 at max(0.10 %, c), + 3 bp under asked",
        "0.10 % alone is below the 0.11 % of two taker fees: BREAK_EVEN_COST=false loses 1 bp and the spread at each such stop;"
        " without the 3 bp 18 % of trades stop at -5 to 0 bp and count as lost",
    ),
    "6 extension share": Source(
        "no line: what the EV assumes of confirmed extensions",
        "whether signals still confirm at the target is not known before; a half favours neither answer",
    ),
    "6 target": Source(
        "else hold behind the lock or close (TP_WITHOUT_CONFIRMATION)",
        "the user's texts say both; each is measured",
    ),
    "6 mark": Source(
        "the mark 0.1 % beyond the stop for 1 s: close",
        "triggers are on last price; where the mark has passed the stop it must not wait for a print",
    ),
    "6 time": Source(
        "T reached before zone 1: close; after zone 1: close at 2T; checked at least each second",
        "the user states durations; a trade that is paying gets twice the time",
    ),
    "7 margin target": Source("margin target, share of B: A 30-50 %, B 10-15 %"),
    "7 margin cap": Source(
        "margin cap per trade 40 % (E < 20), 50 % (E < 50), 60 % above",
        "within the user's 40-60 %, smallest for the smallest",
    ),
    "7 loss at stop": Source("loss at SL incl. c and slippage <= 10 % of E (A), 5 % (B)"),
    "7 same direction": Source(
        "same direction, all open + this: sum of notional x (SL + c + 99.9 % one-minute range) <= 30 % of E; off",
        "crypto falls together, but at 0.30 it bound 90 of 215 entries and left crumbs; the session budget bounds the loss",
    ),
    "7 total margin": Source(
        "total margin incl. this <= 90 % of B", "the rest pays for fees and for moves against open positions"
    ),
    "7 leverage": Source(
        "leverage <= 50x, and SL + slippage <= half the distance to liquidation",
        "at 50x liquidation is 1.0-1.5 % away, not 2 %; a stop must come first even when it slips",
    ),
    "7 least size": Source(
        "least size: half of the notional of the low margin target at the highest allowed leverage (MIN_SIZE_SHARE)",
        "a crumb would hold one of three slots; 0 lets it",
    ),
    "7 leverage policy": Source(
        "leverage: the lowest that keeps margin within target, or the highest allowed (LEVERAGE_POLICY)",
        "at the same size the highest ties up less margin and costs nothing more, but liquidation is nearer when a stop slips",
    ),
    "7 losses": Source("after 3 consecutive losses x 0.5 until a win"),
    "7 portfolio": Source(
        "E < 20 equal; else minimum variance, cap max(0.30, 1/N), refreshed every 15 min",
        "the user asks for the switch; the window and the cap keep estimated weights from piling into one symbol",
    ),
    "7a size": Source(
        "SIZE=full|earned, full by default in paper, testnet, demo, backtest; live has no default",
        "the user's percentages lose an account within days where the rules earn nothing; the user decides",
    ),
    "7a evidence": Source(
        "normal posterior per signal tier, prior mean -c, sd 15 bp, clustered by hour, half-life 30 days; variance >= (37 bp)^2",
        "rules that nobody has tested earn about their cost less than nothing; trades of an hour go together",
    ),
    "7a scout": Source(
        "scout: the smallest order, on symbols where that is <= max(10 USDT, E/2)",
        "real fills tell what shadows cannot, and the smallest tell it for the least",
    ),
    "7a budget": Source(
        "scouts lose at most 2 % of E at 00:00 UTC a day and 10 % of E at the first scout",
        "the price of knowing has an end that `resume` does not move",
    ),
    "7a earned": Source(
        "earned: P(mean net return > 0) >= 95 %, 30 real fills on 2 UTC days, real no worse than shadow by 2 standard errors",
        "looked at every hour 95 % alone is passed by luck in a quarter of weeks; EARNED_LUCK holds however often one looks",
    ),
    "7a earned size": Source(
        "total open notional <= E x 1/4 x (mean - 1 sd) / variance, at most doubled per UTC day",
        "a quarter of Kelly's share at a lower bound; doubling leaves time to be wrong",
    ),
    "7a earned loss": Source(
        "a loss of 5 % of E at earned size: scout, and 30 new real fills",
        "markets change; evidence is of the past",
    ),
    "7a shadow": Source(
        "shadow: P < 2 % (back to scout at >= 5 %)",
        "what surely loses is watched, and may come back; at 4 % a net of -13 bp is mostly found out within 48 h",
    ),
    "7a gap": Source(
        "shadows are reduced by the mean gap to real fills, 2 bp until there are 30 pairs",
        "a fill that nobody made is better than one that was",
    ),
    "8 entry": Source(
        "entry: IOC limit at the touch +- 2 bp (else than asked: min(5 bp, half the EV margin)), recv_window 1 s",
        "an entry that comes late or fills far away is not the trade that was decided",
    ),
    "8 maker": Source(
        "ENTRY_STYLE=maker: post-only at the touch, given up after 10 s",
        "the user names no order type; taker fills at once, maker saves 0.035 % and may not fill",
    ),
    "8 lookup": Source(
        "unknown outcome: look the id up until recv_window + 10 s",
        "after that the venue accepts the request no more, and its lists have caught up",
    ),
    "8 session": Source(
        "result -20 % of session-start E: flatten and halt; drawdown -15 %: no entries for 30 min"
    ),
    "8 pauses to halt": Source(
        "drawdown pause: each time (PAUSES_TO_HALT)",
        "the user asks for a pause of 30 min and for no halt after it: at 3, 10 of 12 accounts halted, 6 of them winning",
    ),
    "8 warn again": Source(
        "no line: a warning is over 20 points below its level and comes again after an hour at the soonest",
        "around the level it came 722 times in 48 hours",
    ),
    "8 warning": Source("80 % of any limit: warning", "early enough to act by hand"),
    "8 flatten": Source(
        "flat within 2 s on a healthy venue; unreachable: UNCONFIRMED",
        "the user asks for an emergency stop and gives no time",
    ),
    "8 guard": Source(
        "GUARD_CLOSE_AFTER (seconds without a daemon; default 900; 0: never); after a deliberate leave the guard only protects",
        "a quarter of an hour outlasts a restart or an upgrade; an unattended position is not held for long",
    ),
    "8 SIGTERM": Source(
        "SIGTERM leaves positions to their venue stops and the guard (ON_TERM)",
        "a restart for an upgrade should not cost a round trip of fees",
    ),
    "8 watchdog": Source(
        "edge watchdog: from 30 trades on, when P(mean net return > 0) < 5 %, entries stop",
        "the fewest trades that say anything, and the usual level",
    ),
    "9 calibration": Source(
        "calibration: every forecast is recorded with its outcome; maps from past outcomes only",
        "the model's own numbers are claims to be checked; enough outcomes for a map, and not older than the market",
    ),
}

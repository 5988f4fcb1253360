"""Every figure of the synthetic market, fitted to recorded markets: docs/synthetic-market.md has both side by side."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """One symbol. Volatilities: standard deviation of one-minute log returns. Turnover: mean USD a minute."""

    price: float  # USDT, at the beginning of the history
    beta: float  # to the common factor, which is BTC's path
    own: float  # volatility beside the factor
    turnover: float
    trades: float  # prints a minute
    size_spread: float = 2.4  # standard deviation of the log of a print's size


FACTOR = 5.3e-4

SYMBOLS = {
    "BTCUSDT": Figures(106_500.0, 1.0, 0.0, 793_000.0, 77.0),
    "ETHUSDT": Figures(2_520.0, 1.50, 6.9e-4, 680_000.0, 77.0),
    "SOLUSDT": Figures(162.0, 1.54, 6.8e-4, 152_000.0, 60.0),
    "XRPUSDT": Figures(2.25, 1.30, 6.8e-4, 65_000.0, 60.0),
    "BNBUSDT": Figures(668.0, 0.70, 4.4e-4, 18_000.0, 40.0),
    "AVAXUSDT": Figures(21.4, 1.78, 8.4e-4, 12_000.0, 40.0),
    "ADAUSDT": Figures(0.672, 1.65, 7.8e-4, 19_000.0, 40.0),
    "LINKUSDT": Figures(14.34, 1.74, 7.8e-4, 13_000.0, 40.0),
    "DOGEUSDT": Figures(0.223, 1.55, 8.0e-4, 25_000.0, 60.0),
    "LTCUSDT": Figures(89.8, 1.40, 8.0e-4, 11_600.0, 40.0),
    "POLUSDT": Figures(0.236, 1.60, 9.0e-4, 6_000.0, 40.0),
    "ARBUSDT": Figures(0.402, 1.70, 9.5e-4, 6_000.0, 40.0),
    "OPUSDT": Figures(0.751, 1.75, 9.5e-4, 6_000.0, 40.0),
    "RENDERUSDT": Figures(4.72, 1.70, 1.1e-3, 6_000.0, 40.0),
    "INJUSDT": Figures(13.5, 1.70, 1.0e-3, 6_000.0, 40.0),
}
#: Any other symbol: as the small ones, at 20,000 ticks.
OTHER = Figures(0.0, 1.60, 9.5e-4, 6_000.0, 40.0)
OTHER_TICKS = 20_000

#: Log volatility: three AR(1) processes (variance, half-life in minutes) and a part that is new each minute.
VOLATILITY = ((0.08, 2_880.0), (0.14, 240.0), (0.11, 12.0))
MINUTE_VARIANCE = 0.09
SHARED = 0.8  # correlation of a symbol's log volatility with the factor's
TRADING_POWER = 0.8  # turnover grows with volatility to this power, half by number and half by size of prints
USUAL_ACTIVITY = 0.91  # mean of the activity before it is taken to 1

#: Funding rate per 8 hours: mean, standard deviation, half-life in minutes.
FUNDING = (1.0e-4, 2.2e-4, 480.0)

#: The edge, per unit of `edge`: deviations from the path that revert in phases while order flow leans the same way.
DEVIATION = 0.006  # standard deviation, about
DEVIATION_NOISE = (
    0.58  # of it, per square root of a minute, outside phases: what holds the standard deviation
)
LEADER_SHARE = 0.1  # of it in BTC, which stands for the market
PHASE_HALF_LIFE = 1.5  # minutes, of the deviation within a phase
PHASE_LENGTH = 2.5  # minutes, mean
PHASE_WAIT = 3.0  # minutes, mean wait for a phase at a deviation of one standard deviation
LEAST_FRAMES = 0.4  # of slots that send a frame, at usual volatility
PHASE_CALM = 0.4  # noise of the deviation within a phase against outside
LEAN = 0.3  # within a phase, prints and sizes lean to the side of the reversion by this probability

"""The five signals of the rules on bars: the user's A- and B-trades without gates, exits and sizes.

OU_DRIFT and its Dickey-Fuller test are the compiled ones of the daemon, and the thresholds those of the policy. Bars know neither
who was the taker nor the book: OFI is read from where each close lies in its bar, weighted by volume, and ACCEL from the second
difference of moves over `window` bars in units of its own spread. Both are weaker than the daemon's; docs/signals.md has those.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.panel import Floats, Panel, Scores
from turbo_trader.lab.signals.reversion import reversion
from turbo_trader.market.state import MINUTES
from turbo_trader.rules.policy import Policy

DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class FiveSignals:
    """The way of the Ornstein-Uhlenbeck reversion where OFI confirms it: tier B; with VWAP, ACCEL or FUNDING tier A.

    `only` names one of the five: its way alone, wherever it would confirm. Of those OU_DRIFT alone expects a return.
    """

    tiers: str = "AB"
    only: str = ""
    horizon_minutes: float = 15.0
    window: int = 240  # closes behind the fit
    flow_bars: int = 5
    every: int = 1

    lookback: ClassVar[timedelta] = timedelta(days=1)  # behind VWAP; the fit takes `window` closes of it

    def __post_init__(self) -> None:
        if self.tiers not in ("A", "B", "AB"):
            raise ValueError("tiers must be A, B or AB")
        if self.only and self.only not in _LEAST:
            raise ValueError(f"only must be one of {', '.join(_LEAST)}")
        if not 30 <= self.window < MINUTES or self.every < 1:
            raise ValueError(f"window must be 30 or more, below {MINUTES}; every must be 1 or more")

    def score(self, panel: Panel) -> Scores:
        """Trades of the tiers asked for, or of one signal."""
        log = np.log(panel.close[-self.window - 1 :])
        if len(log) <= self.window:
            raise ValueError(f"window {self.window} needs more than a day of such bars")
        direction, expected = self._alone(panel, log) if self.only else self._tiers(panel, log)
        believed = np.where(direction != 0.0, expected, 0.0)
        return Scores(direction, believed, self.horizon_minutes * 60e9)

    def _tiers(self, panel: Panel, log: Floats) -> tuple[Floats, Floats]:
        z, expected = self._reverting(panel, log)
        way = np.sign(z)
        both = _confirms("OU_DRIFT", z, way) & _confirms("OFI", self._flow(panel), way)
        if not both.any():
            return np.zeros_like(z), expected
        third = _confirms("VWAP", self._cheap(panel), way) | _confirms("FUNDING", -panel.funding[-1], way)
        third |= _confirms("ACCEL", self._acceleration(log), way)
        kind = third if self.tiers == "A" else ~third if self.tiers == "B" else True
        return np.where(both & kind, way, 0.0), expected

    def _alone(self, panel: Panel, log: Floats) -> tuple[Floats, Floats]:
        expected = np.zeros(log.shape[1])
        match self.only:
            case "OU_DRIFT":
                reading, expected = self._reverting(panel, log)
            case "OFI":
                reading = self._flow(panel)
            case "VWAP":
                reading = self._cheap(panel)
            case "ACCEL":
                reading = self._acceleration(log)
            case _:
                reading = -panel.funding[-1]
        way = np.sign(np.nan_to_num(reading))
        return np.where(_confirms(self.only, reading, way), way, 0.0), expected

    def _reverting(self, panel: Panel, log: Floats) -> tuple[Floats, Floats]:
        """(distance below the centre in stationary sd, size of the expected return); 0 where no fit is valid."""
        bar_minutes = panel.interval_ns / 60e9
        z, expected = reversion(log, self.horizon_minutes / bar_minutes, bar_minutes)
        return -z, np.abs(expected)

    def _flow(self, panel: Panel) -> Floats:
        """Volume of the last bars by where each closed in its range, in [-1, 1]."""
        part = slice(-self.flow_bars, None)
        high, low, close, volume = (x[part] for x in (panel.high, panel.low, panel.close, panel.volume))
        span = high - low
        where = np.divide(2 * close - high - low, span, out=np.zeros_like(span), where=span > 0)
        total = volume.sum(axis=0)
        found: Floats = np.divide(
            (where * volume).sum(axis=0), total, out=np.zeros_like(total), where=total > 0
        )
        return found

    def _cheap(self, panel: Panel) -> Floats:
        """ln(VWAP since 00:00 UTC / price); 0 in the day's first half hour."""
        since = int(np.searchsorted(panel.ts, panel.now_ns // DAY_NS * DAY_NS))
        if len(panel) - since < 30 * 60e9 / panel.interval_ns:
            return np.zeros(len(panel.symbols))
        typical = (panel.high[since:] + panel.low[since:] + panel.close[since:]) / 3
        volume = panel.volume[since:]
        total = volume.sum(axis=0)
        vwap = np.divide(
            (typical * volume).sum(axis=0), total, out=np.full_like(total, np.nan), where=total > 0
        )
        cheap: Floats = np.nan_to_num(np.log(vwap / panel.close[-1]))
        return cheap

    def _acceleration(self, log: Floats) -> Floats:
        """The last change of ten-bar moves in units of such changes."""
        change = log[20:] - 2 * log[10:-10] + log[:-20]
        spread = np.sqrt(np.mean(change * change, axis=0))
        found: Floats = np.divide(change[-1], spread, out=np.zeros_like(spread), where=spread > 0)
        return np.nan_to_num(found)


def _least(policy: Policy) -> dict[str, float]:
    """By signal: the reading from which it confirms."""
    names = {
        "OFI": "ofi_threshold", "VWAP": "vwap_min_gap", "ACCEL": "accel_threshold", "FUNDING": "funding_threshold",
        "OU_DRIFT": "ou_threshold",
    }  # fmt: skip
    return {signal: float(getattr(policy, name)) for signal, name in names.items()}


_LEAST: Final = _least(Policy())


def _confirms(signal: str, reading: Floats, way: Floats) -> NDArray[np.bool_]:
    """Where a reading, + = long, is far enough on the side of `way`; VWAP's threshold itself is far enough."""
    along, least = way * reading, _LEAST[signal]
    return along >= least if signal == "VWAP" else along > least

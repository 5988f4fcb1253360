"""What the outcomes say about the model's numbers: maps for the gates, and the report.

Three claims: the forecast edge |r(h)| against the return in its direction, the confidence against how often the direction was
right, p_tp against how often the target came first. Outcomes of one symbol do not overlap (rules.outcomes); those of several
symbols at one time do, and symbols move together, so errors over all symbols are by hour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.maps import KNOTS, MAP_CONFIDENCE, MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.outcomes import STOP, TARGET, TIMEOUT
from turbo_trader.rules.records import set_map
from turbo_trader.signals.calibration_fits import (
    Map,
    Slope,
    Vector,
    by_group,
    fit_map,
    reliability,
    slope,
    wilson,
)
from turbo_trader.signals.figures import BELIEFS, WEIGHED

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

_HOUR: Final = 3_600 * SECOND
_BINS: Final = 10  # rows of a reliability table, at most
_PER_BIN: Final = 20
_PIECES: Final = 10  # fewer independent outcomes, hours or trades have no error that could be believed

Maps = dict[int, Map]


def claims(rows: Rows, belief: int = WEIGHED) -> dict[int, tuple[Vector, Vector]]:
    """Per map (MAP_...): what a belief (signals.figures.BELIEFS) claimed and the outcomes, where it claimed anything."""
    rows = rows[rows["forecasts"][:, belief] != 0.0]
    forecast = rows["forecasts"][:, belief]
    gain = np.sign(forecast) * rows["realised"]
    return {
        MAP_FORECAST: (np.abs(forecast), gain),
        MAP_CONFIDENCE: (rows["confidences"][:, belief], (gain > 0.0).astype(float)),
        MAP_P_TP: (rows["p_targets"][:, belief], (rows["first"] == TARGET).astype(float)),
    }


def fit_maps(policy: Policy, rows: Rows, now: int) -> Maps | None:
    """The maps from what `weighed` claimed and the outcomes known at `now` (ns), or None where they are too few."""
    known = rows[rows["forecasts"][:, WEIGHED] != 0.0]["known_ts"]
    maps = {}
    for which, (claimed, came) in claims(rows).items():
        found = fit_map(
            claimed, came, known, now,
            knots=KNOTS, min_samples=policy.calibration_min_samples, per_knot=policy.calibration_group,
        )  # fmt: skip
        if found is None:
            return None
        maps[which] = found
    return maps


def put_maps(gate_params: Rows, symbols: Sequence[int], maps: Maps | None) -> None:
    """Give the gates of these symbols these maps, or none."""
    gate_params["knots"][symbols] = 0
    for which, found in (maps or {}).items():
        set_map(gate_params, symbols, which, found.x, found.y)


def report(rows: Rows, symbols: Sequence[str], trades: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Slope, reliability and intervals over all symbols and per symbol; plain values, for `calibration` and the backtest.

    `rows`: outcomes (OUTCOME), `symbol` an index into `symbols`; `trades`: the Trader's notes of closed trades. Symbols without
    either are left out.
    """
    rows = rows[np.argsort(rows["ts"], kind="stable")]
    each = {}
    for s, name in enumerate(symbols):
        mine = rows[rows["symbol"] == s]
        traded = [trade for trade in trades if trade.get("symbol") == name]
        if len(mine) or traded:
            each[name] = figures(mine, traded)
    return {"over_all": figures(rows, trades, by_hour=True), "symbols": each}


def figures(rows: Rows, trades: Sequence[Mapping[str, Any]], *, by_hour: bool = False) -> dict[str, Any]:
    """The figures of some outcomes, in time order, and of some closed trades. Returns and EV are fractions."""
    first = rows["first"]
    return {
        "outcomes": len(rows),
        **{name: _claimed(rows, belief, by_hour) for belief, name in enumerate(BELIEFS)},
        "first": {
            "target": int((first == TARGET).sum()),
            "stop": int((first == STOP).sum()),
            "timeout": int((first == TIMEOUT).sum()),
        },
        "trades": _trades(trades),
    }


def _claimed(rows: Rows, belief: int, by_hour: bool) -> dict[str, Any]:
    """What one belief claimed about the outcomes, and the outcomes."""
    mine = rows[rows["forecasts"][:, belief] != 0.0]
    found = claims(mine, belief)
    claimed, came = found[MAP_FORECAST]
    hours = mine["ts"] // _HOUR if by_hour else None
    fitted = slope(claimed, came, groups=hours)
    return {
        "outcomes": len(mine),
        "slope": None if fitted is None else _slope(fitted),
        "predicted_return": _mean(claimed),
        "realised_return": _mean(came),
        "realised_return_error": _error(came, hours),
        "confidence": _table(*found[MAP_CONFIDENCE]),
        "p_tp": _table(*found[MAP_P_TP]),
    }


def _table(claimed: Vector, came: Vector) -> list[dict[str, float]]:
    """The reliability table with 95 % binomial intervals."""
    rows = []
    for row in reliability(claimed, came, max(1, min(_BINS, len(claimed) // _PER_BIN))):
        low, high = wilson(row.outcome, row.samples)
        rows.append(
            {"from": row.low, "to": row.high, "outcomes": row.samples, "claimed": row.predicted, "came": row.outcome,
             "low": low, "high": high}
        )  # fmt: skip
    return rows


def _trades(trades: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean net EV at the entry, of the belief in force and the honest one, against the mean net return of the closed trades."""
    known = [trade for trade in trades if trade.get("ev") is not None]
    ev = np.array([float(trade["ev"]) for trade in known])
    honest = np.array([float(trade["honest_ev"]) for trade in known if trade.get("honest_ev") is not None])
    net = np.array([float(trade["net_fraction"]) for trade in known])
    return {
        "closed": len(known),
        "ev": _mean(ev),
        "honest_ev": _mean(honest),
        "realised": _mean(net),
        "realised_error": _error(net, None),
    }


def _mean(values: Vector) -> float | None:
    return float(values.mean()) if len(values) else None


def _slope(fitted: Slope) -> dict[str, float | None]:
    """With its 95 % interval by Student's t; no error where too few independent pieces stand behind it."""
    if fitted.groups < _PIECES:
        return {"slope": fitted.slope, "error": None, "low": None, "high": None}
    from scipy.special import stdtrit

    half = float(stdtrit(fitted.groups - 1, 0.975)) * fitted.error
    return {
        "slope": fitted.slope,
        "error": fitted.error,
        "low": fitted.slope - half,
        "high": fitted.slope + half,
    }


def _error(values: Vector, groups: Any) -> float | None:
    """Standard error of the mean; with groups, their entries may depend on each other. None with too few of either."""
    away = values - values.mean() if len(values) else values
    sums = away if groups is None else by_group(away, groups)
    n = len(sums)
    if n < _PIECES:
        return None
    return math.sqrt(float(np.dot(sums, sums)) * n / (n - 1)) / len(values)

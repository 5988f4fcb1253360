"""The charts of a report as plain plotly figures: {"data": [...], "layout": {...}}. The page gives them their colours.

A colour is a name of the page's theme ("up", "down", "ink", ...): the page replaces it, light or dark.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.reports.costs import Costs
from turbo_trader.reports.equity_curve import EquityCurve
from turbo_trader.reports.run_data import Run, Scanned, TradeRecord
from turbo_trader.rules.gates import GATES
from turbo_trader.rules.scan_funnel import HOUR
from turbo_trader.signals.figures import BELIEFS

Figure = dict[str, Any]
_BELIEF_COLOURS: Final = ("one", "two", "three")
_MOST_BARS: Final = 240


def milliseconds(ts: NDArray[np.int64] | Sequence[int]) -> list[int]:
    """Times as the page has them: ms UTC."""
    return [int(each) // 1_000_000 for each in ts]


def equity_chart(curve: EquityCurve) -> Figure:
    """Equity above, drawdown below, on one axis of time."""
    x = milliseconds(curve.ts)
    hover = "%{x|%d %b %H:%M}<br>"
    return {
        "data": [
            {
                "type": "scatter", "mode": "lines", "x": x, "y": _rounded(curve.equity, 6), "name": "equity",
                "line": {"color": "one", "width": 2}, "hovertemplate": hover + "%{y:.4f} USDT<extra></extra>",
            },
            {
                "type": "scatter", "mode": "lines", "x": x, "y": _rounded(curve.drawdown * 100, 4), "name": "drawdown",
                "yaxis": "y2", "fill": "tozeroy", "line": {"color": "down", "width": 1},
                "hovertemplate": hover + "%{y:.2f} %<extra></extra>",
            },
        ],
        "layout": {
            "xaxis": {"type": "date", "anchor": "y2"},
            "yaxis": {"title": {"text": "equity, USDT"}, "domain": [0.34, 1]},
            "yaxis2": {"title": {"text": "drawdown, %"}, "domain": [0, 0.26]},
            "showlegend": False,
            "hovermode": "x unified",
        },
    }  # fmt: skip


def funnel_chart(scanned: Scanned, trades: int) -> Figure:
    """How many scans came how far, down to the trades that were closed."""
    total = scanned.total
    steps = {
        "scans": total.scans, "candidates": total.candidates, "past the pre-filter": total.pre_filtered,
        "tier A or B": total.a + total.b, "past all gates": total.passed, "trades": trades,
    }  # fmt: skip
    names, counts = list(steps), list(steps.values())
    shares = ["100 %", *(_of_before(now, before) for before, now in itertools.pairwise(counts))]
    return {
        "data": [
            {
                "type": "bar", "orientation": "h", "y": names, "x": [max(count, 0.8) for count in counts],
                "text": [f"{count:,}  ({share})" for count, share in zip(counts, shares, strict=True)],
                "textposition": "auto", "marker": {"color": "one"}, "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": {"type": "log", "dtick": 1, "title": {"text": "count (log); in brackets the share of the row above"}},
            "yaxis": {"autorange": "reversed", "automargin": True},
            "showlegend": False,
        },
    }  # fmt: skip


def gates_chart(scanned: Scanned) -> Figure:
    """What each gate blocked: as the first one, and at all."""
    total = scanned.total
    return {
        "data": [
            _bars(list(GATES), total.blocks, "first to block", "one", "%{y:,}"),
            _bars(list(GATES), total.any_blocks, "blocked at all", "soft", "%{y:,}"),
        ],
        "layout": {"barmode": "group", "yaxis": {"title": {"text": "scans"}}, "xaxis": {"type": "category"}},
    }


def hours_chart(run: Run) -> Figure:
    """Candidates and closed trades hour by hour (several hours together where there are many)."""
    hours = sorted(run.scanned.hours)
    if not hours:
        return {"data": [], "layout": {}}
    step = max(1, -(-((hours[-1] - hours[0]) // HOUR + 1) // _MOST_BARS)) * HOUR
    candidates: dict[int, int] = {}
    for ts in hours:
        at = ts // step * step
        candidates[at] = candidates.get(at, 0) + run.scanned.hours[ts].candidates
    closed: dict[int, int] = {}
    for trade in run.closed:
        at = trade.closed_ts // step * step
        closed[at] = closed.get(at, 0) + 1
    per = step // HOUR
    width = step // 1_000_000
    starts = milliseconds(list(candidates))
    bars = _bars(starts, list(candidates.values()), "candidates", "soft", "%{y:,}")
    return {
        "data": [
            {**bars, "width": width, "offset": 0},  # from its hour to the next one
            {
                "type": "scatter", "mode": "lines+markers", "x": [at + width // 2 for at in milliseconds(sorted(closed))],
                "y": [closed[at] for at in sorted(closed)], "name": "trades closed", "yaxis": "y2",
                "line": {"color": "one", "width": 2}, "marker": {"size": 5},
            },
        ],
        "layout": {
            "xaxis": {"type": "date", "range": [min(starts), max(starts) + width]},
            "yaxis": {"title": {"text": f"candidates in {per} h"}},
            "yaxis2": {
                "title": {"text": "trades"}, "overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False,
                "tickmode": "auto", "tickformat": "d", "nticks": 5,
            },
        },
    }  # fmt: skip


def costs_chart(costs: Costs) -> Figure:
    """From the result at reference prices to the net result, cost by cost."""
    steps = [
        ("at reference prices", float(costs.gross), "relative"), ("spread", -float(costs.spread), "relative"),
        ("slippage", -float(costs.slippage), "relative"), ("fees", -float(costs.fees), "relative"),
        ("funding", float(costs.funding), "relative"), ("net", 0.0, "total"),
    ]  # fmt: skip
    texts = [f"{value:+.4f}" for _, value, kind in steps if kind == "relative"] + [f"{float(costs.net):+.4f}"]
    return {
        "data": [
            {
                "type": "waterfall", "x": [name for name, _, _ in steps], "y": [value for _, value, _ in steps],
                "measure": [kind for _, _, kind in steps], "text": texts, "textposition": "outside", "cliponaxis": False,
                "increasing": {"marker": {"color": "up"}}, "decreasing": {"marker": {"color": "down"}},
                "totals": {"marker": {"color": "one"}}, "hoverinfo": "x+text",
            }
        ],
        "layout": {"yaxis": {"title": {"text": "USDT"}}, "showlegend": False, "xaxis": {"type": "category"}},
    }  # fmt: skip


def results_chart(trades: Sequence[TradeRecord]) -> Figure:
    """How net results of trades are spread, by signal tier."""
    data = []
    for tier, colour in (("A", "one"), ("B", "two")):
        found = [trade.net_fraction * 1e4 for trade in trades if trade.tier == tier]
        if found:
            counts, edges = np.histogram(np.clip(found, -200, 300), bins=50, range=(-200, 300))
            middles = ((edges[:-1] + edges[1:]) / 2).tolist()
            data.append(_bars(middles, counts.tolist(), f"tier {tier}", colour, "%{y} trades at %{x:.0f} bp"))
    return {
        "data": data,
        "layout": {
            "barmode": "stack", "bargap": 0.05, "yaxis": {"title": {"text": "trades"}},
            "xaxis": {"title": {"text": "net result, bp of notional"}, "zeroline": True},
        },
    }  # fmt: skip


def reliability_chart(calibration: Mapping[str, Any], which: str) -> Figure:
    """What each belief claimed beside the outcomes; `which`: confidence or p_tp. On the line the model means what it says."""
    data: list[Figure] = []
    for name, colour in zip(BELIEFS, _BELIEF_COLOURS, strict=True):
        rows = calibration[name][which]
        if not rows:
            continue
        came = [row["came"] for row in rows]
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "name": name, "x": [row["claimed"] for row in rows], "y": came,
                "line": {"color": colour}, "text": [f"{row['outcomes']:,} outcomes" for row in rows],
                "error_y": {
                    "type": "data", "symmetric": False, "thickness": 1, "width": 3,
                    "array": [row["high"] - row["came"] for row in rows],
                    "arrayminus": [row["came"] - row["low"] for row in rows],
                },
                "hovertemplate": "said %{x:.3f}, came %{y:.3f}, %{text}<extra>" + name + "</extra>",
            }
        )  # fmt: skip
    if data:
        low = min(min(each["x"]) for each in data)
        high = max(max(each["x"]) for each in data)
        line = {"color": "muted", "dash": "dash", "width": 1}
        data.insert(0, {"type": "scatter", "mode": "lines", "x": [low, high], "y": [low, high], "line": line,
                        "hoverinfo": "skip", "name": "said = came"})  # fmt: skip
    return {
        "data": data,
        "layout": {"xaxis": {"title": {"text": "said"}}, "yaxis": {"title": {"text": "came"}}},
    }


def sizes_chart(run: Run) -> Figure:
    """Notional of each trade over time, by stage, with the moments at which a tier came to another stage."""
    data: list[Figure] = []
    for stage, colour in (("", "one"), ("scout", "three"), ("earned", "up")):
        of = [trade for trade in run.trades if trade.stage == stage and trade.opened_ts]
        if not of:
            continue
        x, y = _bounded(milliseconds([t.opened_ts for t in of]), [float(trade.notional) for trade in of])
        data.append(
            {
                "type": "scatter", "mode": "markers", "x": x, "y": y, "name": stage or "full size",
                "marker": {"color": colour, "size": 6, "opacity": 0.75},
                "hovertemplate": "%{x|%d %b %H:%M}<br>%{y:.2f} USDT<extra></extra>",
            }
        )  # fmt: skip
    changes = [note for note in run.events if note["name"] == "stage"]
    shapes = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
         "line": {"color": "muted", "dash": "dot", "width": 1}}
        for at in milliseconds([int(note["ts"]) for note in changes])
    ]  # fmt: skip
    notes = [
        {"x": int(note["ts"]) // 1_000_000, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
         "text": f"{note.get('tier', '')}: {note.get('stage', '')}"}
        for note in changes
    ]  # fmt: skip
    return {
        "data": data,
        "layout": {
            "xaxis": {"type": "date"}, "yaxis": {"title": {"text": "notional, USDT"}, "rangemode": "tozero"},
            "shapes": shapes, "annotations": notes, "showlegend": True,
        },
    }  # fmt: skip


def _bars(x: Sequence[Any], y: Sequence[Any], name: str, colour: str, hover: str) -> Figure:
    return {
        "type": "bar", "x": list(x), "y": list(y), "name": name, "marker": {"color": colour},
        "hovertemplate": hover + "<extra>" + name + "</extra>",
    }  # fmt: skip


def _bounded(x: list[int], y: list[float], most: int = 800) -> tuple[list[int], list[float]]:
    """The points themselves, or of many the largest of each stretch: what is drawn stays legible and quick."""
    if len(x) <= most:
        return x, [round(each, 4) for each in y]
    edges = np.linspace(0, len(x), most + 1).astype(int)
    index = [int(low + np.argmax(y[low:high])) for low, high in itertools.pairwise(edges)]
    return [x[i] for i in index], [round(y[i], 4) for i in index]


def _rounded(values: NDArray[np.float64], digits: int) -> list[float]:
    return [round(float(each), digits) for each in values]


def _of_before(now: int, before: int) -> str:
    return f"{100 * now / before:.3g} %" if before else "-"

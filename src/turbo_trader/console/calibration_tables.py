"""The calibration report as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from turbo_trader.signals.figures import BELIEFS


def tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Forecasts of each belief and trades, over all and per symbol; the reliability tables of each belief over all symbols."""
    over_all = report["over_all"]
    each = {"over all": over_all, **report["symbols"]}
    yield _forecasts(each)
    yield _reached(each)
    for belief in BELIEFS:
        claims = over_all[belief]
        if claims["outcomes"]:
            yield _reliability(
                f"{belief}: confidence, how often the direction was right at h", claims["confidence"]
            )
            yield _reliability(
                f"{belief}: p_tp, how often the target came before stop and time", claims["p_tp"]
            )
    if over_all["trades"]["closed"]:
        yield _trades(each)


def _forecasts(each: Mapping[str, Mapping[str, Any]]) -> Table:
    """One row per symbol and belief."""
    title = "return at h on forecast: slope 1 = the model means what it says"
    table = _table(title, ("", "belief", "n", "slope", "95 %", "said bp", "came bp"))
    for name, figures in each.items():
        for belief in BELIEFS:
            claims = figures[belief]
            if claims["outcomes"]:
                table.add_row(
                    name, belief, str(claims["outcomes"]), *_slope(claims["slope"]), _bp(claims["predicted_return"]),
                    _bp(claims["realised_return"], claims["realised_return_error"]),
                )  # fmt: skip
                name = ""
    return table


def _reached(each: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table("what was reached first from a candidate", ("", "n", "target/stop/time"))
    for name, figures in each.items():
        first = figures["first"]
        table.add_row(name, str(figures["outcomes"]), f"{first['target']}/{first['stop']}/{first['timeout']}")
    return table


def _trades(each: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table(
        "closed trades: net EV of the gates and honest, net result",
        ("", "n", "EV bp", "honest bp", "came bp"),
    )
    for name, figures in each.items():
        trades = figures["trades"]
        if trades["closed"]:
            came = _bp(trades["realised"], trades["realised_error"])
            table.add_row(name, str(trades["closed"]), _bp(trades["ev"]), _bp(trades["honest_ev"]), came)
    return table


def _reliability(title: str, rows: list[Mapping[str, float]]) -> Table:
    table = _table(title, ("from", "to", "n", "said", "came", "95 %"))
    for row in rows:
        table.add_row(
            f"{row['from']:.3f}", f"{row['to']:.3f}", str(row["outcomes"]), f"{row['claimed']:.3f}", f"{row['came']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
        )  # fmt: skip
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(columns[0], no_wrap=True)
    for name in columns[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _slope(slope: Mapping[str, float] | None) -> tuple[str, str]:
    if slope is None:
        return "-", ""
    interval = "too few" if slope["low"] is None else f"{slope['low']:.2f} to {slope['high']:.2f}"
    return f"{slope['slope']:.2f}", interval


def _bp(value: float | None, error: float | None = None) -> str:
    if value is None:
        return "-"
    return f"{value * 1e4:+.1f}" + (f" +- {error * 1e4:.1f}" if error is not None else "")

"""The calibration report as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table


def tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """One table of slopes and EV, over all and per symbol, and the reliability tables over all symbols."""
    over_all = report["over_all"]
    yield _summary({"over all": over_all, **report["symbols"]})
    yield _reliability("confidence: how often the direction was right at h", over_all["confidence"])
    yield _reliability("p_tp: how often the target came before stop and time", over_all["p_tp"])


def _summary(each: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(
        "", "outcomes", "slope (95 %)", "predicted bp", "realised bp", "target/stop/time",
        "trades", "EV bp", "realised bp", title="realised on predicted; 1 = the model means what it says",
    )  # fmt: skip
    for name, figures in each.items():
        first, trades = figures["first"], figures["trades"]
        table.add_row(
            name, str(figures["outcomes"]), _slope(figures["slope"]), _bp(figures["predicted_return"]),
            _bp(figures["realised_return"], figures["realised_return_error"]),
            f"{first['target']}/{first['stop']}/{first['timeout']}", str(trades["closed"]), _bp(trades["ev"]),
            _bp(trades["realised"], trades["realised_error"]),
        )  # fmt: skip
    return table


def _reliability(title: str, rows: list[Mapping[str, float]]) -> Table:
    table = Table("claimed from", "to", "outcomes", "claimed", "came", "95 %", title=title)
    for row in rows:
        table.add_row(
            f"{row['from']:.3f}", f"{row['to']:.3f}", str(row["outcomes"]), f"{row['claimed']:.3f}", f"{row['came']:.3f}",
            f"{row['low']:.3f} - {row['high']:.3f}",
        )  # fmt: skip
    return table


def _slope(slope: Mapping[str, float] | None) -> str:
    return "-" if slope is None else f"{slope['slope']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"


def _bp(value: float | None, error: float | None = None) -> str:
    if value is None:
        return "-"
    return f"{value * 1e4:+.1f}" + (f" +- {error * 1e4:.1f}" if error is not None else "")

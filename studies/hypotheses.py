"""Every hypothesis of docs/edge.md, tried in the order of its table: `scripts/study hypotheses FOLDER ../shared/data`.

One ledger in FOLDER counts all trials; the JSON of each row is kept beside it, so begun again it goes on with the next row. Prints
the table's rows. `--only H1` leaves the others for later; the trials of a row are those before it in the table where all are run.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from turbo_trader.console.progress import each
from turbo_trader.lab.data import read_market
from turbo_trader.lab.edge_study import study_edge
from turbo_trader.lab.loading import load_signal
from turbo_trader.lab.score_trades import Market
from turbo_trader.lab.trials_ledger import Ledger

MINUTES: Final = "binance-usdm-1m-2025-05"
FIVE_MINUTES: Final = "bybit-linear-1m-5m-2025/kline_5m"
HALF_HOURS: Final = "binance-usdm-30m-2024"
FUNDING: Final = {HALF_HOURS: "binance-usdm-funding-to-2025"}
SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples" / "signals"


@dataclass(frozen=True, slots=True)
class Row:
    """A hypothesis, a signal with its parameters, and the data it is held against."""

    hypothesis: str
    signal: str
    data: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of its file."""
        said = "_".join(f"{name}={value}" for name, value in self.parameters.items())
        return "_".join(
            part for part in (self.hypothesis, self.signal, said, self.data.split("/")[0]) if part
        )


_SIGNALS: Final = ("OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT")
ROWS: Final = (
    Row("H1", "five_signals", MINUTES),
    *(Row("H1", "five_signals", MINUTES, {"tiers": tier}) for tier in "AB"),
    Row("H1", "five_signals", FIVE_MINUTES),
    *(Row("H1", "five_signals", MINUTES, {"only": signal}) for signal in _SIGNALS),
    Row("H2", "residual", HALF_HOURS),
    Row("H2", "residual", HALF_HOURS, {"sds": 3.0}),
    Row("H2", "residual", MINUTES),
    Row("H3", "panic_rebound", HALF_HOURS),
    *(Row("H3", "panic_rebound", HALF_HOURS, {"hold_hours": hours}) for hours in (8.0, 24.0)),
    Row("H3", "panic_rebound", HALF_HOURS, {"sigmas": 5.0}),
    *(Row("H4", "funding.py", HALF_HOURS, {"hold_hours": hours}) for hours in (4.0, 8.0)),
    Row("H4", "funding.py", HALF_HOURS, {"before_hours": 0.5, "hold_hours": 1.0}),
    Row("H5", "hours.py", HALF_HOURS),
    Row("H6", "my_signal.py", HALF_HOURS),
    Row("H6", "my_signal.py", MINUTES),
)


def tried(row: Row, market: Market, folder: Path) -> dict[str, Any]:
    """The JSON object of one row, written to `folder`."""
    name = str(SAMPLES / row.signal) if row.signal.endswith(".py") else row.signal
    signal = load_signal(name, row.parameters)
    found = study_edge(signal, market, Ledger(folder / "trials.jsonl"), now=row.name).document()
    (folder / f"{row.name}.json").write_text(json.dumps(found, indent=1))
    return found


def line(row: Row, found: dict[str, Any]) -> str:
    """A row of the table."""
    details, (low, high) = found["details"], found["interval"]
    maker = details["styles"]["maker/maker"]["net_bp"]
    given = ", ".join(f"{name}={value}" for name, value in row.parameters.items())
    years = ", ".join(f"{year} {each['net_bp']:+.1f}" for year, each in details["years"].items())
    cells = (
        row.hypothesis,
        f"`{row.signal}`" + (f" {given}" if given else ""),
        f"{details['data']['interval_s'] // 60} min",
        f"{found['trades']:,}",
        _bp(found["gross_bp"]),
        f"{_bp(found['net_bp'])} ({_bp(low)} to {_bp(high)})",
        f"{_bp(maker)} ({details['maker_filled']:.0%}, {_bp(details['missed_gross_bp'])})",
        _bp(details["without_best_days"]["3"]),
        years,
        f"{found['trials']}",
        f"{found['verdict']}: {found['reasons'][0].partition(':')[0]}",
    )
    return f"| {' | '.join(cells)} |"


def _bp(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="scripts/study hypotheses", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="", help="a hypothesis, such as H1")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    markets: dict[str, Market] = {}
    for row in each("hypotheses", [row for row in ROWS if given.only in ("", row.hypothesis)]):
        kept = given.folder / f"{row.name}.json"
        if kept.exists():
            print(line(row, json.loads(kept.read_text())), flush=True)
            continue
        if row.data not in markets:
            beside = FUNDING.get(row.data)
            funding = given.data / beside if beside else None
            markets[row.data] = read_market(given.data / row.data, funding=funding)
        print(line(row, tried(row, markets[row.data], given.folder)), flush=True)


if __name__ == "__main__":
    main()

"""`python -m studies.results TAPE`: the table of docs/results.md.

Turbo on and off, at five balances, over a folder of one-minute bars rebuilt in both high-low orders: the worse of the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from turbo_trader.market.tape import read_tape
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan_funnel import TARGETS
from turbo_trader.rules.trade_report import PREDECESSOR
from turbo_trader.simulation.backtest import Backtest

BALANCES = ("18", "50", "100", "500", "2000")
TURBO = ("true", "false")
Order = Literal["high-first", "low-first"]
ORDERS: tuple[Order, ...] = ("high-first", "low-first")
COLUMNS = (
    "turbo", "balance", "candidates/h", "pre-filter", "A : B scans", "passed", "executed", "trades", "trades/h", "trades/day",
    "A : B", "won (95 %)", "average win", "average loss", "minutes", "fees", "fee drag", "net", "growth/day", "order",
)  # fmt: skip
#: Columns that are figures of section 10, by their names there.
_TARGETS = {
    "candidates/h": "candidates per hour", "pre-filter": "pre-filter", "executed": "executed of candidates",
    "trades/h": "trades per hour", "trades/day": "trades per day", "A : B": "A : B", "won (95 %)": "win rate",
    "average win": "average win", "average loss": "average loss", "minutes": "duration", "growth/day": "growth per day",
}  # fmt: skip


def one_order(tape: Path, order: Order) -> list[dict[str, Any]]:
    """The results of every case in one order of high and low."""
    recorded = read_tape(tape, order=order)
    return [
        {
            **Backtest(recorded, Policy.from_env({"MICRO_TURBO_MODE": turbo}), Decimal(balance)).run(),
            "order": order,
        }
        for turbo in TURBO
        for balance in BALANCES
    ]


def worse(results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The result that earned less."""
    return min(results, key=lambda result: result["net_pnl"])


def cells(turbo: str, balance: str, result: Mapping[str, Any]) -> list[str]:
    """One row of the table."""
    report, funnel = result["report"], result["report"]["funnel"]
    measured = {line["figure"]: line["measured"] for line in report["beside_targets"]}
    found = {column: measured[figure] for column, figure in _TARGETS.items()} | {
        "turbo": "on" if turbo == "true" else "off",
        "balance": balance,
        "A : B scans": f"{funnel['A']:,} : {funnel['B']:,}",
        "passed": f"{funnel['passed']:,}",
        "trades": str(report["trades"]),
        "minutes": measured["duration"].removesuffix(" min"),
        "fees": f"{report['fees']:.2f}",
        "fee drag": f"{report['fee_drag']:.1%}",
        "net": f"{result['net_pnl']:+.2f}",
        "order": str(result["order"]),
    }
    return [found[column] for column in COLUMNS]


def beside() -> list[list[str]]:
    """The rows of the targets and of the predecessor, under the same columns."""
    rows = []
    for title, which in (("before", 0), ("target", 1)):
        said = {column: TARGETS[name][which] for column, name in _TARGETS.items()}
        rows.append([f"*{title}*", *(said.get(column, "") for column in COLUMNS[1:])])
    low, high = PREDECESSOR["win_rate_95"]
    record = {
        "trades": str(PREDECESSOR["trades"]),
        "won (95 %)": f"{PREDECESSOR['win_rate']:.1%} ({low:.0%}-{high:.0%})",
    }
    rows.append(["*predecessor, live*", *(record.get(column, "") for column in COLUMNS[1:])])
    return rows


def strengths_table(result: Mapping[str, Any]) -> list[str]:
    """Quantiles of the five scores toward the forecast, of candidates, in Markdown."""
    names = ("valid", "confirms", "q05", "q25", "q50", "q75", "q95")
    rows = [
        [
            signal,
            *(
                "-" if each[n] is None else f"{each[n]:+.2f}" if n[0] == "q" else f"{each[n]:.1%}"
                for n in names
            ),
        ]
        for signal, each in result["report"]["strengths"].items()
    ]
    return markdown(("signal", *names), rows)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *rows)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m studies.results", description=__doc__)
    parser.add_argument("tape", type=Path, help="a folder of one-minute bars")
    tape = parser.parse_args().tape
    if not tape.is_dir():
        parser.error(f"{tape}: not a folder of one-minute bars")
    with ProcessPoolExecutor(len(ORDERS), mp_context=get_context("spawn")) as pool:
        both = list(zip(*pool.map(partial(one_order, tape), ORDERS), strict=True))
    named = [(turbo, balance) for turbo in TURBO for balance in BALANCES]
    rows = [cells(*name, worse(results)) for name, results in zip(named, both, strict=True)]
    print("\n".join([*markdown(COLUMNS, [*rows, *beside()]), "", *strengths_table(worse(both[0]))]))


if __name__ == "__main__":
    main()

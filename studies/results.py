"""`scripts/study results TAPE`: the funnel and the result of each belief, size and balance, for docs/results.md.

Over a folder of one-minute bars rebuilt in both orders of highs and lows: the worse of the two is shown. A new session is asked for
at each 00:00 UTC, as a user may; with `--no-limits` session limits, pauses and evidence are off and equity is the balance at every
entry. A row is printed as soon as it is known.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal

from turbo_trader.console.progress import each
from turbo_trader.market.tape import read_tape
from turbo_trader.market.tape_cache import TapeCache, tapes_folder
from turbo_trader.rules.gates import CONSENSUS, EV, FEE, FLAT, GATES
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan_funnel import TARGETS
from turbo_trader.rules.trade_report import PREDECESSOR
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.measuring import OF_THE_UNIVERSE

BELIEFS: Final = ("asked", "weighed", "measured")
SIZES: Final = ("full", "earned")
BALANCES: Final = ("18", "100", "1000")
Order = Literal["high-first", "low-first"]
ORDERS: Final[tuple[Order, ...]] = ("high-first", "low-first")
COLUMNS: Final = (
    "belief", "size", "balance", "candidates/h", "pre-filter", "A", "B", "gates", "trades", "trades/h", "weakest week",
    "A : B", "won (95 %)", "average win", "average loss", "minutes", "net a trade", "net", "open", "order",
)  # fmt: skip
#: Columns that are figures of section 10, by their names there.
_TARGETS: Final = {
    "candidates/h": "candidates per hour", "pre-filter": "pre-filter", "A": "A", "B": "B", "gates": "post-filter",
    "trades/h": "trades per hour", "A : B": "A : B", "won (95 %)": "win rate",
    "average win": "average win", "average loss": "average loss", "minutes": "duration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    belief: str
    size: str
    balance: str
    no_limits: bool = False

    def play(self, tape: Path, order: Order) -> dict[str, Any]:
        """Its result in one order of highs and lows."""
        policy = Policy.from_env({"BELIEF": self.belief, "SIZE": self.size})
        recorded = read_tape(tape, order=order, cache=TapeCache(tapes_folder()))
        run = Backtest(
            recorded,
            policy,
            Decimal(self.balance),
            new_session_daily=not self.no_limits,
            no_limits=self.no_limits,
        )
        return {**run.run(), "order": order}


def worse(results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The result that earned less a trade, or, where none traded, less."""
    return min(results, key=lambda result: (result["net_pnl"], result["net_bp_per_trade"] or 0.0))


def cells(case: Case, result: Mapping[str, Any]) -> list[str]:
    """One row of the table. Rates are scaled to fifteen symbols; `trades/h` over the hours in which entries were allowed."""
    report, funnel = result["report"], result["report"]["funnel"]
    measured = {line["figure"]: line["measured"] for line in report["beside_targets"]}
    scale = OF_THE_UNIVERSE / len(result["symbols"])
    weeks = [week["trades_per_hour_15"] for week in result["weeks"]]
    net = result["net_bp_per_trade"]
    found = {column: measured[figure] for column, figure in _TARGETS.items()} | {
        "belief": case.belief,
        "size": case.size,
        "balance": case.balance,
        "candidates/h": f"{scale * funnel['candidates'] / result['hours']:.0f}",
        "gates": _softened(funnel),
        "trades": f"{report['trades']:,}",
        "trades/h": _rate(result["trades_per_hour_15_open"]),
        "weakest week": _rate(min(weeks, default=None)),
        "minutes": measured["duration"].removesuffix(" min"),
        "net a trade": "-" if net is None else f"{net:+.1f} bp",
        "net": f"{result['net_pnl']:+.2f}",
        "open": f"{result['hours_open'] / result['hours']:.0%}".replace("%", " %"),
        "order": str(result["order"]),
    }
    return [found[column] for column in COLUMNS]


def _softened(funnel: Mapping[str, Any]) -> str:
    """Share of A and B past the gates that may be softened: consensus, flat, fee and EV."""
    tiered = funnel["A"] + funnel["B"]
    stopped = sum(funnel["blocks"][GATES[gate]] for gate in (CONSENSUS, FLAT, FEE, EV))
    return f"{100 * (1 - stopped / tiered):.1f} %" if tiered else "-"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


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


def table(tape: Path, cases: Sequence[Case], orders: Sequence[Order]) -> Iterator[str]:
    """The table row by row, then how strong the signals were in the first case. Each order is played by a process of its own."""
    yield from markdown(COLUMNS, ())
    first: Mapping[str, Any] | None = None
    with ExitStack() as stack:
        pools = [stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn"))) for _ in orders]
        for case in each("cases", cases):
            played = [pool.submit(case.play, tape, order) for pool, order in zip(pools, orders, strict=True)]
            result = worse([each.result() for each in played])
            first = first or result
            yield from markdown(cells(case, result), ())[:1]
    yield from markdown(COLUMNS, beside())[2:]
    if first is not None:
        yield from ("", *strengths_table(first))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="scripts/study results", description=__doc__)
    parser.add_argument("tape", type=Path, help="a folder of one-minute bars")
    parser.add_argument("--belief", action="append", choices=BELIEFS, help="default: all")
    parser.add_argument("--size", action="append", choices=SIZES, help="default: all")
    parser.add_argument("--balance", action="append", help=f"USDT; default: {', '.join(BALANCES)}")
    parser.add_argument(
        "--order", choices=ORDERS, help="of highs and lows; default: both, the worse is shown"
    )
    parser.add_argument("--no-limits", action="store_true", help="as of `backtest`; SIZE=full")
    given = parser.parse_args(arguments)
    if not given.tape.is_dir():
        parser.error(f"{given.tape}: not a folder of one-minute bars")
    sizes: Sequence[str] = ["full"] if given.no_limits else given.size or SIZES
    cases = [
        Case(belief, size, balance, given.no_limits)
        for belief in given.belief or BELIEFS
        for size in sizes
        for balance in given.balance or BALANCES
    ]
    for line in table(given.tape, cases, [given.order] if given.order else ORDERS):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

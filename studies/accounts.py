"""What our own limits cost an account: `scripts/study accounts`.

Twelve accounts of 18 USDT, each four hours on a made-up market of its own seed, in simulated time, without faults: under the limits
as they were (a third pause halts, the same-direction row, crumbs) and as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing import get_context
from typing import Any, Final

from turbo_trader.console.progress import each
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket

START: Final = 1_767_571_200 * SECOND  # a midnight UTC
BALANCE: Final = Decimal(18)
_OLD_LIMITS: Final = {"PAUSES_TO_HALT": "3", "SAME_DIRECTION": "0.30", "MIN_SIZE_SHARE": "0"}
#: Name -> what is overridden.
SETTINGS: Final[dict[str, dict[str, str]]] = {
    "before: weighed, old limits": {"BELIEF": "weighed", **_OLD_LIMITS},
    "weighed": {"BELIEF": "weighed"},
    "asked, old limits": _OLD_LIMITS,
    "asked (default)": {},
}


@dataclass(frozen=True, slots=True)
class Account:
    """One account to be played."""

    setting: str
    seed: int
    edge: float
    minutes: int


def play(account: Account) -> dict[str, Any]:
    """The result of the account's backtest, and its seed."""
    instruments = universe()
    market = SyntheticMarket(instruments, account.seed, START, account.edge)
    rows = tuple(market.read(s, START + account.minutes * MINUTE) for s in range(len(instruments)))
    tape = Tape(instruments, rows, market.label, made_up=True)
    policy = Policy.from_env(SETTINGS[account.setting])
    test = Backtest(tape, policy, BALANCE)
    return {**test.run(tuple(market.history(i.symbol) for i in instruments)), "seed": account.seed}


def line(setting: str, results: Sequence[Mapping[str, Any]]) -> str:
    """One row of the table: net over all accounts, halts, of them while up, trades, entries by binding limit."""
    net = sum((result["net_pnl"] for result in results), Decimal(0))
    halted = [
        result for result in results if result["halted"] is not None and "halted" in result["halted"]["why"]
    ]
    up = sum(result["net_pnl"] > 0 for result in halted)
    limits: Counter[str] = Counter()
    for result in results:
        limits.update(result["entries_by_limit"])
    bindings = ", ".join(f"{name} {count}" for name, count in limits.most_common())
    trades = sum(result["trades"] for result in results)
    return f"| {setting} | {net:+.2f} | {len(halted)} ({up}) | {trades} | {bindings or '-'} |"


def table(
    seeds: Sequence[int], edge: float, minutes: int, settings: Sequence[str], workers: int
) -> Iterator[str]:
    """The table of all settings, row by row."""
    yield f"**{len(seeds)} accounts of {BALANCE} USDT, seeds {seeds[0]}-{seeds[-1]}, edge {edge:g}, {minutes / 60:g} h each**"
    yield ""
    yield "| limits | net USDT | halted (while up) | trades | entries by the limit that set their size |"
    yield "|---|---|---|---|---|"
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for setting in each("limits of accounts", settings):
            accounts = [Account(setting, seed, edge, minutes) for seed in seeds]
            yield line(setting, list(pool.map(play, accounts)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="scripts/study accounts", description=__doc__)
    parser.add_argument("--seeds", default="100-111", help="first and last (default 100-111)")
    parser.add_argument("--edge", type=float, default=1.0, help="put into the market (default 1)")
    parser.add_argument("--minutes", type=int, default=240, help="an account (default 240)")
    parser.add_argument("--setting", action="append", choices=list(SETTINGS), help="default: all")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    for row in table(seeds, given.edge, given.minutes, given.setting or list(SETTINGS), given.workers):
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

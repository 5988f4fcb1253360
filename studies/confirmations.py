"""How often each signal confirms, and how far scans come, on bars or on a driftless market: `scripts/study confirmations`.

Settings are tried with `--set NAME=VALUE`. No order is sent: the gates up to EV are assessed, those of the account are not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studies.scans import EQUITY, HOUR, Scanner, Scans, TapeSource
from turbo_trader.console.progress import each
from turbo_trader.market.reference import read_instruments, universe
from turbo_trader.market.rows import SECOND
from turbo_trader.market.tape import read_tape
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.figures import SIGNALS
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_571_200 * SECOND  # a midnight UTC
OF_THE_UNIVERSE = 15


def funnel(scans: Scans, policy: Policy, hours: int) -> dict[str, float]:
    """Candidates an hour scaled to 15 symbols; shares past the pre-filter, of those A and B, of these past every gate to EV."""
    f, tier = scans.figures, policy.capital_tier(EQUITY)
    candidate = f["candidate"] == 1
    strong = (f["snr"] > float(tier.min_snr)) & (f["confidence"] > float(tier.min_confidence))
    through = candidate & strong
    a, b = through & (f["tier"] == TIER_A), through & (f["tier"] == TIER_B)
    passed = (a | b) & (f["blocker"] < 0)
    return {
        "candidates/h": float(candidate.sum()) / hours * OF_THE_UNIVERSE / len(scans.instruments),
        "pre-filter": _share(through, candidate),
        "A": _share(a, through),
        "B": _share(b, through),
        "passed": _share(passed, a | b),
    }


def confirmations(scans: Scans) -> dict[str, tuple[float, float]]:
    """Per signal: how often it is valid, and how often it confirms, of candidates."""
    candidate = scans.figures["candidate"] == 1
    found = {}
    for k, name in enumerate(SIGNALS):
        valid = candidate & (scans.figures["valid"] >> k & 1 == 1)
        found[name] = (
            _share(valid, candidate),
            _share(valid & (scans.figures["confirms"] >> k & 1 == 1), candidate),
        )
    return found


def report(label: str, scans: Scans, policy: Policy, hours: int) -> str:
    """Two table rows: the funnel, and valid / confirms of each signal."""
    far = funnel(scans, policy, hours)
    shares = " | ".join(f"{100 * value:.1f} %" for name, value in far.items() if name != "candidates/h")
    signals = " | ".join(
        f"{100 * valid:.0f} / {100 * said:.1f} %" for valid, said in confirmations(scans).values()
    )
    return f"| {label} | {far['candidates/h']:.0f} | {shares} | {signals} |"


def head() -> str:
    """The table's head."""
    names = (
        "",
        "candidates/h",
        "pre-filter",
        "A",
        "B",
        "passed",
        *(f"{name} valid / confirms" for name in SIGNALS),
    )
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|"


def scanned(folder: Path | None, policy: Policy, given: argparse.Namespace) -> tuple[Scans, int]:
    """The scans of a folder of bars, or of a driftless market, and over how many hours."""
    if folder is None:
        market = SyntheticMarket(universe(), given.seed, START, 0.0)
        scanner = Scanner(market, policy)
        for s, instrument in enumerate(market.instruments):
            scanner.backfill(s, market.history(instrument.symbol))
        return scanner.run(given.hours), given.hours
    listed = read_instruments(given.instruments) if given.instruments else {}
    names = [name for name in given.symbols.split(",") if name] or None
    tape = read_tape(folder, names, order="high-first", listed=listed)
    hours = min(given.hours, (tape.end - tape.start) // HOUR)
    return Scanner(TapeSource(tape), policy).run(hours), hours


def _share(part: Any, whole: Any) -> float:
    count = int(np.count_nonzero(whole))
    return int(np.count_nonzero(part)) / count if count else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table row for each `--set`."""
    parser = argparse.ArgumentParser(prog="scripts/study confirmations", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="one-minute bars; without: a driftless market")
    parser.add_argument("--symbols", default="", help="comma-separated")
    parser.add_argument("--instruments", type=Path, help="a saved answer to instruments-info")
    parser.add_argument(
        "--hours", type=int, default=10_000, help="at most (a driftless market needs a number)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the driftless market")
    parser.add_argument(
        "--set", action="append", default=[], help="NAME=VALUE,NAME=VALUE: a row with these numbers"
    )
    given = parser.parse_args(arguments)
    sys.stdout.write(head() + "\n")
    for setting in each("settings", given.set or [""]):
        policy = Policy.from_env(dict(pair.split("=", 1) for pair in setting.split(",") if pair))
        scans, hours = scanned(given.folder, policy, given)
        sys.stdout.write(report(setting or "defaults", scans, policy, int(hours)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

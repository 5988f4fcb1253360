"""The study on markets whose truth is known: `scripts/study-markets 1 100` says how often it is right."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from turbo_trader.lab.edge_study import study_edge
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.made_up_panels import Echo, MadeUpPanel
from turbo_trader.lab.score_trades import Market
from turbo_trader.lab.trials_ledger import Ledger
from turbo_trader.lab.verdict import Verdict

ECHO: Final = Signal("echo", Echo, {}, "echo")
DRIFTLESS: Final = MadeUpPanel()
WITH_EDGE: Final = MadeUpPanel(edge=0.0020)  # 8 bp after a round trip of 12


def verdicts(made: MadeUpPanel, seeds: Iterable[int]) -> Counter[Verdict]:
    """How often each verdict, every market with a ledger of its own."""
    found: Counter[Verdict] = Counter()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            market = Market(made.panel(seed))
            found[study_edge(ECHO, market, Ledger(Path(folder) / "trials.jsonl"), now="").verdict] += 1
    return found


def main(arguments: list[str]) -> None:
    """Seeds FIRST to LAST, both included."""
    first, last = (int(each) for each in arguments)
    for name, made in (("driftless", DRIFTLESS), ("net edge of 8 bp", WITH_EDGE)):
        counts = verdicts(made, range(first, last + 1))
        print(f"{name}: " + ", ".join(f"{verdict} {counts[verdict]}" for verdict in Verdict))


if __name__ == "__main__":
    main(sys.argv[1:])

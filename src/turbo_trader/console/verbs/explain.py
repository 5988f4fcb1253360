"""`turbo-trader explain SYMBOL`: why it did or did not trade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    symbol: Annotated[str, typer.Argument(help="such as BTCUSDT")],
    last: Annotated[int, typer.Option(help="how many scans", min=1, max=1000)] = 3,
    journal_dir: Annotated[Path | None, typer.Option("--journal-dir", help="default: the last run's")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Print the last scans of a symbol with every gate's figures, the first blocker and what would have had to differ."""
    import numpy as np

    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment
    from turbo_trader.journal.readers import scans
    from turbo_trader.market.instruments import resolve
    from turbo_trader.rules import explain as words
    from turbo_trader.rules.policy import Policy

    policy = Policy.from_env(environment())
    name = resolve(symbol)
    found = scans(journal_folder(journal_dir), name, last)
    rows = np.array(found) if found else np.zeros(0)
    texts = [words.explain(policy, rows, j, name) for j in range(len(found))]  # type: ignore[arg-type]
    if json:
        print_json(
            {
                "symbol": name,
                "scans": [{"ts": int(row["ts"]), "lines": t} for row, t in zip(found, texts, strict=True)],
            }
        )
        return
    if not texts:
        print(f"{name}: no scan in the journal yet")
    for lines in texts:
        print("\n".join(lines), end="\n\n")

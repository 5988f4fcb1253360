"""How many scans reached each gate, beside the target figures (section 10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import MINUTE, Rows
from turbo_trader.rules.gates import GATES, TIER
from turbo_trader.rules.row_counts import SUMS, count_rows
from turbo_trader.rules.scan import current

#: The user's targets: figure -> (before, target). Reported beside what was measured, never assumed.
TARGETS: Final[dict[str, tuple[str, str]]] = {
    "symbols": ("8", "15"),
    "scan interval": ("5 min", "30-60 s"),
    "candidates per hour": ("10-20", "60-100"),
    "pre-filter": ("50 %", "50 %"),
    "A": ("10 %", "15 %"),
    "B": ("0", "25 %"),
    "post-filter": ("10 %", "80 %"),
    "trades per hour": ("0-1", "3-8"),
    "executed of candidates": ("1 %", "10-15 %"),
    "A : B": ("-", "70 : 30"),
    "win rate": ("65-75 %", "60-70 % (A 70-75, B 60-65)"),
    "average win": ("+1.2 %", "+0.8 %"),
    "average loss": ("-0.6 %", "-0.4 %"),
    "reward : risk": ("2:1", "2:1"),
    "duration": ("15-45 min", "10-30 min"),
    "trades per day": ("-", "20-40 at 18 USDT, 15-30 at 50, 10-20 at 100, 8-15 at 500"),
    "growth per day": ("-", "10-30 % at 18 USDT, 8-20 % at 50, 5-15 % at 100, 3-8 % at 500"),
}

HOUR: Final = 60 * MINUTE


@dataclass(slots=True)
class Funnel:
    """Counts of scan rows; `add` takes rows as they come. Account gates count once their verdict is in the
    row.
    """

    scans: int = 0  # of one symbol each
    moments: int = 0  # at which symbols were scanned
    candidates: int = 0  # data passed and a valid forecast
    pre_filtered: int = 0  # candidates that passed the pre-filter
    a: int = 0  # of those, tier A
    b: int = 0
    passed: int = 0  # of A and B, those that no gate blocked
    first_ns: int = 0
    last_ns: int = 0
    blocks: list[int] = field(default_factory=lambda: [0] * len(GATES))  # first blocker
    any_blocks: list[int] = field(default_factory=lambda: [0] * len(GATES))  # blocked at all

    @staticmethod
    def of(rows: Rows) -> Funnel:
        """The counts of rows of dtype SCAN, one at least, those of one time together."""
        return _counted(rows, 1)[0]

    def add(self, rows: Rows) -> None:
        """Count rows, too, as `of` does; there may be none."""
        if len(rows):
            self.join(self.of(rows))

    def join(self, other: Funnel, *, moments: bool = True) -> None:
        """Count what another funnel has counted; not its `moments` where they are the same."""
        self.scans += other.scans
        self.moments += other.moments if moments else 0
        self.candidates += other.candidates
        self.pre_filtered += other.pre_filtered
        self.a += other.a
        self.b += other.b
        self.passed += other.passed
        self.first_ns = min(self.first_ns or other.first_ns, other.first_ns)
        self.last_ns = max(self.last_ns, other.last_ns)
        self.blocks = [a + b for a, b in zip(self.blocks, other.blocks, strict=True)]
        self.any_blocks = [a + b for a, b in zip(self.any_blocks, other.any_blocks, strict=True)]

    @property
    def hours(self) -> float:
        """Time from the first to the last scan, h."""
        return (self.last_ns - self.first_ns) / 3.6e12

    def past(self) -> dict[str, float]:
        """Per gate after the tier, the share of A and B that came to it and passed; without those nothing came to."""
        shares: dict[str, float] = {}
        left = self.a + self.b
        for gate in range(TIER + 1, len(GATES)):
            if left <= 0:
                break
            shares[GATES[gate]] = round(1 - self.blocks[gate] / left, 4)
            left -= self.blocks[gate]
        return shares

    def to_dict(self) -> dict[str, Any]:
        """Counts, and each gate's blocks by name: `blocks` as the first blocker, `any_blocks` at all."""
        return {
            "scans": self.scans,
            "candidates": self.candidates,
            "pre_filter": self.pre_filtered,
            "A": self.a,
            "B": self.b,
            "passed": self.passed,
            "blocks": dict(zip(GATES, self.blocks, strict=True)),
            "any_blocks": dict(zip(GATES, self.any_blocks, strict=True)),
        }

    def beside_targets(self) -> list[tuple[str, str, str, str]]:
        """(figure, measured, before, target) for what scans alone can tell."""
        hours = self.hours
        measured = {
            "symbols": f"{self.scans / self.moments:.0f}" if self.moments else "-",
            "scan interval": f"{3600 * hours / (self.moments - 1):.0f} s" if self.moments > 1 else "-",
            "candidates per hour": f"{self.candidates / hours:.1f}" if hours > 0 else "-",
            "pre-filter": _share(self.pre_filtered, self.candidates),
            "A": _share(self.a, self.pre_filtered),
            "B": _share(self.b, self.pre_filtered),
            "post-filter": _share(self.passed, self.a + self.b),
            "A : B": f"{self.a} : {self.b}",
        }
        return [(name, text, *TARGETS[name]) for name, text in measured.items()]


@dataclass(slots=True)
class Funnels:
    """One funnel over everything, one per symbol, one per hour (its begin, ns UTC)."""

    total: Funnel = field(default_factory=Funnel)
    symbols: dict[str, Funnel] = field(default_factory=dict)
    hours: dict[int, Funnel] = field(default_factory=dict)

    def add(self, symbols: Sequence[str], rows: Rows) -> None:
        """Count scans within one hour: rows of dtype SCAN, the symbols over and over in this order."""
        if not len(rows):
            return
        whole = Funnel()
        for i, found in enumerate(_counted(rows, len(symbols))):
            whole.join(found, moments=i == 0)
            self.symbols.setdefault(symbols[i], Funnel()).join(found)
        self.total.join(whole)
        self.hours.setdefault(int(rows["ts"][0]) // HOUR * HOUR, Funnel()).join(whole)


def _counted(rows: Rows, columns: int) -> list[Funnel]:
    """Rows of dtype SCAN, counted by their place: the first of each `columns` rows, the second ..."""
    counts = np.zeros((columns, SUMS), np.int64)
    moments, first, last = count_rows(current(rows), counts)
    return [
        Funnel(
            scans=len(rows) // columns, moments=moments, first_ns=first, last_ns=last,
            candidates=candidates, pre_filtered=through, a=a, b=b, passed=passed,
            blocks=blocks[: len(GATES)], any_blocks=blocks[len(GATES) :],
        )
        for candidates, through, a, b, passed, *blocks in counts.tolist()
    ]  # fmt: skip


def funnels(scans: Iterable[tuple[int, Sequence[str], Rows]]) -> Funnels:
    """The funnels of scans in order of time: (time ns, symbols, their rows); at most an hour of them is held at once."""
    out = Funnels()
    held: list[Rows] = []
    of: tuple[int, Sequence[str]] = (0, ())
    for ts, symbols, rows in scans:
        if (held and (ts // HOUR, symbols) != of) or (held and rows.dtype != held[0].dtype):
            out.add(of[1], joined(held))
            held = []
        of = (ts // HOUR, symbols)
        held.append(rows)
    if held:
        out.add(of[1], joined(held))
    return out


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"

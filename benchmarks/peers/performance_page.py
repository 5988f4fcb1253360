"""The table of a comparison, and docs/performance.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_HEAD = """# Speed beside other programs

Written by `scripts/bench --peers`: each program in an environment of its own, on the same tape as ours, in turns with ours. A rate
is the median of five passes, its least and greatest in brackets. Machines are noisy: ratios of one run say more than rates.

- `hftbacktest_tick`: a dense tape of frames of one level. hftbacktest, tick-exact with latency, fees, queue position and a bracket,
  decides every 30 s; ours is the daemon in simulated time: both cursors, every rule, the exchange's messages as bytes.
- `nautilus`: the same tape and the same pass of ours. NautilusTrader's BacktestEngine, with latency of orders, fees, both books and
  a bracket around each entry, decides every 30 s. It is slow: it gets the first fifth of the tape, and rates are of an event.
- `freqtrade_month`: 30 days of one-minute bars of 15 symbols, a made-up market, loaded before any pass. freqtrade looks at each bar
  once: perpetuals, long and short, leverage, fees, funding, a stop on every trade, about four trades an hour. Ours is the daemon
  over the same bars rebuilt into about 60 market events each, highs first: every rule, a scan every 30 s, about two
  trades an hour, for no session limit ends the run. A rate is of a bar.
- `freqtrade_month_untraded`: the same, while ours decides by what it has measured (`BELIEF=measured`), which finds nothing to
  trade in such a market: what bars, signals and rules cost without trades.
- `..._book`, `..._print`: raw public frames. cryptofeed, ccxt and pybit end at their callback; ours ends at the updated market
  state (book, order flow over ten levels, VWAP, samples), and takes 64 frames at a time, as from a socket in which frames wait.
  pybit hands prints on as JSON made them.

"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Rates of a comparison, events a second, one of each pass."""

    name: str
    package: str
    version: str
    unit: str
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """How many times as fast ours is, of the medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)


def table(measured: Sequence[Measured], missing: Mapping[str, str]) -> str:
    """A row a comparison; what could not be measured is named below, with the reason."""
    lines = ["| comparison | program | theirs, a second | ours, a second | ratio |", "|---|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {each.package} {each.version} | {_spread(each.theirs)} {each.unit} | {_spread(each.ours)} {each.unit} "
        f"| {each.ratio:.1f} |"
        for each in measured
    ]
    if missing:
        lines += ["", *(f"- `{name}` is not measured: {why}" for name, why in missing.items())]
    return "\n".join(lines)


def page(measured: Sequence[Measured], missing: Mapping[str, str]) -> str:
    """The whole page."""
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"the machine's load in the last fifteen minutes: {os.getloadavg()[2]:.1f}."
    )
    return f"{_HEAD}{table(measured, missing)}\n\n{machine}\n"


def _spread(rates: Sequence[float]) -> str:
    return f"{_short(statistics.median(rates))} ({_short(min(rates))} to {_short(max(rates))})"


def _short(rate: float) -> str:
    return f"{rate / 1e6:.2f} M" if rate >= 1e6 else f"{rate / 1e3:.1f} k"

"""Scans of a market by the very kernels the daemon runs, kept as arrays: what a study of signals starts from.

A market is read hour by hour, so a month of sixteen symbols fits in memory. Noise is fitted on the trader's schedule, at the end
of the hour in which it falls due. No order is sent and no account looked at: gates up to EV are judged, limits and size are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.rows import MINUTE, SECOND, Rows
from turbo_trader.market.sampling import mid_sum
from turbo_trader.market.state import SECONDS, new_states
from turbo_trader.market.tape import Tape
from turbo_trader.rules.assess import assess, expect
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.noise import Noise, fit_noise
from turbo_trader.trader.fitting import FIRST, USED, WAITS, wait

HOUR: Final = 60 * MINUTE
EQUITY: Final = Decimal(18)  # turbo: the tier with the most trades
LEADER: Final = "BTCUSDT"
#: Figures kept of every scan; the rest of SCAN would not fit in memory for a month.
KEPT: Final = (
    "direction", "warm", "fresh", "valid", "confirms", "kalman_valid", "ou_valid", "candidate", "tier", "blocker", "mid",
    "spread", "sigma", "hold_sigma", "forecast", "se", "snr", "confidence", "ou_forecast", "ou_half_life_s", "score", "take_profit",
    "stop_loss", "cost", "p_tp", "ev",
)  # fmt: skip

Array = NDArray[Any]


class Source(Protocol):
    """What is scanned: instruments, a beginning (ns UTC), rows in pieces."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """In the order of the rows."""

    @property
    def start(self) -> int:
        """Time of the beginning, ns UTC."""

    def read(self, s: int, until: int) -> Rows:
        """The rows of symbol `s` with ts < `until` not read yet."""


class TapeSource:
    """A tape as a source."""

    def __init__(self, tape: Tape) -> None:
        self.instruments = tape.instruments
        self.start = tape.start - tape.start % MINUTE
        self._rows = tape.rows
        self._read = [0] * len(tape.rows)

    def read(self, s: int, until: int) -> Rows:
        """The rows of symbol `s` with ts < `until` not read yet."""
        begin = self._read[s]
        self._read[s] = int(np.searchsorted(self._rows[s]["ts"], until))
        return self._rows[s][begin : self._read[s]]


@dataclass(slots=True)
class Scans:
    """Every scan of every symbol: `figures[name][symbol, scan]` for the names of KEPT, scans `step_s` apart from `first` (ns).

    `book[symbol, i]`: best bid and ask in ticks i + 1 seconds after the start (0: none), empty unless asked for;
    scan n is at i = (n + 1) step_s - 1. `fits`: every
    noise fit (symbol, time, Noise).
    """

    instruments: tuple[Instrument, ...]
    first: int
    step_s: int
    figures: dict[str, Array]
    book: NDArray[np.int32]
    fits: list[tuple[int, int, Noise]]

    def times(self) -> NDArray[np.int64]:
        """Time of each scan, ns UTC."""
        count = self.figures["mid"].shape[1]
        return self.first + np.arange(count, dtype=np.int64) * self.step_s * SECOND

    def forward(self, horizon_s: int) -> NDArray[np.float64]:
        """Log return of the mid from each scan until `horizon_s` later; NaN where either price is not there.

        ValueError for a horizon that is not a positive multiple of the step.
        """
        ahead, rest = divmod(horizon_s, self.step_s)
        if rest or ahead <= 0:
            raise ValueError(f"{horizon_s} s is not a positive multiple of the scans' {self.step_s} s")
        mid = self.figures["mid"]
        y = np.log(np.where(mid > 0.0, mid, np.nan))
        out = np.full(y.shape, np.nan)
        out[:, :-ahead] = y[:, ahead:] - y[:, :-ahead]
        return out


@kernel
def scan_rows(
    states: Any,
    filters: Any,
    rows: Any,
    ends: Any,
    first: int,
    step: int,
    signals: Any,
    gates: Any,
    leader: int,
    out: Any,
    book: Any,
) -> None:
    """out[scan, symbol] <- the scans at first, first + step, ... of rows[ends[s] : ends[s + 1]] of every symbol s.

    Candidates without a trade tier get their probabilities and EV too. `book`: see Scans; with no columns it is not filled.
    """
    symbols = ends.shape[0] - 1
    at = np.zeros(symbols, np.int64)
    seconds = step // SECOND if book.shape[1] > 0 else 1
    for j in range(out.shape[0]):
        now = first + j * step
        if leader >= 0:
            for g in range(gates.shape[0]):
                gates[g].btc_move_ts = states[leader].big_move_ts
        for s in range(symbols):
            mine = rows[ends[s] : ends[s + 1]]
            for k in range(1, seconds + 1):
                at[s], _ = advance(states, s, mine, at[s], now - (seconds - k) * SECOND)
                if book.shape[1] > 0 and mid_sum(states[s]) > 0:
                    book[s, j * seconds + k - 1, 0] = states[s].bid
                    book[s, j * seconds + k - 1, 1] = states[s].ask
            assess(states, filters, s, now, signals, gates, out[j], s)
            row = out[j][s]
            if row.candidate == 1 and row.tier == 0 and row.take_profit > 0.0:
                expect(gates, s, out[j], s)


class Scanner:
    """Scans a source hour by hour. `waits`: ns from a symbol's first, second, every later noise fit to the next one."""

    def __init__(
        self,
        source: Source,
        policy: Policy,
        *,
        step_s: int = 30,
        waits: Sequence[int] = WAITS,
        with_book: bool = False,
    ) -> None:
        count = len(source.instruments)
        tier = policy.capital_tier(EQUITY)
        self._source, self._step_s, self._waits, self._with_book = source, step_s, waits, with_book
        self._states = new_states(source.instruments, **policy.market_parameters())
        self._filters = new_filters(count)
        self._signals = policy.signal_parameters(tier)
        self._gates = policy.gate_parameters(tier, EQUITY, count)
        symbols = [instrument.symbol for instrument in source.instruments]
        self._leader = symbols.index(LEADER) if LEADER in symbols else -1
        self._due, self._done = [0] * count, [0] * count
        self._fits: list[tuple[int, int, Noise]] = []

    def backfill(self, s: int, bars: Rows) -> None:
        """One-minute bars of symbol `s` before the source's start."""
        backfill(self._states, s, bars)

    def run(self, hours: int) -> Scans:
        """Scan `hours` from the source's start on."""
        count = len(self._source.instruments)
        per_hour = 3600 // self._step_s
        kept: dict[str, Array] = {}
        book = np.zeros((count, hours * 3600 if self._with_book else 0, 2), np.int32)
        out = np.zeros((per_hour, count), SCAN)
        for hour in range(hours):
            begin = self._source.start + hour * HOUR
            part = book[:, hour * 3600 : (hour + 1) * 3600]
            self._hour(begin, out, part)
            for name in KEPT:
                values = np.swapaxes(out[name], 0, 1)
                if name not in kept:
                    kept[name] = np.zeros((count, hours * per_hour, *values.shape[2:]), values.dtype)
                kept[name][:, hour * per_hour : (hour + 1) * per_hour] = values
            self._refit(begin + HOUR)
        first = self._source.start + self._step_s * SECOND
        return Scans(self._source.instruments, first, self._step_s, kept, book, self._fits)

    def _hour(self, begin: int, out: Rows, book: NDArray[np.int32]) -> None:
        parts = [self._source.read(s, begin + HOUR) for s in range(len(self._source.instruments))]
        ends = np.cumsum([0, *map(len, parts)])
        step = self._step_s * SECOND
        scan_rows(
            self._states, self._filters, np.concatenate(parts), ends, begin + step, step, self._signals, self._gates,
            self._leader, out, book,
        )  # fmt: skip

    def _refit(self, now: int) -> None:
        for s in range(len(self._due)):
            samples = int(self._states["samples"][s])
            if now < self._due[s] or samples < FIRST:
                continue
            at = np.arange(max(0, samples - min(USED, SECONDS - 1)), samples) & (SECONDS - 1)
            noise = fit_noise(self._states["sample_second"][s][at], self._states["sample_y"][s][at])
            self._due[s] = now + wait(self._done[s], noise is not None and noise.velocity_valid, self._waits)
            if noise is not None:
                self._done[s] += 1
                set_noise(self._filters, s, noise)
                self._fits.append((s, now, noise))

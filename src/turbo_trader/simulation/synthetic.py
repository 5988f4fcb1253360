"""The seeded synthetic market: made up and marked so. `edge=0` is driftless; a higher edge is there to watch, and proves nothing.

Log prices move by a common factor (BTC's path) and a part of their own, both with stochastic volatility (three AR(1) processes of
the log and a part new each minute: clustering and heavy tails). The book is a ladder of the symbol's recorded spread and depth that
moves with the price; prints eat the best level, which refills. With an edge, each price carries a deviation from that path, which
reverts in phases while prints and sizes lean the same way. A minute is drawn from a generator keyed by seed and minute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.depth import depth_of
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.ladder import LADDER
from turbo_trader.market.record_copies import copied, joined
from turbo_trader.market.rows import BAR, MINUTE, RATE, ROW, Rows
from turbo_trader.simulation import synthetic_figures as figures
from turbo_trader.simulation.synthetic_kernel import ROOM, SLOTS, SYMBOL, UNIFORMS, walk, write_minute

if TYPE_CHECKING:
    from turbo_trader.market.tape import Tape

HISTORY = 2_880 + 60  # minutes before the start that have bars
LEADER = "BTCUSDT"


class SyntheticMarket:
    """A market source: rows of all symbols, made in blocks of one minute, the same whatever is asked for when.

    `edge` 0: driftless; 1: deviations of about 0.6 % that revert with a half-life of several minutes and that order flow leads.
    `start` (ns UTC) is taken down to a whole minute. Instruments without figures of their own get those of a small symbol.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        seed: int,
        start: int,
        edge: float = 0.0,
        history: int = HISTORY,
    ) -> None:
        """`history`: minutes before the start that have bars. Fewer of them give another market."""
        self.instruments = tuple(instruments)
        self.start = start - start % MINUTE
        self.label = f"synthetic market, seed {seed}, edge {edge:g}: made up, proves nothing"
        self._seed = seed & 0xFFFF_FFFF_FFFF_FFFF
        self._figures = tuple(_figures(instrument) for instrument in self.instruments)
        self._symbols = _symbols(self.instruments, self._figures, edge)
        self._ladders = _ladders(self.instruments)
        self._phases = _phases()
        self._past_minutes = history
        self._minute = self.start // MINUTE - history  # the next one to be drawn
        self._draw_beginning()
        self._pending: list[list[Rows]] = [[] for _ in self.instruments]
        self._room = np.empty(0, ROW)
        self._bars = self._past()

    def history(self, symbol: str) -> Rows:
        """One-minute bars (market.rows.BAR) before `start`, oldest first; KeyError for an unknown symbol."""
        return self._bars[symbol]

    def read(self, s: int, until: int) -> Rows:
        """The rows of symbol `s` with ts < `until` not read yet: whole frames, in order."""
        while self._minute * MINUTE < until:
            self._write()
        parts = self._pending[s]
        ready: list[Rows] = []
        while parts and parts[0]["ts"][0] < until:
            rows = parts.pop(0)
            cut = int(np.searchsorted(rows["ts"], until))
            ready.append(rows[:cut])
            if cut < len(rows):
                parts.insert(0, rows[cut:])
                break
        return joined(ready) if ready else cast("Rows", np.zeros(0, ROW))

    def set_edge(self, edge: float) -> None:
        """Another edge from the next minute that is made on."""
        for symbol, instrument, row in zip(self._symbols, self.instruments, self._figures, strict=True):
            _deviate(symbol, instrument, row, edge)

    def jump(self, s: int, size: float) -> None:
        """A symbol's price jumps by `size` (a log return) with the next minute that is made."""
        self._x[s] += size

    def deepen(self, s: int, times: float) -> None:
        """A symbol's book has so many times the depth (below 1: less) from the next minute that is made on."""
        self._ladders["scale"][s] *= times

    def widen(self, s: int, spread: float) -> float:
        """A symbol's spread is this fraction of the price from the next minute that is made on; returns what it was."""
        was = float(self._ladders["spread"][s])
        self._ladders["spread"][s] = spread
        return was

    def ended(self, now: int) -> bool:
        """False: it never ends."""
        del now
        return False

    # -- inside

    def _draw_beginning(self) -> None:
        """Volatilities, deviations and funding as they may stand at any time; prices as the figures say."""
        draws = np.random.Generator(np.random.Philox(key=[self._seed, 0]))
        count = len(self.instruments)
        variances = np.array([v for v, _ in figures.VOLATILITY])[:, None]
        self._decays = 0.5 ** (1.0 / np.array([h for _, h in figures.VOLATILITY])[:, None])
        self._news = np.sqrt(variances * (1.0 - np.square(self._decays)))
        self._variance = variances.sum() + figures.MINUTE_VARIANCE
        self._own = np.array([f.own for f in self._figures])
        self._volatility = np.sqrt(variances) * _with_shared(draws.standard_normal((3, count + 1)))
        self._x = np.log(np.array([f.price for f in self._figures]))
        self._z = draws.standard_normal(count) * self._symbols["deviation"]
        self._phase = np.zeros(count)
        self._funding = draws.standard_normal(count)

    def _prices(self) -> tuple[np.random.Generator, NDArray[np.float64], NDArray[np.float64]]:
        """Move prices through the next minute. Returns the minute's generator, the paths (see `walk`) and relative volatilities."""
        draws = np.random.Generator(np.random.Philox(key=[self._seed, self._minute]))
        self._minute += 1
        count = len(self.instruments)
        self._volatility = self._decays * self._volatility + self._news * _with_shared(
            draws.standard_normal((3, count + 1))
        )
        fresh = math.sqrt(figures.MINUTE_VARIANCE) * draws.standard_normal(count + 1)
        logs = self._volatility.sum(0) + fresh - self._variance
        relative = np.exp(logs)
        own = relative[1:] * self._own
        _, _, half_life = figures.FUNDING
        decay = 0.5 ** (1.0 / half_life)
        self._funding = decay * self._funding + math.sqrt(1 - decay * decay) * draws.standard_normal(count)
        paths = np.empty((3, count, SLOTS))
        walk(
            self._x, self._z, self._phase, self._symbols, figures.FACTOR * float(relative[0]), own, self._phases,
            draws.standard_normal((SLOTS, 1 + 2 * count)), draws.random((SLOTS, count)), paths,
        )  # fmt: skip
        return draws, paths, relative

    def _write(self) -> None:
        """Make the rows of the next minute."""
        begin = self._minute * MINUTE
        draws, paths, relative = self._prices()
        count = len(self.instruments)
        if not len(self._room):
            self._room = np.empty(ROOM * count, ROW)
        mean, spread, _ = figures.FUNDING
        rates = (mean + spread * self._funding) * self._symbols["interval"] / 480.0
        caps = np.array([float(instrument.funding_cap) for instrument in self.instruments])
        ends = np.zeros(count, np.int64)
        write_minute(
            self._room, ends, self._ladders, self._symbols, begin, _activity(relative),
            np.rint(np.clip(rates, -caps, caps) * RATE).astype(np.int64), figures.LEAN, paths,
            draws.random((count, SLOTS, UNIFORMS)), draws.standard_normal((count, SLOTS)),
        )  # fmt: skip
        first = 0
        for s, end in enumerate(ends.tolist()):
            self._pending[s].append(copied(self._room[first:end]))
            first = end

    def _past(self) -> dict[str, Rows]:
        """The bars before the start: prices only, volumes as such prices have them."""
        count = len(self.instruments)
        bars = np.zeros((count, self._past_minutes), BAR)
        usual = np.array([f.turnover for f in self._figures])
        before = np.exp(self._x + self._z)
        for m in range(self._past_minutes):
            row = bars[:, m]
            row["ts"] = self._minute * MINUTE
            draws, paths, relative = self._prices()
            shown = np.exp(paths[0])
            row["open"], row["close"] = before, shown[:, -1]
            row["high"] = np.maximum(shown.max(1), before)
            row["low"] = np.minimum(shown.min(1), before)
            turnover = usual * np.square(_activity(relative))
            row["turnover"] = turnover * np.exp(0.8 * draws.standard_normal(count) - 0.32)
            before = shown[:, -1]
        ticks = self._symbols["tick"][:, None]
        for name in ("open", "high", "low", "close"):
            bars[name] = np.rint(bars[name] / ticks) * ticks
        steps = np.array([float(instrument.step) for instrument in self.instruments])[:, None]
        bars["volume"] = np.maximum(np.rint(bars["turnover"] / bars["close"] / steps), 1.0) * steps
        bars["turnover"] = bars["volume"] * 0.5 * (bars["open"] + bars["close"])
        return {instrument.symbol: bars[s] for s, instrument in enumerate(self.instruments)}


def generate(symbols: Sequence[str], seed: int, start: int, duration_ns: int, edge: float = 0.0) -> Tape:
    """A tape of the synthetic market of `symbols` (of the universe), from `start` for `duration_ns`."""
    from turbo_trader.market.reference import universe
    from turbo_trader.market.tape import Tape

    known = {instrument.symbol: instrument for instrument in universe()}
    market = SyntheticMarket([known[symbol] for symbol in symbols], seed, start, edge)
    until = market.start + duration_ns
    rows = tuple(market.read(s, until) for s in range(len(symbols)))
    return Tape(instruments=market.instruments, rows=rows, source=market.label, made_up=True)


def reference_price(instrument: Instrument) -> float:
    """The price an instrument's made-up market begins at, USDT."""
    return _figures(instrument).price


def _figures(instrument: Instrument) -> figures.Figures:
    known = figures.SYMBOLS.get(instrument.symbol)
    if known is not None:
        return known
    price = float(instrument.tick) * figures.OTHER_TICKS
    other = figures.OTHER
    return figures.Figures(price, other.beta, other.own, other.turnover, other.trades)


def _symbols(
    instruments: Sequence[Instrument], rows: Sequence[figures.Figures], edge: float
) -> NDArray[np.void]:
    symbols = np.zeros(len(instruments), SYMBOL)
    for symbol, instrument, row in zip(symbols, instruments, rows, strict=True):
        frames = max(figures.LEAST_FRAMES, 0.8 * row.trades / SLOTS)
        symbol["tick"] = float(instrument.tick)
        symbol["beta"] = row.beta
        symbol["frames"] = frames
        symbol["prints"] = math.sqrt(1.0 + 2.0 * row.trades / (SLOTS * frames)) - 1.0
        mean_lots = row.turnover / row.trades / (row.price * float(instrument.step))
        symbol["log_lots"] = math.log(mean_lots) - 0.5 * row.size_spread**2
        symbol["size_spread"] = row.size_spread
        _deviate(symbol, instrument, row, edge)
        symbol["interval"] = instrument.funding_interval_min
    return symbols


def _deviate(symbol: np.void, instrument: Instrument, row: figures.Figures, edge: float) -> None:
    """Put an edge into a symbol: the size of its deviations, and what goes with it."""
    share = figures.LEADER_SHARE if instrument.symbol == LEADER else 1.0
    volatility = math.hypot(row.beta * figures.FACTOR, row.own)
    symbol["deviation"] = max(edge, 0.0) * figures.DEVIATION * share
    symbol["gap"] = 0.3 * math.hypot(volatility, symbol["deviation"] * figures.DEVIATION_NOISE)


def _ladders(instruments: Sequence[Instrument]) -> NDArray[np.void]:
    ladders = np.zeros(len(instruments), LADDER)
    for ladder, instrument in zip(ladders, instruments, strict=True):
        depth = depth_of(instrument.symbol)
        ladder["scale"] = depth.scale / (float(instrument.tick) * float(instrument.step))
        ladder["power"] = depth.power
        ladder["spread"] = depth.spread
    return ladders


def _phases() -> NDArray[np.float64]:
    """Per slot: decay and start and end probability of a phase, calm, noise in units of the deviation."""
    slot = 1.0 / SLOTS
    return np.array(
        [
            math.log(2.0) / figures.PHASE_HALF_LIFE * slot,
            slot / figures.PHASE_WAIT,
            slot / figures.PHASE_LENGTH,
            figures.PHASE_CALM,
            figures.DEVIATION_NOISE * math.sqrt(slot),
        ]
    )


def _with_shared(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns correlated with the first one, the factor's, as the figures say."""
    mixed = figures.SHARED * draws[:, :1] + math.sqrt(1.0 - figures.SHARED**2) * draws
    mixed[:, 0] = draws[:, 0]
    return mixed


def _activity(relative: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much busier than usual each symbol is, in frames and again in sizes: with the geometric mean of its volatilities."""
    usual = 1.0 / figures.USUAL_ACTIVITY
    power: NDArray[np.float64] = usual * np.sqrt(relative[0] * relative[1:]) ** (0.5 * figures.TRADING_POWER)
    return power

"""How prices and quantities of each symbol are written: with the decimals of its tick and step."""

from __future__ import annotations

from collections.abc import Sequence

from turbo_trader.market.instruments import Instrument


class Figures:
    """Of all symbols, by their place in `instruments`."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._formats = [_formats(i) for i in instruments]
        self._scales = [(float(i.tick), float(i.step)) for i in instruments]

    def change(self, s: int, instrument: Instrument) -> None:
        """The tick or step of symbol `s` is another from now on."""
        self._formats[s] = _formats(instrument)
        self._scales[s] = float(instrument.tick), float(instrument.step)

    def scale(self, s: int) -> tuple[float, float]:
        """Tick and step."""
        return self._scales[s]

    def formats(self, s: int) -> tuple[str, str]:
        """Format specifications of prices and of quantities."""
        return self._formats[s]

    def price(self, s: int, ticks: int) -> str:
        """Ticks as the venue shows a price."""
        return format(ticks * self._scales[s][0], self._formats[s][0])

    def size(self, s: int, lots: int) -> str:
        """Lots as the venue shows a quantity."""
        return format(lots * self._scales[s][1], self._formats[s][1])


def _formats(instrument: Instrument) -> tuple[str, str]:
    decimals = (max(0, -int(unit.as_tuple().exponent)) for unit in (instrument.tick, instrument.step))
    price, size = (f".{n}f" for n in decimals)
    return price, size

"""The house itself: row size, package version."""

from turbo_trader import __version__
from turbo_trader.market.events import ROW


def test_a_tape_row_is_24_bytes() -> None:
    assert ROW.itemsize == 24


def test_the_version_is_stated() -> None:
    assert __version__.count(".") == 2

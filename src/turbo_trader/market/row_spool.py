"""Rows of several symbols that come mixed, set aside on disk until it is known how many there are of each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import numpy as np

from turbo_trader.market.rows import ROW, Rows

_AT_ONCE: Final = 2**19  # rows


class RowSpool:
    """A file without a name for each symbol: nothing is left of it after its context. OSError where it cannot be written."""

    def __init__(self, folder: Path, symbols: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        made = (tempfile.TemporaryFile(dir=folder) for _ in range(symbols))  # noqa: SIM115 - the stack closes them
        self._files = [self._stack.enter_context(file) for file in made]
        self.counts = [0] * symbols

    def __enter__(self) -> Self:
        """Rows may be added."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """The rows are gone."""
        self._stack.close()

    def add(self, s: int, rows: Rows) -> None:
        """More rows of a symbol."""
        self._files[s].write(np.ascontiguousarray(rows).view(np.uint8).data)
        self.counts[s] += len(rows)

    def parts(self) -> Iterator[tuple[int, Rows]]:
        """All of them, symbol after symbol, in the order in which they were added."""
        for s, file in enumerate(self._files):
            file.seek(0)
            while data := file.read(_AT_ONCE * ROW.itemsize):
                yield s, cast("Rows", np.frombuffer(data, ROW))

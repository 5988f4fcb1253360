"""Tapes kept as memory-mapped files: a second run over the same bars, Parquet tape or recording loads at once, whatever its length.

A file is named by a hash of everything its rows come from: the bytes of the files, symbols, seed, order of highs and lows, and the
code that rebuilds them. So it is never stale. It is written beside its name and renamed, so a crash leaves no half of one; what
cannot be read, or has another length than it says, counts as not there. The files used last stay, up to a number of bytes; the
last one always does.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from turbo_trader.market import rebuild
from turbo_trader.market.compiled import cache_folder, sources_hash
from turbo_trader.market.rows import ROW, Rows

_MOST: Final = 4 * 2**30  # bytes of all files together
_PART: Final = 2**22  # bytes read at once
_HEAD: Final = 4096  # bytes before the rows: a JSON object, padded
_FIGURES: Final = Path(rebuild.__file__).with_name("depth_figures.json")


def tapes_folder() -> Path:
    """Where tapes are kept: beside the compiled kernels, below TURBO_TRADER_CACHE or the user's cache folder."""
    return cache_folder().with_name("tapes")


def tape_key(files: Iterable[Path], *about: object) -> str:
    """The name of the tape rebuilt from these files; `about`: what else its rows depend on."""
    digest = hashlib.sha256(sources_hash(Path(rebuild.__file__)).encode())
    digest.update(repr(about).encode())
    for file in (_FIGURES, *files):
        digest.update(f"\n{file.name} {file.stat().st_size}\n".encode())
        with file.open("rb") as content:
            while part := content.read(_PART):
                digest.update(part)
    return digest.hexdigest()[:32]


class TapeCache:
    """Tapes in a folder."""

    def __init__(self, folder: Path, most: int = _MOST) -> None:
        """`most`: bytes of all files together."""
        self.folder, self._most = folder, most

    def find(self, key: str) -> tuple[dict[str, Any], tuple[Rows, ...]] | None:
        """What was kept under this key: facts, and rows by symbol; None where nothing was. Changes of the rows stay in memory."""
        path = self.folder / f"{key}.tape"
        try:
            with path.open("rb") as file:
                about: dict[str, Any] = json.loads(file.read(_HEAD))
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            counts = [int(count) for count in about["counts"]]
            if len(mapped) != _HEAD + sum(counts) * ROW.itemsize:
                return None
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        rows = cast("Rows", np.frombuffer(mapped, ROW, offset=_HEAD))
        ends = np.cumsum(counts)
        return about, tuple(rows[end - count : end] for end, count in zip(ends, counts, strict=True))

    def keep(
        self, key: str, about: dict[str, Any], counts: Sequence[int], parts: Iterable[tuple[int, Rows]]
    ) -> None:
        """Keep a tape: `counts` of rows by symbol, and parts of a symbol's rows, in order.

        One that cannot be written costs the next run its time, nothing else.
        """
        head = json.dumps({**about, "counts": list(counts)}).encode()
        if len(head) > _HEAD:
            return
        ends = np.cumsum(counts)
        places = [_HEAD + int(end - count) * ROW.itemsize for end, count in zip(ends, counts, strict=True)]
        part = self.folder / f"{key}.{os.getpid()}.part"
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("wb") as file:
                    file.write(head.ljust(_HEAD))
                    for s, rows in parts:
                        file.seek(places[s])
                        places[s] += file.write(np.ascontiguousarray(rows).view(np.uint8).data)
                self._make_room(part.stat().st_size)
                part.replace(self.folder / f"{key}.tape")
            finally:
                part.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        kept = sorted(self.folder.glob("*.tape"), key=lambda path: path.stat().st_mtime)
        total = size + sum(path.stat().st_size for path in kept)
        for path in kept:
            if total <= self._most:
                return
            total -= path.stat().st_size
            path.unlink(missing_ok=True)

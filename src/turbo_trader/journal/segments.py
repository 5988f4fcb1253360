"""Writes a recording's blocks into segments: rotated by size and age, the oldest deleted, a failing disk waited for."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.journal.recording_format import HEAD, SUFFIX, Begin, End, Steps, framed, segments

_RETRY_S: Final = 5.0  # between two tries to write to a disk that failed


@dataclass(kw_only=True, frozen=True, slots=True)
class Keep:
    """How much of the recordings of a journal stays: `days` and `size` (bytes); how long a segment grows (bytes, seconds); what of
    the disk is left to the journal (bytes)."""

    days: float = 7.0
    size: int = 10_000_000_000
    segment: int = 64_000_000
    segment_s: float = 3_600.0
    free: int = 500_000_000


class Segments:
    """The segments of one life. Used from one thread; `failed` and `left_out` may be read from any."""

    def __init__(
        self, folder: Path, begin: Begin, keep: Keep, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.failed = ""  # why nothing can be written now
        self.left_out = 0  # steps
        self._folder = folder
        self._begin = begin
        self._keep = keep
        self._seconds = seconds
        self._number = 0
        self._file = -1
        self._path = Path()
        self._size = 0
        self._opened = 0.0
        self._retry = 0.0

    def append(self, block: Steps | End) -> None:
        """Write a block, or count its steps as left out."""
        count = block.count if isinstance(block, Steps) else 0
        if self.failed and self._seconds() < self._retry:
            self.left_out += count
            return
        try:
            if self._file < 0 or self._is_full():
                self._rotate(block.first)
            self._write(framed(block))
            self.failed = ""
        except Exception as error:  # a bug in here must not end the thread: whoever records may wait for it
            why = f"{type(error).__name__}: {error}"
            if isinstance(error, OSError):
                why = str(error.strerror or error)
            self.failed = f"{self._folder}: {why}"
            self.left_out += count
            self._retry = self._seconds() + _RETRY_S
            self.close()

    def close(self) -> None:
        """End the segment."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _is_full(self) -> bool:
        old = self._seconds() - self._opened > self._keep.segment_s
        return old or self._size > self._keep.segment

    def _rotate(self, first: int) -> None:
        """Begin a segment, after the oldest are gone."""
        self.close()
        private_folder(self._folder)
        self._retire()
        last = max((int(path.name.split("-")[0]) for path in segments(self._folder)), default=0)
        path = self._folder / f"{last + 1:08}-{self._begin.boot}{SUFFIX}"
        begin = msgspec.structs.replace(self._begin, segment=self._number, first=first)
        if self._number:
            begin = msgspec.structs.replace(begin, restored=None, outcomes=b"")
        self._file = private_opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        self._path, self._size, self._opened = path, 0, self._seconds()
        try:
            self._write(HEAD + framed(begin))
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._number += 1

    def _write(self, data: bytes) -> None:
        """All of it, or nothing: OSError leaves the file as it was."""
        if shutil.disk_usage(self._folder).free < self._keep.free:
            raise OSError(f"less than {self._keep.free / 1e6:,.0f} MB are free")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _retire(self) -> None:
        """Delete the oldest segments: those older than `days`, and those beyond `size` with one more to come."""
        found = [(path, path.stat()) for path in segments(self._folder)]
        total = sum(stat.st_size for _, stat in found)
        oldest = time.time() - self._keep.days * 86_400
        for path, stat in found:
            if total + self._keep.segment <= self._keep.size and stat.st_mtime >= oldest:
                break
            path.unlink()
            total -= stat.st_size

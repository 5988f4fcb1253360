"""Lines of a recorded file: plain, gzip or the one file of a zip archive. Bounded: no line and no expansion without end."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from turbo_trader.market.errors import InputError

_LONGEST = 1 << 24  # bytes of a line
_FREE = 1 << 26  # bytes that may expand from nothing
_RATIO = 200  # beyond these, bytes read per byte of the file: text of this kind packs 10 to 40 times
#: What zipfile, zlib and the file system raise for a file that is damaged, encrypted, or packed in a way they do not know.
_DAMAGED_FILE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


def content_name(path: Path) -> str:
    """The name of what is inside: without `.gz`, or of the one file of a zip. InputError where a zip has none or several."""
    if path.suffix.lower() != ".zip":
        return path.name.removesuffix(".gz")
    try:
        with zipfile.ZipFile(path) as archive:
            return Path(_member(path, archive).filename).name
    except _DAMAGED_FILE as error:
        raise InputError(f"{path}: cannot be read as a zip archive: {error}") from None


def lines(path: Path, *, keep_ends: bool = False) -> Iterator[tuple[int, bytes]]:
    """(line number, line; with its end if asked). InputError names file and line where it cannot be read or does not end."""
    number, read = 0, 0
    try:
        most = max(_FREE, _RATIO * path.stat().st_size)
        with ExitStack() as stack:
            file = _opened(path, stack)
            while line := file.readline(_LONGEST + 1):
                number += 1
                read += len(line)
                if len(line) > _LONGEST:
                    raise InputError(f"{path}, line {number}: longer than {_LONGEST} bytes: not a recording")
                if read > most:
                    raise InputError(f"{path}, line {number}: expands to more than {_RATIO} times its size")
                yield number, line if keep_ends else line.rstrip(b"\r\n")
    except _DAMAGED_FILE as error:
        raise InputError(f"{path}, line {number + 1}: cannot be read: {error}") from None


def plain_float(cell: str) -> float:
    """A number in ASCII digits, without the underscores that Python allows. ValueError for anything else."""
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    return float(cell)


def _opened(path: Path, stack: ExitStack) -> IO[bytes]:
    if path.suffix.lower() == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_member(path, archive)))
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", stack.enter_context(gzip.open(path, "rb")))
    return stack.enter_context(path.open("rb"))


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) != 1:
        raise InputError(f"{path}: {len(files)} files in it: a zip archive holds one recording")
    return files[0]

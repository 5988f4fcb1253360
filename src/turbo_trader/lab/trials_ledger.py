"""The ledger of trials: every signal ever tested on data, one JSON object per line, written before its result is shown.

It can only be added to: each line carries the hash of the line before it, so a line that was taken out or changed shows. Trials
count together where they saw the same data: a sketch of each data set (hashes of daily closes) tells, whatever its file, its
interval or the names of its symbols.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from turbo_trader.lab.panel import COLUMNS, Panel
from turbo_trader.lab.score_trades import DAY_NS
from turbo_trader.market.errors import InputError

_SKETCH: Final = (
    20_000  # hashes kept of a data set: two years of 27 symbols, so that a week of one of them is recognised
)


@dataclass(frozen=True, slots=True)
class DataPrint:
    """What data it is: `fingerprint` of every number, `sketch` to find data that overlaps."""

    fingerprint: str
    sketch: tuple[str, ...]

    @classmethod
    def of(cls, panel: Panel) -> DataPrint:
        """Of a panel; symbols' names do not matter to the sketch."""
        whole = hashlib.sha256(f"{panel.symbols} {panel.interval_ns}".encode())
        whole.update(panel.ts.tobytes())
        for name in COLUMNS:
            whole.update(np.ascontiguousarray(getattr(panel, name)).tobytes())
        ends = panel.ts + panel.interval_ns
        last = np.flatnonzero(np.diff(ends // DAY_NS, append=ends[-1] // DAY_NS + 1))
        closes = [
            f"{ends[i] // DAY_NS} {float(close):.10g}"
            for i in last
            for close in panel.close[i]
            if np.isfinite(close)
        ]
        hashes = sorted(hashlib.sha256(close.encode()).hexdigest()[:10] for close in closes)
        return cls(whole.hexdigest()[:16], tuple(hashes[:_SKETCH]))

    @classmethod
    def of_file(cls, path: Path) -> DataPrint:
        """Of a tape that is no panel: the same file or folder is the same data."""
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        sizes = [f"{file.name} {file.stat().st_size}" for file in files if file.is_file()]
        hashes = sorted(hashlib.sha256(size.encode()).hexdigest()[:10] for size in sizes)
        return cls(hashlib.sha256("\n".join(sizes).encode()).hexdigest()[:16], tuple(hashes[:_SKETCH]))


@dataclass(frozen=True, slots=True)
class Trial:
    """One signal held against one data set, and its Sharpe ratio per day. `answers`: a print of its trades, "" where not known."""

    signal: str
    fingerprint: str
    parameters: dict[str, Any]
    sharpe: float
    trades: int
    net_bp: float
    answers: str = ""


class Ledger:
    """The file; it is made with the first trial. InputError where it cannot be written or was changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, data: DataPrint, trials: list[Trial], at: str) -> list[Trial]:
        """Write trials of this data and give all that ever saw any of it, each signal once, the newest last.

        A signal that makes other trades of the same data than before is another one, whatever its code says: it may take numbers
        from its surroundings.
        """
        with self._locked() as handle:
            lines = self._lines(handle)
            known = {entry["data"] for entry in lines if entry.get("kind") == "data"}
            new: list[dict[str, Any]] = []
            if data.fingerprint not in known:
                new.append({"kind": "data", "data": data.fingerprint, "sketch": list(data.sketch)})
            new += [
                {
                    "kind": "trial",
                    "at": at,
                    "data": data.fingerprint,
                    **{name: getattr(trial, name) for name in Trial.__slots__},
                }
                for trial in trials
            ]
            self._append(handle, new)
            return _together(lines + new, data)

    def trials(self, data: DataPrint) -> list[Trial]:
        """All trials that saw any of this data."""
        if not self.path.exists():
            return []
        with self._locked() as handle:
            return _together(self._lines(handle), data)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(
                f"ledger of trials {self.path}: {error.strerror}: a study that is not counted is not made; make it writable "
                "or set XDG_STATE_HOME to another folder"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _raw(self, handle: int) -> list[bytes]:
        with os.fdopen(os.dup(handle), "rb") as file:
            file.seek(0)
            return file.read().splitlines()

    def _lines(self, handle: int) -> list[dict[str, Any]]:
        """Its entries, each checked against the line before it; a line that a crash cut off is passed over."""
        found, before = [], b""
        for number, raw in enumerate(self._raw(handle), 1):
            try:
                entry = json.loads(raw)
                follows = entry.get("before")
            except (ValueError, AttributeError):
                entry, follows = {}, _hash(before)  # cut off while it was written
            if follows != _hash(before):
                raise InputError(
                    f"ledger of trials {self.path}, line {number}: does not follow from the line before it: it was changed; "
                    "restore it from a copy"
                )
            found.append(entry)
            before = raw
        return found

    def _append(self, handle: int, entries: list[dict[str, Any]]) -> None:
        raw = self._raw(handle)
        before = raw[-1] if raw else b""
        size = os.fstat(handle).st_size
        torn = size and os.pread(handle, 1, size - 1) != b"\n"
        text = b"\n" if torn else b""
        for entry in entries:
            line = json.dumps({**entry, "before": _hash(before)}, default=str).encode()
            text += line + b"\n"
            before = line
        try:
            os.write(handle, text)
            os.fsync(handle)
        except OSError as error:
            raise InputError(f"ledger of trials {self.path}: {error.strerror}") from None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:16]


def _together(lines: list[dict[str, Any]], data: DataPrint) -> list[Trial]:
    mine = set(data.sketch)
    overlap = {
        entry["data"]
        for entry in lines
        if entry.get("kind") == "data" and (mine & set(entry["sketch"]) or entry["data"] == data.fingerprint)
    }
    found: dict[tuple[str, int], Trial] = {}
    answers: dict[tuple[str, str], list[str]] = {}
    for entry in lines:
        if entry.get("kind") == "trial" and entry["data"] in overlap:
            trial = Trial(**{name: entry[name] for name in Trial.__slots__ if name in entry})
            known = answers.setdefault((trial.fingerprint, entry["data"]), [])
            if trial.answers and trial.answers not in known:
                known.append(trial.answers)
            key = trial.fingerprint, known.index(trial.answers) if trial.answers else 0
            found.pop(key, None)
            found[key] = trial
    return list(found.values())

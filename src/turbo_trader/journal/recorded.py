"""Reads a recording: its lives, and for each life the events and commands of the Trader, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Any, cast

import numpy as np

from turbo_trader.journal.codec import unpack, unpack_event
from turbo_trader.journal.layouts import described
from turbo_trader.journal.recording_format import (
    CLOCK_RECORD,
    FOLDER,
    FRAME_RECORD,
    PACKED_RECORD,
    ROWS_RECORD,
    Begin,
    End,
    Record,
    Steps,
    Torn,
    read_blocks,
    segments,
)
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import ROW
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.trader.events import Clock, Event, MarketRows
from turbo_trader.trader.persisted import OUTCOMES


@dataclass(slots=True)
class Frame:
    """A frame as it was received, by the number of its decoder; where `raw` is None, the decoder was made for `instruments`."""

    decoder: int
    raw: bytes | None
    instruments: Any = None  # as they were packed


@dataclass(slots=True)
class Step:
    """One event, what the Trader commanded for it (packed) or why it failed, and the frames that were received before it."""

    number: int
    event: Event
    commands: list[bytes]
    error: str = ""
    frames: list[Frame] = field(default_factory=list)
    from_wire: bool = False  # the rows of `event` are those of the last of `frames`


@dataclass(slots=True)
class Hole:
    """Steps that are missing in a recording: why, and the step and the time (ns, 0: not known) they are missing from."""

    why: str
    step: int
    ts: int


@dataclass(slots=True)
class RecordedLife:
    """One start of the Trader in a recording. `hole` and `torn` are known when `steps` has ended."""

    begin: Begin
    paths: list[Path]
    hole: Hole | None = None
    torn: str = ""  # what a process that died while writing left behind, and was passed over
    ts: int = 0  # of the last event that was read
    ended: bool = False  # the process ended it; it was not killed and is not still running

    def restored(self) -> dict[str, Any] | None:
        """What the Trader was restored from. InputError where the beginning of the life is not in the recording."""
        if self.begin.restored is None:
            raise InputError(
                f"{self.paths[0].parent}: the beginning of {self.begin.boot} is not there any more"
            )
        restored = unpack(self.begin.restored)
        if self.begin.outcomes:
            if self.begin.outcome != described(OUTCOME):
                version = self.begin.code.version
                raise InputError(
                    f"{self.paths[0]}: outcomes of forecasts in the fields of version {version}: replay it with that one"
                )
            restored[OUTCOMES] = {"rows": np.frombuffer(self.begin.outcomes, OUTCOME).copy()}
        return cast("dict[str, Any] | None", restored)

    def steps(self) -> Iterator[Step]:
        """Every step up to the first hole. InputError where a block cannot be read by this version."""
        expected = self.begin.first
        self.ts = self.begin.start_ts
        frames: list[Frame] = []
        for path in self.paths:
            torn = Torn()
            for block in read_blocks(path, torn):
                if isinstance(block, Begin):
                    continue
                if block.first != expected:
                    missing = block.first - expected
                    self.hole = Hole(f"{missing:,} steps were left out", expected, self.ts)
                    return
                if isinstance(block, End):
                    self.ended = True
                    continue
                yield from self._steps(block, frames)
                expected += block.count
            if torn.why and torn.tail:
                self.torn = f"{path.name}: {torn.why}"
            elif torn.why:
                self.hole = Hole(f"{path.name}, byte {torn.at}: {torn.why}", expected, self.ts)
                return

    def _steps(self, block: Steps, frames: list[Frame]) -> Iterator[Step]:
        step: Step | None = None
        for found in _Records(block, frames):
            if isinstance(found, Step):
                if step is not None:
                    yield step
                step = found
                self.ts = max(self.ts, step.event.ts)
            elif step is not None:
                kind, packed = found
                if kind is Record.COMMAND:
                    step.commands.append(packed)
                else:
                    step.error = packed.decode()
        if step is not None:
            yield step


def recorded_lives(folder: Path) -> list[RecordedLife]:
    """The lives in the recording of a journal's folder, oldest first. InputError where there is none or it cannot be read."""
    place = folder / FOLDER
    lives: dict[str, RecordedLife] = {}
    try:
        paths = segments(place)
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror}") from None
    for path in paths:
        torn = Torn()
        begin = next(read_blocks(path, torn), None)
        if isinstance(begin, Begin):
            lives.setdefault(begin.boot, RecordedLife(begin, [])).paths.append(path)
        elif not torn.why or not torn.tail:
            raise InputError(f"{path}: {torn.why or 'nothing in it'}")
    if not lives:
        raise InputError(f"{folder}: no recording; RECORD=decisions or RECORD=full makes `run` keep one")
    return list(lives.values())


class _Records:
    """The records of a block, in order. Frames gather in `frames` until an event takes them."""

    def __init__(self, block: Steps, frames: list[Frame]) -> None:
        self._block, self._frames = block, frames
        self._number = block.first  # of the next step
        self._at = self._row = self._frame = 0  # places in the block's records, rows and frames

    def __iter__(self) -> Iterator[Step | tuple[Record, bytes]]:
        """Steps by their events alone, and the commands and errors that follow each."""
        while self._at < len(self._block.records):
            match kind := self._block.records[self._at]:
                case Record.ROWS:
                    yield self._rows()
                case Record.CLOCK:
                    yield self._step(Clock(self._take(CLOCK_RECORD)[1]))
                case Record.EVENT:
                    yield self._step(unpack_event(self._packed()))
                case Record.COMMAND | Record.ERROR:
                    yield Record(kind), self._packed()
                case Record.DECODER:
                    decoder, instruments = unpack(self._packed())
                    self._frames.append(Frame(decoder, None, instruments))
                case Record.FRAME:
                    self._raw_frame()
                case _:
                    raise InputError(f"a record of kind {kind}, which this version does not know")

    def _step(self, event: Event, *, from_wire: bool = False) -> Step:
        step = Step(self._number, event, [], "", self._frames.copy(), from_wire)
        self._frames.clear()
        self._number += 1
        return step

    def _rows(self) -> Step:
        _, ts, symbol, count, wire = self._take(ROWS_RECORD)
        rows = np.frombuffer(self._block.rows, ROW, count, self._row * ROW.itemsize).copy()
        self._row += count
        return self._step(MarketRows(ts, symbol, rows), from_wire=bool(wire))

    def _raw_frame(self) -> None:
        _, decoder, length = self._take(FRAME_RECORD)
        self._frames.append(Frame(decoder, self._block.frames[self._frame : self._frame + length]))
        self._frame += length

    def _packed(self) -> bytes:
        _, length = self._take(PACKED_RECORD)
        packed = self._block.records[self._at : self._at + length]
        self._at += length
        return packed

    def _take(self, layout: Struct) -> tuple[Any, ...]:
        fields = layout.unpack_from(self._block.records, self._at)
        self._at += layout.size
        return fields

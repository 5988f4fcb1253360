"""Reads a recording: its lives, and of each what the Trader was given and what it commanded, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from turbo_trader.journal.codec import unpack, unpack_event
from turbo_trader.journal.layouts import described
from turbo_trader.journal.recorder import (
    CLOCK,
    CLOCK_RECORD,
    COMMAND,
    DECODER,
    ERROR,
    EVENT,
    FRAME,
    FRAME_RECORD,
    PACKED_RECORD,
    ROWS,
    ROWS_RECORD,
)
from turbo_trader.journal.recording_format import FOLDER, Begin, End, Steps, Torn, read_blocks, segments
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import ROW
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.trader.events import Clock, Event, MarketRows
from turbo_trader.trader.persisted import OUTCOMES

_ROW: Final = ROW.itemsize


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
    ended: bool = False  # the process ended it; it was not killed and does not go on

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
        for found in _records(block, frames):
            if isinstance(found, Step):
                if step is not None:
                    yield step
                step = found
                self.ts = max(self.ts, step.event.ts)
            elif step is not None:
                kind, packed = found
                if kind == COMMAND:
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


def _records(block: Steps, frames: list[Frame]) -> Iterator[Step | tuple[int, bytes]]:
    """Steps by their events alone, and the commands and errors that follow each; frames gather in `frames` until an event takes
    them."""
    data, at, number = block.records, 0, block.first
    row, frame = 0, 0
    while at < len(data):
        kind = data[at]
        if kind == ROWS:
            _, ts, symbol, count, wire = ROWS_RECORD.unpack_from(data, at)
            at += ROWS_RECORD.size
            rows = np.frombuffer(block.rows, ROW, count, row * _ROW).copy()
            row += count
            yield _step(number, MarketRows(ts, symbol, rows), frames, from_wire=bool(wire))
        elif kind == CLOCK:
            at += CLOCK_RECORD.size
            yield _step(number, Clock(CLOCK_RECORD.unpack_from(data, at - CLOCK_RECORD.size)[1]), frames)
        elif kind == FRAME:
            _, decoder, length = FRAME_RECORD.unpack_from(data, at)
            at += FRAME_RECORD.size
            frames.append(Frame(decoder, block.frames[frame : frame + length]))
            frame += length
        else:
            _, length = PACKED_RECORD.unpack_from(data, at)
            packed = data[at + PACKED_RECORD.size : at + PACKED_RECORD.size + length]
            at += PACKED_RECORD.size + length
            if kind == EVENT:
                yield _step(number, unpack_event(packed), frames)
            elif kind == DECODER:
                decoder, instruments = unpack(packed)
                frames.append(Frame(decoder, None, instruments))
            elif kind in (COMMAND, ERROR):
                yield kind, packed
            else:
                raise InputError(f"a record of kind {kind}, which this version does not know")
        number += kind in (ROWS, CLOCK, EVENT)


def _step(number: int, event: Event, frames: list[Frame], *, from_wire: bool = False) -> Step:
    taken = frames.copy()
    frames.clear()
    return Step(number, event, [], "", taken, from_wire)

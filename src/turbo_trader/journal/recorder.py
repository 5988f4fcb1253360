"""Records the events and commands of a Trader for `turbo-trader replay`. It never delays trading.

The thread that trades only copies bytes; a thread of the recorder's own packs them and writes. Between the two is a bounded queue:
where it is full, or the disk cannot be written, steps are left out and counted, and the recording shows the hole.
"""

from __future__ import annotations

import platform
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from turbo_trader import __version__
from turbo_trader.journal.codec import pack
from turbo_trader.journal.layouts import described
from turbo_trader.journal.recording_format import (
    CLOCK_RECORD,
    FRAME_RECORD,
    PACKED_RECORD,
    ROWS_RECORD,
    Begin,
    Code,
    End,
    Record,
    Steps,
)
from turbo_trader.journal.segments import Keep, Segments
from turbo_trader.market.compiled import sources_hash
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.declared import shown
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader import machine
from turbo_trader.trader.commands import Command, WriteCommand
from turbo_trader.trader.events import Clock, Event, MarketRows
from turbo_trader.trader.persisted import OUTCOMES

_BLOCK: Final = 1 << 18  # bytes that are handed over at once
_WAITING: Final = 256  # blocks
_CLOSE_S: Final = 5.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Life:
    """One start of the Trader: everything it is made of."""

    instruments: tuple[Instrument, ...]
    policy: Policy
    boot: str
    start_ts: int
    restored: dict[str, Any] | None


class Recorder:
    """Records one life. Not thread-safe: used from the thread that trades alone.

    `full`: raw frames too. `patient`: wait for a full queue instead of leaving steps out, where time is simulated.
    """

    def __init__(self, folder: Path, keep: Keep, *, full: bool = False, patient: bool = False) -> None:
        self.full = full
        self._patient = patient
        self._keep = keep
        self._folder = folder
        self._records, self._rows, self._frames = bytearray(), bytearray(), bytearray()
        self._first = self._count = 0
        self._decoders = 0
        self._decoded: Rows | None = None
        self._left_out = 0
        self._queue: queue.Queue[Steps | End] = queue.Queue(_WAITING)
        self._segments: Segments | None = None
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> str:
        """Why nothing can be written now; "" while it can."""
        return self._segments.failed if self._segments is not None else ""

    @property
    def left_out(self) -> int:
        """Steps that are not in the recording."""
        return self._left_out + (self._segments.left_out if self._segments is not None else 0)

    def begin(self, life: Life) -> None:
        """The Trader is made of this. Call it before the Trader has seen `restored`."""
        self._segments = Segments(self._folder, begin_of(life, full=self.full), self._keep)
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def step(self, event: Event, commands: Sequence[Command], error: str = "") -> None:
        """The Trader took `event` and commanded this, or failed with `error`. Nothing of it may change before the call."""
        records = self._records
        if isinstance(event, MarketRows):
            rows = event.rows
            records += ROWS_RECORD.pack(Record.ROWS, event.ts, event.symbol, len(rows), rows is self._decoded)
            self._rows += rows.tobytes()
        elif isinstance(event, Clock):
            records += CLOCK_RECORD.pack(Record.CLOCK, event.ts)
        else:
            self._add(Record.EVENT, pack(event))
        self._count += 1
        for command in commands:
            self._add(Record.COMMAND, pack(command))
        if error:
            self._add(Record.ERROR, error.encode())
        full = len(records) + len(self._rows) + len(self._frames) > _BLOCK
        if full or error or (commands and any(isinstance(command, WriteCommand) for command in commands)):
            self.flush()  # what reached the venue is recorded, even if the process dies now

    def decoder(self, instruments: Sequence[Instrument]) -> int:
        """A decoder of frames was made; its number."""
        self._decoders = (self._decoders + 1) & 0xFFFF
        self._add(Record.DECODER, pack((self._decoders, instruments)))
        return self._decoders

    def frame(self, decoder: int, raw: bytes, rows: Rows | None) -> None:
        """A frame as it was received, and the rows it became."""
        self._records += FRAME_RECORD.pack(Record.FRAME, decoder, len(raw))
        self._frames += raw
        self._decoded = rows

    def flush(self) -> None:
        """Hand what has gathered to the thread that writes it."""
        if not self._records or self._segments is None:
            return
        block = Steps(self._first, self._count, bytes(self._records), bytes(self._rows), bytes(self._frames))
        self._records, self._rows, self._frames = bytearray(), bytearray(), bytearray()
        self._first, self._count = self._first + self._count, 0
        try:
            self._queue.put(block, block=self._patient)
        except queue.Full:
            self._left_out += block.count

    def close(self) -> None:
        """Write the rest; never raises, and waits for a disk that stands still for some seconds at most."""
        self.flush()
        if self._thread is None:
            return
        try:
            self._queue.put(End(self._first), timeout=_CLOSE_S)
        except queue.Full:
            return
        self._thread.join(_CLOSE_S)

    def _add(self, kind: int, packed: bytes) -> None:
        self._records += PACKED_RECORD.pack(kind, len(packed))
        self._records += packed

    def _write(self) -> None:
        assert self._segments is not None
        block: Steps | End | None = None
        while not isinstance(block, End):
            block = self._queue.get()
            self._segments.append(block)
        self._segments.close()


def begin_of(life: Life, *, full: bool) -> Begin:
    """What the first segment of a life begins with."""
    restored = dict(life.restored) if life.restored is not None else None
    outcomes = restored.pop(OUTCOMES)["rows"] if restored and OUTCOMES in restored else np.zeros(0, OUTCOME)
    return Begin(
        boot=life.boot,
        segment=0,
        first=0,
        start_ts=life.start_ts,
        full=full,
        policy={row.name: shown(row.value) for row in life.policy.table()},
        instruments=life.instruments,
        code=code(),
        scan=described(SCAN),
        restored=pack(restored),
        outcomes=outcomes.tobytes(),
        outcome=described(OUTCOME),
    )


def code() -> Code:
    """The code that decides here."""
    sources = sources_hash(Path(machine.__file__))
    return Code(__version__, sources, platform.python_version(), np.__version__, platform.machine())

"""The daemon's recording: where it goes, frames on their way to it, and what is reported of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from turbo_trader.journal.recorder import Recorder
from turbo_trader.journal.recording_format import FOLDER
from turbo_trader.live.daemon_settings import DaemonSettings, Record
from turbo_trader.live.feeds import Decoder
from turbo_trader.market.frame_json import Unread, one_by_one
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import Rows

FLUSH_S: Final = 0.25  # steps that wait for the disk are no older
HOLE: Final = "trading continues; `replay --verify` ends at the hole"

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


def recorder_of(settings: DaemonSettings) -> Recorder | None:
    """What RECORD asks for."""
    if settings.record is Record.OFF:
        return None
    simulated = settings.clocks.reached is not None
    return Recorder(
        settings.journal / FOLDER, settings.keep, full=settings.record is Record.FULL, patient=simulated
    )


class RecordedFrames:
    """A decoder whose frames are recorded, with the rows they become."""

    def __init__(self, decoder: Decoder, instruments: Sequence[Instrument], recorder: Recorder) -> None:
        self._decoder = decoder
        self._recorder = recorder
        self._number = recorder.decoder(instruments)
        self.left_out = getattr(decoder, "left_out", None)

    def decode_all(self, raws: Sequence[bytes], unread: Unread) -> Iterable[tuple[int, Rows]]:
        """As the decoder's, one by one."""
        return one_by_one(self.decode, raws, unread)

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """As the decoder's."""
        found = None
        try:
            found = self._decoder.decode(raw)
        finally:
            self._recorder.frame(self._number, raw, found[1] if found is not None else None)
        return found


async def keep_recording(recorder: Recorder, emit: Emit) -> None:
    """Hand over what has gathered, and report what the recorder cannot write; runs until it is cancelled."""
    failed, left_out, flushed = "", 0, 0.0
    while True:
        await asyncio.sleep(FLUSH_S)
        if time.monotonic() - flushed < FLUSH_S:
            continue  # simulated time runs faster than a disk loses power
        flushed = time.monotonic()
        recorder.flush()
        if bool(recorder.failed) != bool(failed):
            _report(recorder, emit)
            left_out = recorder.left_out
        elif recorder.left_out > left_out and not recorder.failed:
            left_out = recorder.left_out
            emit("recording-hole", "warning", {"left_out": left_out, "meaning": HOLE})
        failed = recorder.failed


def _report(recorder: Recorder, emit: Emit) -> None:
    if recorder.failed:
        emit("recording-failed", "warning", {"error": recorder.failed, "meaning": HOLE})
    else:
        emit("recording-works", "info", {"left_out": recorder.left_out})

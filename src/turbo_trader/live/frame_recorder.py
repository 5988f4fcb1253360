"""Writes a venue's public frames, as they come, to files that every verb reads as a tape.

A file an hour (UTC), `frames-YYYYMMDD-HH.jsonl`, a line a frame. Each begins with whole books: the connection is made again for it.
A recorder that is killed loses at most the last second; a torn last line is cut off before a file is gone on with.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from turbo_trader.bybit.streams import Stream, StreamConfig
from turbo_trader.bybit.topics import RefusedTopic, public_topics

FLUSH_S: Final = 1.0
SILENCE_S: Final = 30.0  # without any frame: the connection is made again

_valid = msgspec.json.Decoder(msgspec.Raw)


@dataclass(kw_only=True)
class FrameRecorder:
    """Records until it is cancelled or its time is over. `say`: a line for a person. OSError where a file cannot be written."""

    folder: Path
    url: str  # of the public stream
    symbols: tuple[str, ...]
    depth: int = 50
    say: Callable[[str], None] = lambda _: None
    frames: int = 0
    written: int = 0  # bytes
    unreadable: int = 0  # frames that are no JSON
    lost: int = 0  # connections
    files: list[Path] = field(default_factory=list)
    _file: BinaryIO | None = None
    _name: str = ""
    _failed: OSError | None = None

    async def run(self, seconds: float | None) -> None:
        """Record for so long; None: until cancelled."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stream = Stream(
            StreamConfig(self.url, public_topics(self.symbols, self.depth), SILENCE_S),
            on_frames=self._take_all, on_up=lambda: self.say(f"recording {', '.join(self.symbols)}"), on_down=self._on_down,
            now_ms=lambda: 0, on_refused=lambda why: self.say(f"no connection yet: {why}"), on_topic_refused=self._on_topic,
        )  # fmt: skip
        self._turn(stream)
        running = asyncio.create_task(stream.run())
        try:
            async with asyncio.timeout(seconds):
                while not running.done():
                    await asyncio.sleep(FLUSH_S)
                    self._flush()
                    self._turn(stream)
        except TimeoutError:
            pass
        finally:
            running.cancel()
            self._close()

    def _take_all(self, raws: list[bytes]) -> None:
        for raw in raws:
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            _valid.decode(raw)
        except (ValueError, RecursionError):
            self.unreadable += 1
            return
        line = b'{"t":"recv","data":' + raw.replace(b"\n", b" ") + b"}\n"
        if self._file is None:
            return  # the recording is over, the connection not yet
        try:
            self._file.write(line)
        except OSError as error:  # raised where it can be: at the next flush
            self._failed = error
            return
        self.frames += 1
        self.written += len(line)

    def _on_down(self, reason: str) -> None:
        self.lost += 1
        self.say(f"connection lost: {reason}")

    def _on_topic(self, refused: RefusedTopic) -> None:
        self.say(f"not given by the venue: {refused.topic}")

    def _turn(self, stream: Stream) -> None:
        """The file of this hour; a new one begins with a new connection."""
        name = f"frames-{datetime.now(UTC):%Y%m%d-%H}.jsonl"
        if name == self._name:
            return
        self._close()
        path = self.folder / name
        cut_torn_line(path)
        self._file, self._name = path.open("ab"), name
        self.files.append(path)
        if len(self.files) > 1:
            stream.renew("a new file begins with whole books")

    def _flush(self) -> None:
        if self._failed is not None:
            raise self._failed
        if self._file is not None:
            self._file.flush()

    def _close(self) -> None:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def cut_torn_line(path: Path) -> int:
    """Cut off what follows the last whole line of a file; returns how many bytes that were. Nothing where there is no file."""
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - 65_536)
            file.seek(begin)
            at = file.read(end - begin).rfind(b"\n")
            if at >= 0:
                end = begin + at + 1
                break
            end = begin
        file.truncate(end)
    return size - end

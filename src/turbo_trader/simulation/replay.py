"""Replays a recording: the same events into the same pure Trader must give the same commands, byte for byte.

Each life begins with what it was made of (instruments, policy, what was restored) and takes its events in their order. Commands are
compared as they were recorded; where bytes differ, as text: scans by the fixed names of `simulation.decisions`, so that a field
that was moved is no difference. With raw frames (RECORD=full) the rows are decoded again, and are what the Trader gets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from turbo_trader.journal.codec import pack
from turbo_trader.journal.layouts import described
from turbo_trader.journal.recorded import Frame, RecordedLife, Step
from turbo_trader.journal.recorder import code
from turbo_trader.market.errors import InputError
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import Rows
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.simulation.command_lines import Layout, lines, narrowed
from turbo_trader.trader.events import Event, MarketRows
from turbo_trader.trader.machine import Trader


@dataclass(kw_only=True, frozen=True, slots=True)
class Difference:
    """The first event at which a replay differs: both sides as text."""

    step: int
    ts: int
    event: str
    recorded: str
    replayed: str


@dataclass(kw_only=True, slots=True)
class Verified:
    """The result of one life. `missing`: why the rest of it cannot be verified, from the time `ends` on."""

    boot: str
    begins: int
    ends: int = 0
    steps: int = 0
    commands: int = 0
    difference: Difference | None = None
    missing: str = ""
    torn: str = ""
    ended: bool = False  # by itself: it was not killed and is not still running
    other_code: tuple[str, ...] = ()  # what differs between the code that recorded and this one


def verify(
    life: RecordedLife, policy: Policy | None = None, on_step: Callable[[int], None] = lambda _: None
) -> Verified:
    """Replay one life up to its end, its first difference or its first hole. `policy`: instead of the recorded one.

    InputError where the beginning of the life is gone or the recording cannot be read.
    """
    begin = life.begin
    found = Verified(
        boot=begin.boot, begins=begin.start_ts, ends=begin.start_ts, other_code=_other_code(life)
    )
    trader = Trader(
        begin.instruments, policy or Policy.from_env(begin.policy), boot=begin.boot, start_ts=begin.start_ts,
        restored=life.restored(),
    )  # fmt: skip
    layouts = Layout.of(begin.scan, trader.symbols), Layout.of(described(SCAN), trader.symbols)
    wire = _Wire()
    for step in life.steps():
        event = wire.event(step)
        recorded, replayed = _sides(trader, step, event, layouts)
        if recorded != replayed:
            shown = narrowed(recorded, replayed)
            found.difference = Difference(
                step=step.number, ts=step.event.ts, event=_event_text(step.event, trader.symbols),
                recorded=shown[0], replayed=shown[1],
            )  # fmt: skip
            return found
        found.steps += 1
        found.commands += len(step.commands)
        found.ends = life.ts
        on_step(found.steps)
    found.torn, found.ended = life.torn, life.ended
    found.missing = life.hole.why if life.hole is not None else ""
    return found


def _sides(
    trader: Trader, step: Step, event: Event, layouts: tuple[Layout, Layout]
) -> tuple[list[str], list[str]]:
    """What was commanded and what is commanded now, as text where the bytes differ; two empty lists where they are the same."""
    if event is not step.event and event.rows.tobytes() != step.event.rows.tobytes():  # type: ignore[union-attr]
        return _rows_text(step.event), _rows_text(event)
    error, commands = "", []
    try:
        commands = [pack(command) for command in trader.handle(event)]
        trader.next_time()
    except Exception as raised:  # a bug that was recorded is replayed as well
        error = f"{type(raised).__name__}: {raised}"
    same = layouts[0] == layouts[1] and commands == step.commands
    if same and error == step.error:
        return [], []
    sides = []
    for layout, packed, why in ((layouts[0], step.commands, step.error), (layouts[1], commands, error)):
        text = [line for each in packed for line in lines(each, layout)]
        sides.append([*text, *([f"the trader failed: {why}"] if why else [])])
    return sides[0], sides[1]


class _Wire:
    """Frames to rows once more, by decoders that are made when they were made."""

    def __init__(self) -> None:
        self._decoders: dict[int, FrameDecoder] = {}

    def event(self, step: Step) -> Event:
        """The step's event, with rows of the wire where it had them."""
        rows: Rows | None = None
        for frame in step.frames:
            rows = self._decode(frame)
        event = step.event
        if not step.from_wire or not isinstance(event, MarketRows):
            return event
        if rows is None:
            rows = event.rows[:0]
        elif len(event.rows):  # what was dated ahead of our clock was taken as of now
            np.minimum(rows["ts"], event.rows["ts"][-1], out=rows["ts"])
        return MarketRows(event.ts, event.symbol, rows)

    def _decode(self, frame: Frame) -> Rows | None:
        if frame.raw is None:
            instruments = msgspec.convert(frame.instruments, tuple[Instrument, ...])
            self._decoders[frame.decoder] = FrameDecoder(instruments)
            return None
        if frame.decoder not in self._decoders:
            raise InputError("frames whose decoder is not in the recording: their beginning is gone")
        try:
            found = self._decoders[frame.decoder].decode(frame.raw)
        except Exception:  # the daemon passed it over too
            return None
        return found[1] if found is not None else None


def _rows_text(event: Event) -> list[str]:
    assert isinstance(event, MarketRows)
    names = event.rows.dtype.names or ()
    return [
        " ".join(("row", str(n), *(f"{name}={row[name]}" for name in names)))
        for n, row in enumerate(event.rows)
    ]


def _event_text(event: Event, symbols: Sequence[str]) -> str:
    if isinstance(event, MarketRows):
        return f"{len(event.rows)} market rows of {symbols[event.symbol]}"
    fields: Any = msgspec.to_builtins(event, enc_hook=lambda value: f"{len(value)} bars")
    shown = " ".join(
        f"{name}={value}" for name, value in fields.items() if name != "ts" and value not in ("", None, [])
    )
    return f"{type(event).__name__} {shown}".strip()


def _other_code(life: RecordedLife) -> tuple[str, ...]:
    then, now = msgspec.structs.asdict(life.begin.code), msgspec.structs.asdict(code())
    return tuple(f"{name} {then[name]}, here {now[name]}" for name in now if then[name] != now[name])

"""Alarms as the daemon and the guard see them: events are passed to a separate process and forgotten."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from queue import Empty, Full, Queue
from typing import Any, Final, Self

import msgspec

from turbo_trader.console.alarms.addresses import Target, require_extra
from turbo_trader.console.alarms.catalogue import WANTED, Alarm
from turbo_trader.journal.encoding import encode
from turbo_trader.market.errors import InputError, Refused

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields

_PENDING: Final = 500  # events on their way to the sender; more are dropped and counted
_READY_S: Final = 15.0  # given to the sender to look at the addresses
_LOOK_S: Final = 1.0  # how often its reports are read while there is no event
_AGAIN_S: Final = 30.0  # between two starts of a sender that ended
_PLAIN_ENDS: Final = (InputError, Refused, KeyboardInterrupt, SystemExit)  # a person knows of them
_LEAVE_S: Final = 2.0  # given, twice, to the last messages at the end


@dataclass(kw_only=True, frozen=True, slots=True)
class AlarmSettings:
    """What is sent, and where. `process`: daemon or guard; `sender`: how messages begin, such as `turbo-trader live`."""

    targets: Sequence[Target]
    process: str
    sender: str
    kinds: Sequence[Alarm]
    level: str
    digest: str
    interval_s: float


class AlarmsBeside:
    """The sender of one process while entered. `event` returns at once and never raises, whatever becomes of the sender.

    InputError on entering where an address is none that apprise can use. `emit` reports errors, from a thread.
    """

    def __init__(self, settings: AlarmSettings, emit: Emit) -> None:
        self._settings = settings
        self._emit = emit
        self._queue: Queue[bytes] = Queue(_PENDING)
        self._ending = threading.Event()
        self._reason = "interrupted"
        self.dropped = self._dropped_said = 0  # events that the sender was not given

    def __enter__(self) -> Self:
        require_extra()
        self._start()
        problems = self._problems()
        if problems:
            self._stop()
            raise InputError(
                "; ".join(f"NOTIFY: target {name}: {why}" for name, why in problems.items())
            )  # fmt: skip
        self._feeder = threading.Thread(target=self._feed, name="alarms", daemon=True)
        self._feeder.start()
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        crashed = error is not None and not isinstance(error, _PLAIN_ENDS)
        why = str(error) if isinstance(error, InputError | Refused) else self._reason
        fields = {"process": self._settings.process, "why": type(error).__name__ if crashed else why}
        self.event("process-crashed" if crashed else "process-ended", fields, time.time_ns())
        self._ending.set()
        self._feeder.join(_LEAVE_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_S)  # beyond it the sender ends by itself

    @property
    def pid(self) -> int:
        """Of the sender's process."""
        return self._process.pid

    def because(self, reason: str) -> None:
        """Why the process ends, for the last message."""
        self._reason = reason

    def event(self, name: str, fields: dict[str, Any], ts: int) -> None:
        """An event of the log, at `ts` (ns UTC); those that no alarm is made of are passed over."""
        if name not in WANTED:
            return
        try:
            self._queue.put_nowait(encode({"name": name, "fields": fields, "ts": ts}))
        except Full:
            self.dropped += 1

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:
        """An event that no observer sees: to the log, and here."""
        self._emit(name, level, fields)
        self.event(name, fields, time.time_ns())

    # -- the sender's process

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", "turbo_trader.console.alarms", str(theirs.fileno())]
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        asked = self._settings
        self._connection.send_bytes(
            encode(
                {"targets": [target.url for target in asked.targets], "process": asked.process, "sender": asked.sender,
                 "kinds": list(asked.kinds), "level": asked.level, "digest": asked.digest, "interval_s": asked.interval_s}
            )
        )  # fmt: skip

    def _stop(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _problems(self) -> dict[str, str]:
        """By target, what is wrong with its address. A sender too slow to say so is believed that nothing is."""
        try:
            if not self._connection.poll(_READY_S):
                return {}
            return dict(msgspec.json.decode(self._connection.recv_bytes()).get("problems", {}))
        except (OSError, EOFError):
            raise InputError("NOTIFY: the sender of alarms does not start") from None

    def _feed(self) -> None:
        """On a thread of its own: a sender that does not read holds up this thread alone."""
        with contextlib.closing(self):
            while not (self._ending.is_set() and self._queue.empty()):
                try:
                    self._pass_on()
                except (OSError, EOFError):
                    self._restart()

    def close(self) -> None:
        """Close the pipe: the sender sends what it has and ends."""
        self._connection.close()

    def _pass_on(self) -> None:
        with contextlib.suppress(Empty):
            event = self._queue.get(timeout=_LOOK_S / 10 if self._ending.is_set() else _LOOK_S)
            self._connection.send_bytes(event)
        if self.dropped != self._dropped_said:
            self._dropped_said = self.dropped
            self._emit("notify-dropped", "warning", {"events": self.dropped})
        while self._connection.poll():
            self._heard(msgspec.json.decode(self._connection.recv_bytes()))

    def _heard(self, report: dict[str, Any]) -> None:
        if "failed" in report:
            fields = {key: report[key] for key in ("why", "waiting", "dropped")}
            self._emit("notify-failed", "warning", {"target": report["failed"], **fields})
        elif "works" in report:
            self._emit("notify-works", "info", {"target": report["works"]})

    def _restart(self) -> None:
        self._emit(
            "notify-ended", "warning", {"meaning": "the sender of alarms has ended; it is started again"}
        )
        self._stop()
        if self._ending.wait(_AGAIN_S):
            return
        with contextlib.suppress(OSError):
            self._start()

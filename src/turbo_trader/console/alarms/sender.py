"""The process that sends alarms: events come in by a pipe, a thread for each target sends, so that none waits for another."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

import msgspec

from turbo_trader.console.alarms.addresses import Target
from turbo_trader.console.alarms.catalogue import Alarm, Severity
from turbo_trader.console.alarms.digest import Digest
from turbo_trader.console.alarms.outbox import Message, Outbox
from turbo_trader.console.alarms.raising import Choice, Raised, Raising

_LAST_S: Final = 10.0  # given to the last messages once the process it serves has ended
_LOOK_S: Final = 1.0

Report = Callable[[dict[str, Any]], None]


class Receiver(Protocol):
    """What a message is sent to: `targets.Target`."""

    name: str

    def send(self, title: str, body: str, severity: Severity) -> str:
        """Deliver a message; returns why it could not be, "" where it was."""


class Worker:
    """Sends what waits for one target, on a thread of its own."""

    def __init__(self, target: Receiver, outbox: Outbox, report: Report) -> None:
        self._target = target
        self._outbox = outbox
        self._report = report
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=target.name, daemon=True)
        self._thread.start()

    def put(self, raised: Raised) -> None:
        """Let an alarm wait for its turn."""
        with self._changed:
            self._outbox.put(raised)
            self._changed.notify()

    def end(self) -> None:
        """Send what waits without another pause, once, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        while (message := self._next()) is not None:
            why = self._target.send(message.title, message.body, message.severity)
            with self._changed:
                now, failed_before = time.monotonic(), self._outbox.failures
                if not why:
                    self._outbox.delivered(now)
                else:
                    self._outbox.failed(now)
                waiting, dropped, ending = len(self._outbox), self._outbox.dropped, self._ending
            if why and (not failed_before or ending):
                self._report(
                    {"failed": self._target.name, "why": why, "waiting": waiting, "dropped": dropped}
                )
            elif failed_before and not why:
                self._report({"works": self._target.name})
            if why and ending:
                return

    def _next(self) -> Message | None:
        """The next message when it is due; None at the end."""
        with self._changed:
            while True:
                due = self._outbox.due()
                if self._ending:
                    return None if due is None else self._outbox.take()
                wait = None if due is None else due - time.monotonic()
                if wait is not None and wait <= 0:
                    return self._outbox.take()
                self._changed.wait(wait)


def run(connection: Connection) -> None:
    """Serve one daemon or guard until the pipe to it ends. What it is to do comes first: `beside.AlarmsBeside`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches the whole group
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # and a service manager's too: the pipe says when it is over
    asked = msgspec.json.decode(connection.recv_bytes())
    lock = threading.Lock()

    def report(what: dict[str, Any]) -> None:
        with lock:
            try:
                connection.send_bytes(msgspec.json.encode(what))
            except OSError:
                return  # nobody is left to hear it

    targets = [Target(number, url) for number, url in enumerate(asked["targets"], 1)]
    problems = {target.name: problem for target in targets if (problem := target.problem())}
    report({"problems": problems})
    if not problems:
        Sender(asked, targets, report).serve(connection)


class Sender:
    """Events to alarms, alarms to the workers of the targets."""

    def __init__(self, asked: Mapping[str, Any], targets: list[Target], report: Report) -> None:
        self._process = str(asked["process"])
        self._guarded = False  # another process says when this one is gone
        self._choice = Choice(
            alarms=frozenset(map(Alarm, asked["kinds"])), least=Severity(asked["level"])
        )  # fmt: skip
        self._raising = Raising()
        self._digest = Digest(asked["digest"])
        self._workers = [
            Worker(target, Outbox(asked["sender"], asked["interval_s"]), report) for target in targets
        ]

    def serve(self, connection: Connection) -> None:
        """Until the other end has closed."""
        ended = False
        while True:
            try:
                if connection.poll(self._patience()):
                    event = msgspec.json.decode(connection.recv_bytes())
                    ended = ended or event["name"] in ("process-ended", "process-crashed")
                    self._take(event["name"], event["fields"], event["ts"])
            except (EOFError, OSError):
                break
            self._put(self._raising.due(time.monotonic()))
        if not ended and not self._guarded:
            self._take("process-gone", {"process": self._process}, time.time_ns())
        until = time.monotonic() + _LAST_S
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.join(until - time.monotonic())

    def _patience(self) -> float:
        due = self._raising.next_due()
        return _LOOK_S if due is None else min(_LOOK_S, max(0.0, due - time.monotonic()))

    def _take(self, name: str, fields: Mapping[str, Any], ts: int) -> None:
        if name in ("guard-found", "guard-begun", "guard-ended"):
            self._guarded = name != "guard-ended"
        self._put(self._raising.take(name, fields, ts, time.monotonic()))
        self._put(self._digest.take(name, fields, ts, self._raising.counts))

    def _put(self, raised: list[Raised]) -> None:
        for each in raised:
            if self._choice.takes(each):
                for worker in self._workers:
                    worker.put(each)

"""A panel signal in its own process, so that a slow or failing plug-in never delays the daemon.

`python -m turbo_trader.lab.score_process` answers panels on its stdin; `ScoreProcess` asks it. An answer that does not come in time
ends the process, and the next question starts it again. It is given no keys, and ends with the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import pickle
import signal
import struct
import sys
from typing import Any, BinaryIO, Final

from turbo_trader.lab.serving import Order, Serving, served
from turbo_trader.market.errors import InputError
from turbo_trader.signals.asking import Answer, NoAnswer, Wanted
from turbo_trader.signals.panel_signal import Panel

_LENGTH: Final = struct.Struct("<Q")
_BEGIN_S: Final = 60.0  # imports, and kernels that are not compiled yet
_SECRETS: Final = "BYBIT_"  # environment variables it does not get


class ScoreProcess:
    """Asks the process; starts it again after it has failed."""

    def __init__(self, order: Order, limit_s: float) -> None:
        """InputError where the signal cannot be had."""
        self._order = order
        self._limit_s = limit_s
        self._wanted = served(order).wanted
        self._process: asyncio.subprocess.Process | None = None

    @property
    def wanted(self) -> Wanted:
        """As the signal's."""
        return self._wanted

    async def begin(self) -> None:
        """Start it; what fails here fails at the first question."""
        with contextlib.suppress(NoAnswer):
            await self._running()

    async def answer(self, panel: Panel) -> Answer:
        """The scores at the panel's end. NoAnswer where it fails, or takes longer than its limit."""
        process = await self._running()
        found = await self._exchange(process, panel, self._limit_s, f"no answer within {self._limit_s:g} s")
        if isinstance(found, Answer):
            return found
        raise NoAnswer(str(found))

    async def end(self) -> None:
        """Kill it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "turbo_trader.lab.score_process", str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)},
            start_new_session=True,
        )  # fmt: skip
        ready = await self._exchange(process, self._order, _BEGIN_S, f"not started within {_BEGIN_S:g} s")
        if ready is not None:
            await self.end()
            raise NoAnswer(str(ready))
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, message: object, limit_s: float, late: str
    ) -> Any:
        """Send a message and wait for its answer. NoAnswer, and the end of the process, where there is none in time."""
        assert process.stdin is not None
        assert process.stdout is not None
        body = pickle.dumps(message, protocol=5)
        try:
            async with asyncio.timeout(limit_s):
                process.stdin.write(_LENGTH.pack(len(body)) + body)
                await process.stdin.drain()
                (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                return pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 - of our own process
        except TimeoutError:
            await self.end()
            raise NoAnswer(f"{late}; its process is started again") from None
        except (OSError, asyncio.IncompleteReadError):
            await self.end()
            raise NoAnswer("its process has ended; it is started again") from None


# -- inside the process


def main(parent: int) -> None:
    """Answer until stdin ends."""
    _end_with(parent)
    os.nice(5)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the plug-in prints goes where nobody reads answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serving: Serving | None = None
    while (message := _read(requests)) is not None:
        reply: object = None
        try:
            if isinstance(message, Order):
                serving = served(message)
            elif serving is not None:
                reply = serving.answer(message)
        except (InputError, NoAnswer) as error:
            reply = str(error)
        body = pickle.dumps(reply, protocol=5)
        answers.write(_LENGTH.pack(len(body)) + body)
        answers.flush()


def _read(stream: BinaryIO) -> Any:
    """The next message; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    return pickle.loads(stream.read(length))  # noqa: S301 - of our own daemon


def _end_with(parent: int) -> None:
    """Be killed when the daemon ends, however it does (Linux); a plug-in in an endless loop would outlive it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))

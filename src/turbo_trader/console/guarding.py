"""The guard beside a live daemon: started with it and again whenever it ends, unless a unit of its own runs already."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from turbo_trader.console.output import say
from turbo_trader.live.guard import is_watched

_AGAIN_S: Final = 5.0


@contextmanager
def guard_beside(mode: str, base: Path, folder: Path) -> Iterator[None]:
    """Have a guard while the context lasts. It is left running afterwards and ends by itself once nothing is open."""
    if is_watched(folder):
        say("guard   a process of its own watches this account")
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(mode, base, ended), name="guard", daemon=True)
    thread.start()
    say("guard   started beside the daemon; it stays until nothing is open")
    try:
        yield
    finally:
        ended.set()


def _keep(mode: str, base: Path, ended: threading.Event) -> None:
    command = [
        sys.executable,
        "-m",
        "turbo_trader.console",
        "guard",
        "--mode",
        mode,
        "--journal-dir",
        str(base),
        "--until-idle",
    ]
    while not ended.is_set():
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=dict(os.environ),
        )  # fmt: skip
        while process.poll() is None:
            if ended.wait(1.0):
                return  # left running
        ended.wait(_AGAIN_S)

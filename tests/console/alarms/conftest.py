"""Receivers of alarms on this machine: one that takes them, one that refuses, one that never answers. They are no venues."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.canned_servers import Canned, Request, canned

PASSWORD = "hunter2hunter2"  # in every address: it must be seen nowhere


@dataclass
class Receiver:
    """What came in, and the answer: `status` 0 never answers."""

    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """As apprise has it: one try of a second."""
        return f"json://user:{PASSWORD}@127.0.0.1:{self.port}/alarms?rto=1&cto=1"

    @property
    def text(self) -> str:
        """All titles and bodies."""
        return "\n".join(f"{each['title']}\n{each['message']}" for each in self.got)

    def wait(self, text: str, seconds: float = 30.0) -> None:
        """Until `text` has arrived."""
        until = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < until, self.text
            time.sleep(0.02)


Receive = Callable[..., Any]


@contextmanager
def receiver(status: int = 200) -> Iterator[Receiver]:
    found, over = Receiver(status), threading.Event()

    def answer(asked: Request) -> Canned | None:
        if not found.status:
            over.wait(60)
            return None
        found.got.append(json.loads(asked.body))
        return Canned(b"", found.status)

    with canned(answer) as url:
        found.port = urlsplit(url).port or 0
        yield found
        over.set()


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def hanging() -> Iterator[Receiver]:
    with receiver(0) as found:
        yield found


@pytest.fixture
def refusing() -> Receiver:
    """Nobody listens there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Receiver(port=free.getsockname()[1])

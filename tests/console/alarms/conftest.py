"""Receivers of alarms on this machine: one that takes them, one that refuses, one that never answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not found.status:
                over.wait(60)
                return
            found.got.append(json.loads(body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    over.set()
    server.shutdown()
    server.server_close()


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

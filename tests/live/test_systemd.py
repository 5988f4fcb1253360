"""What the service manager hears, on a socket of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from turbo_trader.live.systemd import Systemd


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """An address as systemd writes it, and the socket behind it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@turbo-trader-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + address[1:] if address.startswith("@") else address)
        heard.settimeout(5)
        yield address, heard


async def test_ready_signs_of_life_and_the_end_are_heard(manager: tuple[str, socket.socket]) -> None:
    address, heard = manager
    environment = {
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "150000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    service = Systemd.from_environment(environment)
    assert environment == {"HOME": "/"}  # not for the processes that this one starts
    service.ready()
    living = asyncio.create_task(service.live())
    await asyncio.sleep(0.4)
    living.cancel()
    service.stopping()
    heard.setblocking(False)
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(heard.recv(999).decode())
    assert said[0].startswith("READY=1")
    assert said[-1] == "STOPPING=1"
    assert set(said[1:-1]) == {"WATCHDOG=1"}
    assert len(said) >= 5


async def test_a_loop_that_hangs_says_nothing(manager: tuple[str, socket.socket]) -> None:
    address, heard = manager
    service = Systemd(address, 0.15)
    living = asyncio.create_task(service.live())
    await asyncio.sleep(0)
    assert heard.recv(99) == b"WATCHDOG=1"
    os.sched_yield()
    heard.settimeout(0.3)
    with pytest.raises(TimeoutError):
        heard.recv(99)  # blocks the event loop, as a hang does
    living.cancel()


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "x"},
     {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}],
)  # fmt: skip
async def test_nobody_who_listens_is_no_error(environment: dict[str, str]) -> None:
    service = Systemd.from_environment(environment)
    service.ready()
    await asyncio.wait_for(service.live(), 5)
    service.stopping()

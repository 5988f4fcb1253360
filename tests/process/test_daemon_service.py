"""A real daemon as systemd runs it: ready when it trades, alive while its loop turns, and its end is announced."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from tests.process.test_run import environment, turbo


def test_a_daemon_says_ready_alive_and_stopping(tmp_path: Path) -> None:
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))

        def hear() -> None:
            while not said or said[-1] != "STOPPING=1":
                said.append(manager.recv(999).decode())

        listener = threading.Thread(target=hear, daemon=True)
        listener.start()
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        done = turbo(tmp_path, "run", "--no-ui", "--json", "--speed", "max", "--for", "60s", **env)
        listener.join(5)
    assert done.returncode == 0, done.stderr
    assert "time limit" in json.loads(done.stdout)["reason"]
    assert said[0].startswith("READY=1")
    assert said[-1] == "STOPPING=1"
    assert set(said[1:-1]) == {"WATCHDOG=1"}
    assert "NOTIFY_SOCKET" not in environment(tmp_path)

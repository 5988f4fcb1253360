"""`turbo-trader dashboard` as a process: its ready line, its token, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TURBO = Path(sys.executable).with_name("turbo-trader")


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        [TURBO, "dashboard", *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=120
    )


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A page on a free port, and its address."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    page = subprocess.Popen(
        [TURBO, "dashboard", "--port", "0"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert page.stdout is not None
        line = page.stdout.readline()
        assert line.startswith("dashboard ready: http://127.0.0.1:")
        yield page, line.removeprefix("dashboard ready: ").strip()
    finally:
        page.kill()
        page.communicate()


def test_it_says_where_it_is_shows_a_new_token_once_and_ends_on_sigterm(tmp_path: Path) -> None:
    with _serving(tmp_path) as (page, address):
        with urllib.request.urlopen(f"{address}/login", timeout=120) as answer:
            assert b"Token" in answer.read()
        page.send_signal(signal.SIGTERM)
        _, errors = page.communicate(timeout=120)
    token = _run(tmp_path, "--token").stdout.strip()
    assert len(token) > 30
    assert json.loads(_run(tmp_path, "--token", "--json").stdout) == {"token": token}
    assert f"token, shown this once: {token}" in errors
    assert "Traceback" not in errors
    log = (tmp_path / "var" / "dashboard" / "turbo-trader.jsonl").read_text()
    assert token not in log
    with _serving(tmp_path) as (page, _):
        page.send_signal(signal.SIGTERM)
        assert token not in page.communicate(timeout=120)[1]


def test_a_port_in_use_and_a_host_that_is_none_are_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, why in (
            (("--port", port), f"--port {port}: "),
            (("--host", "everywhere"), "--host 'everywhere': "),
        ):
            ended = _run(tmp_path, *arguments)
            assert ended.returncode == 2
            (line,) = [
                each for each in ended.stderr.splitlines() if not each.startswith("token, shown this once")
            ]
            assert why in line


def test_help_needs_nothing_but_the_console(tmp_path: Path) -> None:
    ended = _run(tmp_path, "--help")
    assert ended.returncode == 0
    assert "--port" in ended.stdout
    assert not (tmp_path / "state").exists()

"""Two paper daemons of 15 symbols at speed 1, side by side, one of them with metrics that are scraped and with alarms: what each
uses. `python benchmarks/watched.py [SECONDS]`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

_WARM_S: Final = 90.0  # until both trade
_SCRAPE_S: Final = 5.0
_PORT: Final = 19_108
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_RUN: Final = ["-m", "turbo_trader.console", "run", "--no-ui", "--speed", "1", "--seed", "3"]


class _Target(BaseHTTPRequestHandler):
    """Takes every alarm."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def begin(folder: Path, **env: str) -> subprocess.Popen[bytes]:
    """A daemon with state, journal and log in a folder of its own."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, *_RUN], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "JOURNAL_DIR": "var", **env},
    )  # fmt: skip


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of a core."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(process: subprocess.Popen[bytes]) -> float:
    """Resident, MB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def main(seconds: float) -> None:
    """Print the two."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as kept:
        watched = {
            "METRICS": f"127.0.0.1:{_PORT}",
            "NOTIFY": f"json://127.0.0.1:{server.server_address[1]}/",
        }
        daemons = {"plain": begin(Path(kept) / "plain"), "watched": begin(Path(kept) / "watched", **watched)}
        time.sleep(_WARM_S)
        began, before = time.monotonic(), {name: cpu(each) for name, each in daemons.items()}
        while time.monotonic() - began < seconds:
            time.sleep(_SCRAPE_S)
            urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/metrics", timeout=10).read()
        took = time.monotonic() - began
        for name, each in daemons.items():
            share = 100 * (cpu(each) - before[name]) / took
            print(f"{name}: {share:.2f} % of a core, {memory(each):.0f} MB")
        for each in daemons.values():
            each.terminate()
        for each in daemons.values():
            each.wait(60)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="What a watched daemon uses beside a plain one.")
    asked.add_argument("seconds", type=float, nargs="?", default=240.0)
    main(asked.parse_args().seconds)

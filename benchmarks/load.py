"""`scripts/bench load [SECONDS] [--held]`: what a daemon of 15 symbols uses while public frames come over TLS, as from the venue.

The daemon's own shell, Trader and journal, against the hand-made venue in another process on this machine. `--held`: one position
is held, so that each frame is read as it comes. The certificate is made for the run (openssl), and trusted by this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.latency import holding, settings_for
from benchmarks.latency_venue import run
from turbo_trader.live.router import Machine
from turbo_trader.live.shell import Shell
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.machine import Trader

PER_SECOND: Final = 765  # of 15 symbols: a book frame each 20 ms, a ticker each second
SECONDS: Final = 600.0
_WARM_S: Final = 10.0  # connections open, code is loaded


def certificate(folder: Path) -> Path:
    """A certificate of this machine with its key; OSError where openssl is absent."""
    file = folder / "venue.pem"
    subprocess.run(
        [shutil.which("openssl") or "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(file), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + (folder / "cert.pem").read_bytes())
    return file


def measure(per_second: int, seconds: float, folder: Path, *, held: bool) -> tuple[float, float, int]:
    """(share of a core, most memory in MB, frames a second)."""
    file = certificate(folder)
    os.environ["SSL_CERT_FILE"] = str(file)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    venue = context.Process(
        target=run, args=(theirs, per_second, file), kwargs={"moving": False, "held": held}, daemon=True
    )
    venue.start()
    theirs.close()
    try:
        rest, streams = ours.recv()
        used = uvloop.run(_daemon(rest, streams, seconds, folder, held=held))
        ours.send("end")
        _, _, frames, _ = ours.recv()
    finally:
        venue.join(5)
        venue.kill()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return used / seconds, most, round(frames / (seconds + _WARM_S))


async def _daemon(rest: int, streams: int, seconds: float, folder: Path, *, held: bool) -> float:
    """Seconds of a core that it used after the first few."""
    settings = settings_for(rest, f"wss://127.0.0.1:{streams}/v5", folder / "journal", seconds + _WARM_S)

    def build(instruments: Any, policy: Policy, boot: str, start: int, _: Any) -> Machine:
        restored = holding(policy, start) if held else None
        return Trader(instruments, policy, boot=boot, start_ts=start, restored=restored)

    running = asyncio.create_task(Shell(settings, Policy(), None, build).run())
    await asyncio.sleep(_WARM_S)
    before = _cpu()
    await running
    return _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(prog="scripts/bench load", description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("seconds", type=float, nargs="?", default=SECONDS)
    asked.add_argument("--held", action="store_true", help="one position is held")
    given = asked.parse_args(sys.argv[2:])
    seconds = given.seconds
    with tempfile.TemporaryDirectory() as folder:
        share, most, rate = measure(PER_SECOND, seconds, Path(folder), held=given.held)
    position = "a position held" if given.held else "flat"
    print(
        f"{rate} frames/s of 15 symbols over TLS, {position}, {seconds:.0f} s: {100 * share:.1f} % of a core, {most:.0f} MB"
    )


if __name__ == "__main__":
    main()

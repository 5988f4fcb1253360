"""An environment for each peer in the cache folder: its requirements do not meet ours, nor those of another peer."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from turbo_trader.market.compiled import cache_folder

_INSTALL_S = 900


@dataclass(frozen=True, slots=True)
class Installed:
    """The interpreter of a peer's environment, and the peer's version; where there is none, why."""

    python: Path | None
    version: str = ""
    why_not: str = ""


def environment(
    package: str, *, version: str = "", base: Path | None = None, limit: int = _INSTALL_S
) -> Installed:
    """The environment that has `package`, in `version` where one is named; made below `base`, with pip, where there is none yet.
    pip is given `limit` seconds.

    `PEERS_CACHE` names another folder for them than `peers` in the cache folder.
    """
    base = base or Path(os.environ.get("PEERS_CACHE") or cache_folder().with_name("peers"))
    python = base / package / "bin" / "python"
    if (found := _version(python, package)) and found == (version or found):
        return Installed(python, found)
    venv.create(base / package, with_pip=False, clear=True)
    wanted = f"{package}=={version}" if version else package
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Installed(None, why_not=f"pip took more than {limit} s")
    if done.returncode or not (found := _version(python, package)):
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            f"pip ended with {done.returncode}"
        ]
        return Installed(None, why_not=said[-1][:160])
    return Installed(python, found)


def _version(python: Path, package: str) -> str:
    """Of the package in that environment; "" where it is not there."""
    if not python.exists():
        return ""
    asked = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    done = subprocess.run([python, "-c", asked, package], capture_output=True, text=True, check=False)
    return done.stdout.strip()

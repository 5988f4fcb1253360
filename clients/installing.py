"""An environment for each client below var/clients, by exact version: nothing of it is a dependency of the project."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers.environments import environment
from clients.roster import Client, Registry

FOLDER: Final = Path(__file__).resolve().parents[1] / "var" / "clients"


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """The program that runs a client's driver, and the folder that holds the client; where there is none, why."""

    folder: Path
    program: Path | None
    why_not: str = ""


def install(client: Client) -> Installed:
    """The environment of a client; made where there is none of its version yet."""
    return _npm(client) if client.registry is Registry.NPM else _pip(client)


def _pip(client: Client) -> Installed:
    found = environment(client.package, version=client.version, base=FOLDER, limit=client.install_s)
    return Installed(folder=FOLDER / client.package, program=found.python, why_not=found.why_not)


def _npm(client: Client) -> Installed:
    folder = FOLDER / f"node-{client.package}"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return Installed(folder=folder, program=None, why_not="node and npm are not on this machine")
    if _npm_version(folder, client.package) != client.version:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [npm, "install", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund",
                   f"{client.package}@{client.version}"]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=client.install_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Installed(folder=folder, program=None, why_not=f"npm took more than {client.install_s} s")
        if done.returncode or _npm_version(folder, client.package) != client.version:
            said = (done.stderr or done.stdout).strip().splitlines() or [f"npm ended with {done.returncode}"]
            return Installed(folder=folder, program=None, why_not=said[-1][:160])
    return Installed(folder=folder, program=Path(node))


def _npm_version(folder: Path, package: str) -> str:
    """Of the package in that folder; "" where it is not there."""
    try:
        described = json.loads((folder / "node_modules" / package / "package.json").read_text())
        return str(described["version"])
    except (OSError, ValueError, KeyError):
        return ""

"""A PostgreSQL server of one's own on loopback: started for tests by an unprivileged user, killed, stopped still, started again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

BIN = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "correct horse"  # of the user that journals belong to; has a blank, for it to be escaped


class Postgres:
    """One server with one empty database, `trading`, of the user `trader`."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.data = self.home / "data"
        self._user = _unprivileged()
        if self._user is not None:
            os.chown(self.home, self._user.pw_uid, self._user.pw_gid)
        secret = self.home / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            "initdb", "-D", str(self.data), "-U", "trader", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
            "--no-sync", "--locale=C",
        )  # fmt: skip
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        self.execute("postgres", "CREATE DATABASE trading")

    @property
    def url(self) -> str:
        """As a user writes it."""
        return f"postgresql://trader:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/trading"

    def start(self) -> None:
        """Start it and wait until it answers; its data are what the last life left."""
        self._process = subprocess.Popen(
            [str(BIN / "postgres"), "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.home)],
            stdout=subprocess.DEVNULL, stderr=(self.home / "log").open("ab"), **self._as_user(),
        )  # fmt: skip
        until = time.monotonic() + 60
        while self._ask("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)) != 0:
            assert time.monotonic() < until, (self.home / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the server and every process of it, as a machine that loses power."""
        for pid in self._family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def hang(self) -> None:
        """Stop every process of it still: connections stand, and nobody answers."""
        for pid in self._family():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """After `hang`."""
        for pid in self._family():
            os.kill(pid, signal.SIGCONT)

    def execute(self, database: str, sql: str) -> list[Any]:
        """One statement of the superuser's."""
        import psycopg

        where = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "trader",
            "password": PASSWORD,
            "options": "-c default_transaction_read_only=off",
        }
        with psycopg.connect(dbname=database, autocommit=True, **where) as connection:  # type: ignore[arg-type]
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def remove(self) -> None:
        """End it and take it away."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _family(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(BIN / program), *arguments], capture_output=True, text=True, check=False, **self._as_user()
        )
        assert done.returncode == 0, done.stderr

    def _ask(self, program: str, *arguments: str) -> int:
        return subprocess.run([str(BIN / program), *arguments], check=False).returncode

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {"cwd": self.home}
        return {"cwd": self.home, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to be root: its own user, else nobody."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

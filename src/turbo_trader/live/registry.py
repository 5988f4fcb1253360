"""The running processes of this user: one file each, locked by its process for as long as it lives.

Whether a process lives is asked of the lock alone, never of its process id or its address: the system lets go of the lock however
the process ends. A file is written and locked under a name of its own and then renamed, so that whoever reads it finds it whole
and locked. What a killed process has left is swept by the next one that starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import signal
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Final, Self

from turbo_trader.journal.private_files import read_plain
from turbo_trader.market.errors import InputError

_TURN_S: Final = 5.0  # how long a start waits for others that start at the same moment
_CLAIMS: Final = ".claims"  # locked while a process chooses its name


class Kind(StrEnum):
    """What is registered, each in a folder of its own."""

    DAEMON = "daemons"
    GUARD = "guards"


@dataclass(frozen=True, slots=True)
class Running:
    """A running process: `name` is unique among those of its kind, `folder` is the journal's, absolute.

    `port` and `token` of its control port on 127.0.0.1; 0 while it is starting, and of a guard, which has none.
    """

    name: str
    mode: str
    pid: int
    folder: str
    port: int = 0
    token: str = field(default="", repr=False)


class Registration:
    """This process's own place in the registry, from `Registry.claim` until `end`."""

    def __init__(self, path: Path, running: Running) -> None:
        self.running = running
        self._path = path
        self._lock = _written(path, running)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def listen(self, port: int, token: str) -> None:
        """Say where the process listens. InputError where it cannot be written."""
        listening = replace(self.running, port=port, token=token)
        try:
            lock = _written(self._path, listening)
        except OSError as error:
            raise InputError(f"registry {self._path}: {error.strerror}") from None
        os.close(self._lock)
        self._lock, self.running = lock, listening

    def end(self) -> None:
        """Leave; a process that is killed leaves too, by its lock."""
        if self._lock >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


class Unwritable(InputError):
    """Nobody can register: the disk is full or may not be written."""


class Registry:
    """The running processes of one kind and of this user, the same from every folder."""

    def __init__(self, kind: Kind, home: Path | None = None) -> None:
        """`home`: instead of $XDG_STATE_HOME/turbo-trader."""
        self._folder = (home or state_home()) / kind
        self._kind = kind

    def running(self) -> list[Running]:
        """Every one that lives, by name."""
        found = (_read(path) for path in self._paths() if _is_locked(path))
        return sorted((each for each in found if each is not None), key=lambda each: each.name)

    def registered(self) -> list[tuple[Running, bool]]:
        """Every one that runs or was killed since the last start, by name; and whether it lives."""
        found = [(_read(path), _is_locked(path)) for path in self._paths()]
        return sorted(
            ((each, alive) for each, alive in found if each is not None), key=lambda pair: pair[0].name
        )

    def end(self, running: Running, within_s: float = 10.0) -> bool:
        """Ask a process to end (SIGTERM) and wait until it has; False where it does not."""
        until = time.monotonic() + within_s
        if running not in self.running():  # its process id may be another's by now
            return True
        os.kill(running.pid, signal.SIGTERM)
        while running in self.running():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def was_killed(self, folder: Path) -> bool:
        """Has a process of this journal folder ended without leaving, and has none begun since?"""
        found = [(_is_locked(path), _read(path)) for path in self._paths()]
        ours = [alive for alive, each in found if each is not None and each.folder == str(folder.resolve())]
        return bool(ours) and not any(ours)

    def claim(self, mode: str, folder: Path) -> Registration:
        """Register this process under the first free name: the mode, mode-2 and so on.

        InputError while another one of this kind has the same journal folder; `Unwritable` where no entry can be made.
        """
        where = str(folder.resolve())
        try:
            with self._turn():
                taken = self.running()
                for other in taken:
                    if other.folder == where:
                        raise InputError(_in_use(self._kind, folder, other))
                self._sweep()
                names = {other.name for other in taken}
                name = next(
                    n for n in (mode if i == 1 else f"{mode}-{i}" for i in count(1)) if n not in names
                )
                return Registration(self._folder / name, Running(name, mode, os.getpid(), where))
        except OSError as error:
            raise Unwritable(
                f"registry {self._folder}: {error.strerror}; make it writable or set XDG_STATE_HOME to another folder"
            ) from None

    def _paths(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if not path.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"registry {self._folder}: {error.strerror}; mend its permissions") from None

    def _sweep(self) -> None:
        for path in self._paths():
            if not _is_locked(path):
                with contextlib.suppress(OSError):  # a folder, say: it is none of ours
                    path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Names are chosen by one process at a time. What is written in here belongs to this user alone."""
        _make_private(self._folder.parent)
        _make_private(self._folder)
        handle = os.open(self._folder / _CLAIMS, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + _TURN_S
            while not _try_lock(handle, fcntl.LOCK_EX):
                if time.monotonic() > until:
                    raise InputError(f"registry {self._folder}: another start holds it; try again")
                time.sleep(0.01)
            yield
        finally:
            os.close(handle)


def state_home() -> Path:
    """Where the user's own state is kept: $XDG_STATE_HOME/turbo-trader, by default in ~/.local/state."""
    given = Path(
        os.environ.get("XDG_STATE_HOME", "")
    )  # a relative one is to be passed over, says its specification
    try:
        base = given if given.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise InputError("no home folder: set XDG_STATE_HOME to a folder of yours") from None
    return base / "turbo-trader"


def _in_use(kind: Kind, folder: Path, other: Running) -> str:
    if kind is Kind.GUARD:
        return f"{folder}: another guard watches it already (process {other.pid})"
    return (
        f"journal folder {folder}: in use by another instance, daemon {other.name} (process {other.pid}); "
        "stop it or choose another folder"
    )


def _make_private(folder: Path) -> None:
    """A folder that its owner alone can enter; InputError where it is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid():
        raise InputError(
            f"registry {folder}: belongs to another user; set XDG_STATE_HOME to a folder of yours"
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _written(path: Path, running: Running) -> int:
    """Put `running` at `path`, whole and locked at once; returns the handle that holds the lock."""
    draft = path.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, json.dumps(asdict(running)).encode())
        draft.rename(path)
    except BaseException:
        os.close(handle)
        draft.unlink(missing_ok=True)
        raise
    return handle


def _read(path: Path) -> Running | None:
    """None for a file that is none of ours, or gone."""
    try:
        reported = json.loads(read_plain(path))
        return Running(
            path.name,
            str(reported["mode"]),
            int(reported["pid"]),
            str(reported["folder"]),
            int(reported["port"]),
            str(reported["token"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_locked(path: Path) -> bool:
    """Does the process that wrote `path` live? Asked with a shared lock, which keeps nobody else from asking."""
    while True:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            if not _try_lock(handle, fcntl.LOCK_SH):
                return True
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return False
        except FileNotFoundError:
            return False
        finally:
            os.close(handle)  # and once more where another file took its place meanwhile


def _try_lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

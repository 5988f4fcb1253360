"""Files and folders of a run are private to the user (0600, 0700) whatever the umask: they show money, orders and a token.

A pipe in the place of one is an error at once: nobody waits for its other end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from turbo_trader.journal.schema import FILE

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


def private_folder(path: Path) -> None:
    """Make the folder and its missing parents, private. OSError where it cannot be made.

    One that is there is closed to others where it is empty or a journal's. Any other stays as it is: it may be a home, or the root.
    """
    missing = []
    at = path
    while not at.exists():
        missing.append(at)
        at = at.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER_MODE)
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))
    if not missing and _is_ours(path):
        with contextlib.suppress(OSError):
            path.chmod(FOLDER_MODE)


def _is_ours(folder: Path) -> bool:
    found = folder.stat()
    if (
        found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX
    ):  # /tmp and the like are not ours to close
        return False
    return (folder / FILE).exists() or not any(folder.iterdir())


def private_opener(path: str, flags: int) -> int:
    """For `open(..., opener=)`: the file is private from its first byte on; rights of others on an older one are taken away."""
    handle = os.open(path, flags | os.O_NONBLOCK, FILE_MODE)
    if stat.S_ISREG(os.fstat(handle).st_mode):  # a device such as /dev/null stays everybody's
        with contextlib.suppress(OSError):  # another user's file: the folder is private all the same
            os.fchmod(handle, FILE_MODE)
    return handle


def read_plain(path: Path) -> bytes:
    """What a file holds. OSError where it cannot be read, or is a pipe, a device or a folder."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with os.fdopen(handle, "rb") as file:
        return file.read()


def private_file(path: Path) -> None:
    """Make an empty private file, or take an existing one's rights from others. OSError where it cannot be made.

    An existing file is not opened: closing a file of SQLite's drops this process's locks on it, also those of its connections.
    Another opener would then cut `-shm` short under a running daemon (SIGBUS).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        with contextlib.suppress(OSError):  # another user's file: the folder is private all the same
            path.chmod(FILE_MODE)

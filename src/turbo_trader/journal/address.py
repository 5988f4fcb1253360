"""Where the tables of a journal are: a file of its folder, or a schema of a PostgreSQL database that the folder names.

The name is kept in the folder, so that whoever is given the folder finds the tables. The password is not: libpq finds it in
PGPASSWORD (where the console puts that of JOURNAL_URL) or in the user's password file.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from turbo_trader.journal.private_files import private_folder, private_opener, read_plain
from turbo_trader.journal.schema import FILE
from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import URL

POINTER: Final = "journal.database"
PREFIX: Final = "journal-"  # of the schemas that are journals
MISSING: Final = "JOURNAL_URL needs the extra fleet: pip install 'turbo-trader[fleet]'"
_FORM: Final = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+")
_LONGEST: Final = 63  # bytes of a name in PostgreSQL


@dataclass(frozen=True, slots=True)
class Address:
    """A schema of a database. `url` is without its password; `home`: which folder's journal it is, "" before the first start."""

    url: str
    schema: str
    home: str = ""

    def __str__(self) -> str:
        return f"{self.url.partition('?')[0]} ({self.schema})"


def address(text: str, name: str) -> tuple[Address, str]:
    """The address of the journal `name` in the database that JOURNAL_URL names, and the password ("": none in it).

    InputError, without anything of the text, where it is not of the form; without the extra `fleet`, too.
    """
    url = _parsed(text)
    schema = f"{PREFIX}{name}"
    if len(schema.encode()) > _LONGEST:
        raise InputError(f"journal {name}: too long a name for a database; give a shorter JOURNAL_NAME")
    without = type(url).create(
        url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    )
    return Address(without.render_as_string(hide_password=False), schema), password_of(text)


def password_of(text: str) -> str:
    """The password in a URL; "" where there is none, or it is no URL."""
    try:
        return unquote(urlsplit(text).password or "")
    except ValueError:
        return ""


def read_address(folder: Path) -> Address | None:
    """Where the folder says its tables are; None: in its file. InputError where that cannot be read."""
    path = folder / POINTER
    try:
        found = json.loads(read_plain(path))
        return Address(str(found["url"]), str(found["schema"]), str(found["home"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give its user the right to read it") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InputError(
            f"{path}: does not say where the journal is; remove it and start again with JOURNAL_URL"
        ) from None


def write_address(folder: Path, there: Address) -> None:
    """Say in the folder where its tables are. OSError as it comes."""
    private_folder(folder)
    draft = folder / f"{POINTER}.new"
    with open(draft, "w", opener=private_opener) as file:
        json.dump(asdict(there), file)
    draft.replace(folder / POINTER)


def place(folder: Path) -> Path | Address:
    """What messages call the journal of a folder."""
    return read_address(folder) or folder / FILE


def is_journal(folder: Path) -> bool:
    """Has the folder the tables of a journal, or says where they are?"""
    return (folder / FILE).exists() or (folder / POINTER).exists()


def _parsed(text: str) -> URL:
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise InputError(MISSING) from None
    scheme, _, rest = text.strip().partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise InputError(f"JOURNAL_URL: names no PostgreSQL database; write it like {_FORM}")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise InputError(f"JOURNAL_URL: cannot be read; write it like {_FORM}") from None
    if not url.database:
        raise InputError(f"JOURNAL_URL: names no database; write it like {_FORM}")
    if url.host and not _HOST.fullmatch(url.host):
        raise InputError("JOURNAL_URL: write @ : / and % of user and password as %40 %3A %2F %25")
    if secret := {"password", "passfile", "sslpassword"} & set(url.query):
        raise InputError(f"JOURNAL_URL: {min(secret)} does not belong behind the ?; write it like {_FORM}")
    return url.set(drivername="postgresql")

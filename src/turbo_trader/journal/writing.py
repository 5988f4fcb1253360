"""The journal of a folder, ready to be written by its one writer: its file, or the schema of a database."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from turbo_trader.journal.address import Address, read_address, write_address
from turbo_trader.journal.connection import Database, SqliteFile, open_file
from turbo_trader.journal.journal_errors import readable_values
from turbo_trader.journal.migrations import bring_up, damaged, migrate
from turbo_trader.journal.opening import check, driver, is_there, refuse_lost
from turbo_trader.journal.private_files import private_file
from turbo_trader.journal.schema import FILE, TABLES, VERSION
from turbo_trader.market.errors import InputError

BUSY_S = 0.2  # a commit waits so long for a locked file


def writable(folder: Path, there: Address | None, *, take_over: bool) -> tuple[Database, Path | None]:
    """The whole journal, and the copy of an earlier version; sqlite3.Error and OSError as they come.

    InputError where the folder's journal is kept in another way than asked for: nothing it knows may be left behind unasked.
    """
    kept = read_address(folder)
    if there is None and kept is None:
        return _file(folder, take_over=take_over)
    if there is None:
        raise InputError(
            f"journal {kept}: it is the one of {folder}; set JOURNAL_URL, or put a copy in its place (`journal restore`)"
        )
    if is_there(folder):
        raise InputError(
            f"journal {folder / FILE}: a file, but JOURNAL_URL is set; move it: `turbo-trader journal backup COPY`, then "
            "`turbo-trader journal restore COPY`, both with --journal-dir"
        )
    return _server(folder, there, kept.home if kept is not None else "", take_over=take_over), None


def _file(folder: Path, *, take_over: bool) -> tuple[SqliteFile, Path | None]:
    path = folder / FILE
    if not is_there(folder) and not take_over:
        refuse_lost(folder, None)  # before SQLite clears away what may be left beside it
    if not path.is_dir():
        private_file(path)  # SQLite gives the files beside it the same rights
    db = open_file(path, timeout=BUSY_S)
    try:
        with readable_values(path):
            there = check(path, db)
            if not take_over:
                refuse_lost(folder, db if there else None)
        copy = migrate(path, db) if there else None
        db.make_ready(TABLES, VERSION, new=not there)
        for beside in ("-wal", "-shm"):  # of an older one
            if (folder / f"{FILE}{beside}").exists():
                private_file(folder / f"{FILE}{beside}")
    except BaseException:
        db.close()
        raise
    return db, copy


def _server(folder: Path, there: Address, home: str, *, take_over: bool) -> Database:
    """`home`: that the folder was given at its first start. The tables are those of one folder."""
    driver()
    from turbo_trader.journal.server_writer import ServerWriter

    db = ServerWriter(there)
    try:
        with readable_values(there):
            holds = check(there, db)
            if not take_over:
                refuse_lost(folder, db if holds else None)
        if holds and not take_over:
            _refuse_anothers(folder, there, db.home(), home)
        if holds and db.version() != VERSION:
            damaged(there, db)
            db.keep_copy()
            bring_up(there, db)
        ours = replace(there, home=home or secrets.token_hex(8))
        write_address(folder, ours)  # a death from here on leaves a folder that knows its journal
        db.make_ready(TABLES, VERSION, ours.home)
    except BaseException:
        db.close()
        raise
    return db


def _refuse_anothers(folder: Path, there: Address, found: str, ours: str) -> None:
    if found not in ("", ours):
        raise InputError(
            f"journal {there}: belongs to another folder than {folder}; give this daemon a JOURNAL_NAME of its own, "
            "or take it over with `run --take-over`"
        )

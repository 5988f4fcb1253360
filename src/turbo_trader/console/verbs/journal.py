"""`turbo-trader journal`: copies, checks and exports of a journal, also while a daemon writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from turbo_trader.console.daemons import journal_of
from turbo_trader.console.options import Journal, Name

app = typer.Typer(help="Back up, check, export and restore the journal of a run.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
FORMATS = ("csv", "json", "parquet")


@app.command("backup")
def backup(
    dest: Annotated[
        Path | None,
        typer.Argument(help="a new file, or a folder; default: backups/ beside the journal's folder"),
    ] = None,
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Json = False,
) -> None:
    """Copy the journal while the daemon runs. One moment, one file, verified, readable by its owner alone."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.journal.backup import backup as copy

    folder = journal_of("journal backup", daemon, journal_dir)
    name = f"{folder.resolve().name}-{_stamp()}.sqlite"
    to = folder.parent / "backups" / name if dest is None else dest / name if dest.is_dir() else dest
    with Progress("copying the journal"):
        copy(folder, to)
    if json:
        print_json({"journal": folder, "backup": to, "bytes": to.stat().st_size})
    else:
        print(f"{to}: a whole copy of {folder}, {to.stat().st_size / 1e6:.1f} MB")


@app.command("check")
def check(daemon: Name = None, journal_dir: Journal = None, json: Json = False) -> None:
    """Check that the file is whole and the books add up. Exit code 0 if so, else 1; nothing is changed."""
    from turbo_trader.console import exit_codes
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.tables import wrapped
    from turbo_trader.journal.journal_check import examine

    folder = journal_of("journal check", daemon, journal_dir)
    with Progress("checking the journal"):
        found = examine(folder)
    good = all(each.ok for each in found)
    if json:
        print_json({"journal": folder, "ok": good, "findings": found})
    else:
        lines = [f"{'ok' if each.ok else 'WRONG':<6}{each.name:<11}{each.text}" for each in found]
        print("\n".join(part for line in (f"journal {folder}", *lines) for part in wrapped(line)))
    raise typer.Exit(exit_codes.OK if good else exit_codes.FAILED)


@app.command("export")
def export(
    dest: Annotated[
        Path | None, typer.Argument(help="a folder; default: export/ in the journal's folder")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv, json or parquet")] = "csv",
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Json = False,
) -> None:
    """Write trades, orders, fills and the ledger as files. Amounts are exact text; earlier files are replaced."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.journal.export import tables, write
    from turbo_trader.market.errors import InputError

    if form not in FORMATS:
        raise InputError(f"--format {form}: must be one of {', '.join(FORMATS)}")
    folder = journal_of("journal export", daemon, journal_dir)
    with Progress("exporting the journal"):
        found = tables(folder)
        written = write(found, dest if dest is not None else folder / "export", form)
    if json:
        files = {name: {"file": path, "rows": len(found[name])} for name, path in written.items()}
        print_json({"journal": folder, "format": form, "files": files})
    else:
        print("\n".join(f"{path}: {len(found[name])} rows" for name, path in written.items()))


@app.command("restore")
def restore(
    copy: Annotated[Path, typer.Argument(help="a file made by `journal backup`, or journal.sqlite.v1")],
    journal_dir: Annotated[
        Path | None,
        typer.Option(
            "--journal-dir", help="the journal's own folder; default: the last run's in JOURNAL_DIR"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Put a copy in the place of the journal. The journal stays beside it; with JOURNAL_URL the copy goes into the database.

    Refused while a daemon or a guard is at work.
    """
    from turbo_trader.console.folders import journals, last_journal
    from turbo_trader.console.journal_database import database_of
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import load_settings
    from turbo_trader.journal.backup import restore as put

    folder = last_journal(journal_dir, journals() if journal_dir is None else journal_dir)
    done = put(folder, copy, _stamp(), database_of(load_settings(), folder))
    if json:
        print_json({"journal": done.path, "copy": copy, "before": done.before, "starts": done.starts})
        return
    print(
        f"{done.path}: is now what {copy} was" + (f"; the one before is {done.before}" if done.before else "")
    )
    print(
        "what happened since that copy is not in it: the next run reads positions and orders from the venue"
    )


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")

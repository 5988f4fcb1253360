"""`turbo-trader replay`: a recorded session fed to the same Trader again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.daemons import folder_read
from turbo_trader.console.options import Journal
from turbo_trader.console.times import utc_text

if TYPE_CHECKING:
    from turbo_trader.console.progress import Progress
    from turbo_trader.journal.recorded import RecordedLife
    from turbo_trader.simulation.replay import Verified


def replay(
    session: Annotated[
        str, typer.Argument(help="a run, by the name of its folder or by a path; default: the last one")
    ] = "",
    verify: Annotated[
        bool,
        typer.Option("--verify", help="decide everything again and compare; exit code 1 at a difference"),
    ] = False,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Replay what `run` recorded (RECORD=decisions or full): the same events must give the same decisions and commands."""
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.output import print_json
    from turbo_trader.journal.recorded import recorded_lives

    folder = _folder(session, journal_dir)
    lives = recorded_lives(folder)
    if not verify:
        about = [_about(life) for life in lives]
        if json:
            print_json({"session": folder, "lives": about})
        else:
            print("\n".join(map(_about_line, about)))
        return
    verified = _verify(folder, lives)
    found = result(folder, verified)
    if json:
        print_json(found)
    else:
        print("\n".join(result_lines(verified)))
    if not found["same"]:
        raise Failed(f"{folder}: the replay differs from the recording")


def result(folder: Path, verified: Sequence[Verified]) -> dict[str, Any]:
    """What `replay --verify --json` prints. `same`: no difference was found; `complete`: nothing was missing."""
    return {
        "session": folder,
        "same": all(life.difference is None for life in verified),
        "complete": not any(life.missing for life in verified),
        "steps": sum(life.steps for life in verified),
        "commands": sum(life.commands for life in verified),
        "lives": list(verified),
    }


def result_lines(verified: Sequence[Verified]) -> list[str]:
    """The same for a person."""
    lines = []
    for life in verified:
        outcome = "differs" if life.difference is not None else "the same" if life.steps else "not verified"
        lines.append(
            f"{life.boot}  {utc_text(life.begins)} to {utc_text(life.ends)}  "
            f"{life.steps:,} events, {life.commands:,} commands: {outcome}"
        )
        if life.difference is not None:
            first = life.difference
            lines += [
                f"  first difference at event {first.step:,}, {utc_text(first.ts)}: {first.event}",
                f"    recorded: {first.recorded}",
                f"    replayed: {first.replayed}",
            ]
        if life.missing:
            lines.append(f"  not verifiable from {utc_text(life.ends)} on: {life.missing}")
        if life.torn:
            lines.append(f"  passed over, the process died while it wrote: {life.torn}")
        if life.other_code:
            lines.append(f"  recorded by other code: {'; '.join(life.other_code)}")
    return lines


def _folder(session: str, journal_dir: Path | None) -> Path:
    from turbo_trader.console.report_files import folder_of
    from turbo_trader.console.settings import load_settings

    if not session:
        return folder_read("replay", None, journal_dir)
    return folder_of(session, load_settings().journal_dir if journal_dir is None else journal_dir)


def _verify(folder: Path, lives: Sequence[RecordedLife]) -> list[Verified]:
    """Every life whose beginning is there. InputError where there is none."""
    from turbo_trader.console.progress import Progress
    from turbo_trader.market.errors import InputError
    from turbo_trader.simulation.replay import Verified, verify

    found = []
    for life in lives:
        begin = life.begin
        if begin.restored is None:
            gone = "its beginning is not kept any more"
            found.append(Verified(boot=begin.boot, begins=begin.start_ts, ends=begin.start_ts, missing=gone))
            continue
        with Progress(f"replaying {begin.boot}") as bar:
            found.append(verify(life, on_step=partial(_show, bar)))
        if found[-1].difference is not None:
            break  # what comes after is no news
    if not any(life.steps or life.difference for life in found):
        raise InputError(
            f"{folder}: nothing of the recording can be verified: {found[0].missing or 'no event in it'}"
        )
    return found


def _show(bar: Progress, steps: int) -> None:
    bar.at(0, f"{steps:,} events")


def _about(life: RecordedLife) -> dict[str, Any]:
    begin = life.begin
    return {
        "boot": begin.boot,
        "begins": begin.start_ts,
        "recorded": "full" if begin.full else "decisions",
        "version": begin.code.version,
        "segments": len(life.paths),
        "bytes": sum(path.stat().st_size for path in life.paths),
        "from_its_beginning": begin.restored is not None,
        "symbols": [instrument.symbol for instrument in begin.instruments],
    }


def _about_line(about: dict[str, Any]) -> str:
    gone = "" if about["from_its_beginning"] else ", its beginning is not kept any more"
    return (
        f"{about['boot']}  from {utc_text(about['begins'])}  {about['recorded']}, {len(about['symbols'])} symbols, "
        f"{about['segments']} segments, {about['bytes']:,} bytes{gone}"
    )

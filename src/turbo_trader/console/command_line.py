"""All verbs of the command line, one a file. Heavy libraries are imported inside the verbs."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from turbo_trader import __version__
from turbo_trader.console import exit_codes
from turbo_trader.console.journal_database import sign_in
from turbo_trader.console.overview import ABOUT
from turbo_trader.console.verbs import (
    backtest,
    calibration,
    chaos,
    control,
    dashboard,
    doctor,
    exchange,
    explain,
    feasible,
    funnel,
    guard,
    init,
    journal,
    logs,
    notify,
    policy,
    qualify,
    replay,
    report,
    run,
    search,
    service,
    study,
    tape,
)

app = typer.Typer(
    name="turbo-trader",
    help=ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: help without loading rich
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("backtest")(backtest.backtest)
app.command("chaos")(chaos.chaos)
app.command("exchange")(exchange.exchange)
app.command("status")(control.status)
app.command("halt")(control.halt)
app.command("resume")(control.resume)
app.command("flatten")(control.flatten)
app.command("stop")(control.stop)
app.command("session")(control.session)
app.command("explore")(control.explore)
app.command("explain")(explain.explain)
app.command("logs")(logs.logs)
app.command("funnel")(funnel.funnel)
app.command("calibration")(calibration.calibration)
app.command("report")(report.report)
app.command("replay")(replay.replay)
app.command("sweep")(search.sweep)
app.command("walk-forward")(search.walk_forward)
app.command("lookahead")(search.lookahead)
app.command("qualify")(qualify.qualify)
app.command("dashboard")(dashboard.dashboard)
app.command("feasible")(feasible.feasible)
app.command("doctor")(doctor.doctor)
app.command("policy")(policy.policy)
app.command("guard")(guard.guard)
app.add_typer(notify.app, name="notify")
app.add_typer(tape.app, name="tape")
app.add_typer(journal.app, name="journal")
app.add_typer(service.app, name="service")
app.add_typer(study.app, name="study")


@app.callback()
def whole(
    version: Annotated[bool, typer.Option("--version", "-V", help="show the version", is_eager=True)] = False,
) -> None:
    """The options without a verb; `main` answers a plain `--version` before any library is loaded."""
    if version:
        print(f"turbo-trader {__version__}")
        raise typer.Exit


def run_verb() -> None:
    """Run the verb of the command line and end with a documented exit code: `exits`."""
    sign_in()
    try:
        with exit_codes.explained():
            result = app(prog_name="turbo-trader", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else exit_codes.OK)
    except typer.Abort:
        exit_codes.end("interrupted", exit_codes.FAILED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise  # not one of click's usage errors: a bug of ours, let it show
        exit_codes.end(_usage(error), exit_codes.USAGE)


def _usage(error: Any) -> str:
    """What click says, or, where a verb was left out, which there are; the nearest option; and where more is said."""
    if error.ctx is None:
        return f"{error.format_message()} (see: turbo-trader --help)"
    verb = error.ctx.command_path
    kind = type(error).__name__  # typer has classes of its own for click's
    if kind == "NoArgsIsHelpError":  # its message is the whole help
        said = f"{verb.removeprefix('turbo-trader ')}: name one of {', '.join(error.ctx.command.commands)}"
    elif kind == "NoSuchOption":
        said = _no_option(error.option_name, error.ctx)
    else:
        said = error.format_message()
    return f"{said} (see: {verb} --help)"


def _no_option(name: str, ctx: Any) -> str:
    """There is no option of this name, and the nearest one; before the verb few are taken."""
    known = [flag for each in ctx.command.params for flag in each.opts if flag.startswith("-")]
    if near := get_close_matches(name, [*known, *ctx.help_option_names], n=1):
        return f"no option {name}; did you mean {near[0]}?"
    return f"no option {name}" + ("; options follow the verb" if ctx.parent is None else "")

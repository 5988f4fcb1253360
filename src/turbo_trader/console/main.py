"""The command line: one verb a file. Heavy libraries are imported inside the verbs, so that `--help` is quick."""

from __future__ import annotations

import sys

import typer

from turbo_trader.console import exit_codes
from turbo_trader.console.verbs import (
    backtest,
    calibration,
    chaos,
    control,
    doctor,
    exchange,
    explain,
    feasible,
    funnel,
    guard,
    logs,
    policy,
    qualify,
    report,
    run,
    search,
    study,
    tape,
)
from turbo_trader.journal.errors import JournalError
from turbo_trader.market.errors import InputError, Refused

app = typer.Typer(
    name="turbo-trader",
    help="A truthful, crash-only trader for Bybit USDT perpetuals. Paper is the default and needs no key.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
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
app.command("sweep")(search.sweep)
app.command("walk-forward")(search.walk_forward)
app.command("lookahead")(search.lookahead)
app.command("qualify")(qualify.qualify)
app.command("feasible")(feasible.feasible)
app.command("doctor")(doctor.doctor)
app.command("policy")(policy.policy)
app.command("guard")(guard.guard)
app.add_typer(tape.app, name="tape")
app.add_typer(study.app, name="study")


def main() -> None:
    """Run a verb and end with a documented exit code: 0 ok, 1 failed, 2 usage or configuration, 3 refused for safety."""
    try:
        result = app(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else exit_codes.OK)
    except InputError as error:
        _end(str(error), exit_codes.USAGE)
    except Refused as error:
        _end(f"refused: {error}", exit_codes.REFUSED)
    except (exit_codes.Failed, JournalError) as error:
        _end(str(error), exit_codes.FAILED)
    except typer.Abort:
        _end("interrupted", exit_codes.FAILED)
    except Exception as error:
        if not hasattr(
            error, "format_message"
        ):  # everything but click's own usage errors is a bug of ours: let it show
            raise
        _end(f"{error.format_message()} (see: turbo-trader --help)", exit_codes.USAGE)


def _end(line: str, code: int) -> None:
    print(f"turbo-trader: {line}", file=sys.stderr)
    sys.exit(code)

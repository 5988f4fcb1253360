"""`turbo-trader notify test`: one message to each target of the alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from turbo_trader.console.alarms.addresses import Target

_PATIENCE_S: Final = 30.0  # of one target

app = typer.Typer(help="Show where alarms go and test that they arrive.", no_args_is_help=True)


@app.callback()
def notify() -> None:
    """Show where alarms go and test that they arrive."""


@app.command("test")
def send_test(
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Send one message to each target. Targets are those of NOTIFY and NOTIFY_FILE; exit code 1 where one does not arrive."""
    from turbo_trader.console.alarms.addresses import check
    from turbo_trader.console.alarms.alarm_settings import targets_of
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import load_settings
    from turbo_trader.market.errors import InputError

    settings = load_settings()
    targets = targets_of(settings)
    if not targets:
        raise InputError("NOTIFY and NOTIFY_FILE are empty: set NOTIFY=service://... (docs/operations.md)")
    check(targets)
    found: list[dict[str, Any]] = []
    for target in targets:
        why = _tried(target, f"turbo-trader {settings.mode}: test")
        found.append({"target": target.name, "delivered": not why, "why": why})
        if not json:
            print(f"{target.name}: {'failed: ' + why if why else 'delivered'}", flush=True)
    failed = [each["target"] for each in found if not each["delivered"]]
    if json:
        print_json({"targets": found})
    if failed:
        raise Failed(f"not delivered to {len(failed)} of {len(targets)}: {', '.join(failed)}")


def _tried(target: Target, title: str) -> str:
    """Why a message did not arrive, "" where it did; a target that does not answer is not waited for without end."""
    import threading

    from turbo_trader.console.alarms.catalogue import Severity

    answers: list[str] = []
    body = "Alarms arrive here. Nothing has happened."
    thread = threading.Thread(
        target=lambda: answers.append(target.send(title, body, Severity.INFO)), daemon=True
    )  # fmt: skip
    thread.start()
    thread.join(_PATIENCE_S)
    return answers[0] if answers else f"no answer within {_PATIENCE_S:.0f} s"

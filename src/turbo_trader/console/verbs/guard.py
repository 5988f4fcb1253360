"""`turbo-trader guard`: the process that protects positions while no daemon runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console import exit_codes

if TYPE_CHECKING:
    from turbo_trader.console.settings import Settings


def guard(
    *,
    mode: Annotated[str | None, typer.Option(help="testnet, demo or live")] = None,
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="folder of journals and logs")
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="stop once no daemon runs and nothing is open")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="stop a running guard instead")] = False,
    name: Annotated[str | None, typer.Option(help="of the guard to stop, as `status` shows it")] = None,
    every: Annotated[bool, typer.Option("--all", help="stop every guard")] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="with --stop: one JSON object on stdout; else the log there, as JSON lines"
        ),
    ] = False,
) -> None:
    """Look every 3 s. If the daemon is gone, cancel its resting entries, restore stops, close what is overdue. It never opens."""
    from turbo_trader.bybit.endpoints import Mode
    from turbo_trader.console.settings import load_settings
    from turbo_trader.market.errors import InputError

    if stop:
        _stop(mode, journal_dir, name, every=every, as_json=json)
        return
    if name is not None or every:
        raise InputError("--name and --all choose what --stop ends: add --stop")
    settings = load_settings(mode=mode, journal_dir=journal_dir)
    if settings.mode == Mode.PAPER:
        raise InputError(
            "MODE=paper: its venue ends with its daemon, there is nothing to guard; use testnet, demo or live"
        )
    _watch(settings, until_idle=until_idle, as_json=json)


def _watch(settings: Settings, *, until_idle: bool, as_json: bool) -> None:
    import uvloop

    from turbo_trader.console.settings import environment
    from turbo_trader.console.structured_logs import open_log
    from turbo_trader.console.venues import lease_rules, live_venue
    from turbo_trader.live.position_guard import GuardSettings, only_one, watch_over
    from turbo_trader.live.registry import Kind, Registry
    from turbo_trader.live.systemd import Systemd
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.policy import Policy
    from turbo_trader.trader.guard_interventions import guard_rules

    policy = Policy.from_env(environment())
    where, keys = live_venue(settings)
    folder = settings.journal_dir / settings.mode
    place = str(folder.resolve())

    def daemon_lives() -> bool:
        try:
            return any(daemon.folder == place for daemon in Registry(Kind.DAEMON).running())
        except InputError:
            return True  # who cannot be seen may live

    with registered(settings.mode, folder), only_one(folder):
        secrets = (keys.key, keys.secret)
        try:
            open_log(
                folder / "guard", level=settings.log_level, terminal=True, secrets=secrets, as_json=as_json
            )
        except InputError as error:  # a full disk, say: positions are guarded all the same
            exit_codes.report(f"{error}; this guard runs without a log file")
        guard_settings = GuardSettings(
            endpoints=where,
            keys=keys,
            journal=folder,
            until_idle=until_idle,
            daemon_lives=daemon_lives,
            rules=guard_rules(policy),
            lease=lease_rules(policy),
            systemd=Systemd.from_environment(),
        )
        with _alarms(settings) as emit:
            uvloop.run(watch_over(guard_settings, emit))


@contextmanager
def _alarms(settings: Settings) -> Iterator[Callable[[str, str, dict[str, Any]], None]]:
    """Where the guard's events go. Alarms that cannot be sent keep no position from being guarded."""
    from turbo_trader.console.alarms.alarm_settings import alarms, targets_of
    from turbo_trader.console.observer import log_event
    from turbo_trader.market.errors import InputError, Refused

    with ExitStack() as stack:
        try:
            sending = stack.enter_context(alarms(settings, targets_of(settings), "guard"))
        except (InputError, Refused) as error:
            log_event("notify-off", "error", {"why": str(error), "meaning": "this guard sends no alarms"})
            sending = None
        if sending is not None:
            sending.because("ended")
        yield log_event if sending is None else sending.emit


@contextmanager
def registered(mode: str, folder: Path) -> Iterator[None]:
    """Be found by `status` and `guard --stop`; on a full disk a guard guards without: `only_one` still keeps a second one out."""
    from turbo_trader.live.registry import Kind, Registry, Unwritable

    try:
        registration = Registry(Kind.GUARD).claim(mode, folder)
    except Unwritable as error:
        exit_codes.report(f"{error}; this guard runs unregistered: end it with kill {os.getpid()}")
        yield
        return
    with registration:
        yield


def _stop(
    mode: str | None, journal_dir: Path | None, name: str | None, *, every: bool, as_json: bool
) -> None:
    from turbo_trader.console.daemons import one_of, within
    from turbo_trader.console.output import print_json
    from turbo_trader.live.registry import Kind, Registry
    from turbo_trader.market.errors import InputError

    if every and name is not None:
        raise InputError("--all and --name: give one of the two")
    registry = Registry(Kind.GUARD)
    found = [each for each in within(registry.running(), journal_dir) if mode in (None, each.mode)]
    if not found:
        raise InputError("no guard is running")
    again = "turbo-trader guard --stop"
    ended = found if every else [one_of(found, name, "guard", f"{again} --name", f"{again} --all")]
    for each in ended:
        if not registry.end(each):
            raise exit_codes.Failed(
                f"guard {each.name} (process {each.pid}) does not end; end it with: kill -KILL {each.pid}"
            )
        if not as_json:
            print(f"guard {each.name} (process {each.pid}) has ended")
    if as_json:
        print_json({"ended": [{"name": each.name, "pid": each.pid} for each in ended]})

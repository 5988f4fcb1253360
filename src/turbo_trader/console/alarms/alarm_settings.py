"""From settings to alarms: NOTIFY and its companions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from turbo_trader.bybit.endpoints import others_must_not_read
from turbo_trader.console.alarms.addresses import Target, read_targets
from turbo_trader.console.alarms.alarms_process import AlarmsBeside, AlarmSettings
from turbo_trader.console.alarms.catalogue import Alarm
from turbo_trader.console.observer import log_event
from turbo_trader.console.settings import Settings

_DOTENV: Final = Path(".env")


def targets_of(settings: Settings) -> list[Target]:
    """The addresses, [] where there is none. Refused where they are in a file that others may read."""
    given = settings.notify.get_secret_value()
    if given and "NOTIFY" not in {name.upper() for name in os.environ}:
        others_must_not_read(_DOTENV, _DOTENV.stat().st_mode, "NOTIFY in")
    return read_targets(given, settings.notify_file)


def chosen(kinds: Sequence[str]) -> list[Alarm]:
    """The alarms of NOTIFY_KINDS: those named, or all but those with a minus before them. ValueError for an unknown one."""
    named = {Alarm(kind) for kind in kinds if kind != "all" and not kind.startswith("-")}
    left_out = {Alarm(kind[1:]) for kind in kinds if kind.startswith("-")}
    wanted = set(Alarm) if not named or "all" in kinds else named
    return [alarm for alarm in Alarm if alarm in wanted - left_out]


@contextlib.contextmanager
def alarms(settings: Settings, targets: Sequence[Target], process: str) -> Iterator[AlarmsBeside | None]:
    """The alarms of this process (daemon, guard) to `targets_of(settings)` while the context lasts; None where there are none.

    InputError where a target cannot be used, or without the extra.
    """
    if not targets:
        yield None
        return
    whose = "" if process == "daemon" else f" {process}"
    asked = AlarmSettings(
        targets=targets, process=process, sender=f"turbo-trader {settings.mode}{whose}",
        kinds=chosen(settings.notify_kinds), level=settings.notify_level, digest=settings.notify_digest,
        interval_s=settings.notify_interval,
    )  # fmt: skip
    with AlarmsBeside(asked, log_event) as beside:
        yield beside

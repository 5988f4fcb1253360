"""The daily check of the recording: `replay --verify` in a process of the lowest priority, its result as an event of the log."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from typing import Any, Final

DAY_S: Final = 86_400.0

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


async def check_daily(command: Sequence[str], emit: Emit, every_s: float = DAY_S) -> None:
    """Run `command` once in `every_s` seconds and report what it found; runs until it is cancelled, and the check with it."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await _check(command, emit)
        except OSError as error:
            emit("replay-failed", "warning", {"error": str(error.strerror or error)})


async def _check(command: Sequence[str], emit: Emit) -> None:
    process = await asyncio.create_subprocess_exec(
        "nice", "-n", "19", *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        out, errors = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    try:
        found = dict(json.loads(out))
        lives = list(found["lives"])
    except (ValueError, KeyError, TypeError):
        said = errors.decode(errors="replace").strip().splitlines()
        emit(
            "replay-failed",
            "warning",
            {"error": said[-1][:200] if said else f"exit code {process.returncode}"},
        )
        return
    _report(found, lives, emit)


def _report(found: dict[str, Any], lives: list[dict[str, Any]], emit: Emit) -> None:
    events = found["steps"]
    for life in lives:
        if first := life["difference"]:
            emit(
                "replay-differs",
                "error",
                {
                    "boot": life["boot"],
                    "event": first["event"],
                    "ts": first["ts"],
                    "recorded": first["recorded"],
                    "replayed": first["replayed"],
                },
            )
            return
    if not found["complete"]:
        why = "; ".join(life["missing"] for life in lives if life["missing"])
        emit("replay-incomplete", "warning", {"events": events, "why": why})
    else:
        emit("replay-same", "info", {"events": events})

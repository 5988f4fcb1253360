"""The daemons that the page shows: those that run, those that were killed, and those that ended while the page was open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turbo_trader.console.standing import entries_line
from turbo_trader.live.control_client import ask
from turbo_trader.live.registry import Kind, Registry, Running
from turbo_trader.market.errors import InputError
from turbo_trader.trader.control_verbs import STATUS, ControlVerb

ANSWER_S = 2.0  # a daemon that takes longer is shown as one that does not answer
VERBS = (ControlVerb.FLATTEN, ControlVerb.HALT, ControlVerb.RESUME)


@dataclass(frozen=True, slots=True)
class Known:
    """One daemon: what the registry has of it, and whether its process lives.

    `elsewhere`: the process, where it is another machine's or user's: nothing can be asked of it.
    """

    running: Running
    alive: bool
    elsewhere: str = ""

    @property
    def folder(self) -> Path:
        """Of its journal."""
        return Path(self.running.folder)

    def plain(self) -> dict[str, Any]:
        """What may be shown: no port and no token."""
        each = self.running
        return {
            "name": each.name,
            "mode": each.mode,
            "pid": each.pid,
            "folder": each.folder,
            "alive": self.alive,
            "elsewhere": self.elsewhere,
        }


@dataclass(slots=True)
class Daemons:
    """Asks the registry each time; remembers what it has seen."""

    registry: Registry = field(default_factory=lambda: Registry(Kind.DAEMON))
    guards: Registry = field(default_factory=lambda: Registry(Kind.GUARD))
    others: Callable[[list[Path]], list[Known]] = (
        lambda _: []
    )  # those of other machines, given the folders known here
    _seen: dict[str, Running] = field(default_factory=dict)

    def known(self) -> list[Known]:
        """Every daemon by name, the living first where a dead one had the same name."""
        for each, _ in self.registry.registered():
            self._seen[each.name] = each
        alive = {each.name: each for each in self.registry.running()}
        self._seen |= alive
        here = [Known(each, name in alive) for name, each in sorted(self._seen.items())]
        return here + self.others([each.folder for each in here])

    def guarding(self) -> list[dict[str, Any]]:
        """Every guard that lives or was killed, by name."""
        return [
            {"name": each.name, "mode": each.mode, "pid": each.pid, "folder": each.folder, "alive": alive}
            for each, alive in self.guards.registered()
        ]

    def named(self, name: str) -> Known | None:
        """The daemon of a name; None where there was none."""
        return next((each for each in self.known() if each.running.name == name), None)


def status_of(daemon: Known) -> dict[str, Any]:
    """What a daemon answers to `status`, or `error`: it is dead, still starting, or does not answer."""
    if daemon.alive and daemon.elsewhere:
        return {**daemon.plain(), "error": "runs elsewhere: its journal is shown; commands are given there"}
    if not daemon.alive:
        return {**daemon.plain(), "error": "dead: its process is gone; stops on the venue stand"}
    try:
        answer = ask(daemon.running, STATUS, timeout=ANSWER_S)
    except InputError as error:
        return {**daemon.plain(), "error": str(error)}
    return {**daemon.plain(), **answer, "entries": entries_line(answer["view"]), "error": ""}


def act(daemon: Known, verb: str) -> dict[str, Any]:
    """Give a verb to a daemon that lives. InputError where it is unknown, or the daemon is dead or does not answer."""
    if verb not in VERBS:
        raise InputError(f"{verb}: the page knows {', '.join(VERBS)}")
    if daemon.elsewhere:
        raise InputError(
            f"daemon {daemon.running.name} runs elsewhere: nothing was sent; give the command there"
        )
    if not daemon.alive:
        raise InputError(f"daemon {daemon.running.name} is dead: nothing was sent")
    return ask(daemon.running, verb, {"by": "dashboard"})


def act_on_all(daemons: Daemons, verb: str) -> dict[str, Any]:
    """Give one of VERBS to every daemon that lives here, whatever becomes of it with another."""
    done: list[str] = []
    failed: dict[str, str] = {}
    for daemon in daemons.known():
        name = daemon.running.name
        if not daemon.alive or daemon.elsewhere:
            continue
        try:
            act(daemon, verb)
            done.append(name)
        except InputError as error:
            failed[name] = str(error)
    return {"done": done, "failed": failed}

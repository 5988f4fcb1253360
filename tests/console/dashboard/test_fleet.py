"""Several daemons on one page: guards beside them, commands to all of them, and those of other machines in one database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.console.dashboard.conftest import FakeDaemon, Served
from tests.reports.conftest import write_run

from turbo_trader.console.dashboard.elsewhere import Elsewhere
from turbo_trader.console.dashboard.shown_daemons import Daemons, Known, act, act_on_all, status_of
from turbo_trader.console.dashboard.views import live_view
from turbo_trader.live.registry import Kind, Registry, Running
from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from tests.journal.postgres import Postgres

OTHER = Known(Running("sub2-live", "live", 0, "/nowhere"), alive=True, elsewhere="turbo-trader host 12")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[FakeDaemon]]:
    """Two daemons that run."""
    folders = [write_run(tmp_path / name, 1, ended=False) for name in ("paper-1", "paper-2")]
    with FakeDaemon(folders[0]) as first, FakeDaemon(folders[1]) as second:
        yield [first, second]


def ask_all(served: Served, verb: str, confirm: str = "all") -> Any:
    return served.ask("POST", f"/api/all/{verb}", {"confirm": confirm}, Cookie=served.enter())


def test_guards_are_listed_beside_daemons(served: Served, tmp_path: Path) -> None:
    with Registry(Kind.GUARD).claim("live", tmp_path):
        (guard,) = served.ask("GET", "/api/overview", Cookie=served.enter()).json["guards"]
    assert (guard["name"], guard["folder"], guard["alive"]) == ("live", str(tmp_path), True)
    assert served.ask("GET", "/api/overview", Cookie=served.enter()).json["guards"] == []


@pytest.mark.parametrize("verb", ["flatten", "halt", "resume"])
def test_one_command_reaches_every_daemon(served: Served, two: list[FakeDaemon], verb: str) -> None:
    answer = ask_all(served, verb)
    assert (answer.status, answer.json) == (200, {"done": ["paper", "paper-2"], "failed": {}})
    assert [[asked for asked, _ in daemon.asked] for daemon in two] == [[verb], [verb]]


@pytest.mark.parametrize("confirm", ["", "paper", "ALL"])
def test_without_the_right_confirmation_it_reaches_none(
    served: Served, two: list[FakeDaemon], confirm: str
) -> None:
    assert ask_all(served, "flatten", confirm).status == 400
    assert [daemon.asked for daemon in two] == [[], []]


def test_a_daemon_that_does_not_answer_keeps_no_other_from_it(
    two: list[FakeDaemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_for_the_first(daemon: Known, verb: str) -> dict[str, Any]:
        if daemon.running.name == "paper":
            raise InputError("daemon paper: no answer")
        return act(daemon, verb)

    monkeypatch.setattr("turbo_trader.console.dashboard.shown_daemons.act", fail_for_the_first)
    found = act_on_all(Daemons(others=lambda _: [OTHER]), "flatten")
    assert found == {"done": ["paper-2"], "failed": {"paper": "daemon paper: no answer"}}
    assert two[1].asked


def test_a_daemon_of_another_machine_is_shown_and_not_commanded() -> None:
    shown = status_of(OTHER)
    assert (shown["alive"], shown["elsewhere"]) == (True, "turbo-trader host 12")
    assert "commands are given there" in shown["error"]
    with pytest.raises(InputError, match="runs elsewhere: nothing was sent"):
        act(OTHER, "flatten")


@pytest.mark.external("postgres")
def test_the_daemons_of_one_database_are_on_one_page(
    tmp_path: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turbo_trader.journal.address import address
    from turbo_trader.journal.store import Journal
    from turbo_trader.trader.commands import Note

    places = {}
    for name in ("sub1-live", "sub2-live", "sub3-live"):
        places[name], password = address(server.url, name)
        monkeypatch.setenv("PGPASSWORD", password)
    running = Journal(tmp_path / "a" / "live", ("BTCUSDT",), "live", there=places["sub1-live"])
    running.note(Note(1, "entry", "info", {"symbol": "BTCUSDT", "id": "t1-entry"}))
    running.commit()
    killed = Journal(tmp_path / "b" / "live", ("BTCUSDT",), "live", there=places["sub2-live"])
    killed._db.close()  # as a process that is killed
    Journal(tmp_path / "c" / "live", ("BTCUSDT",), "live", there=places["sub3-live"]).close(9, "test")
    base = tmp_path / "page"
    elsewhere = Elsewhere(base, places["sub1-live"])
    found = {each.running.name: each for each in elsewhere.known([])}
    assert {name: each.alive for name, each in found.items()} == {"sub1-live": True, "sub2-live": False}
    assert found["sub1-live"].elsewhere.startswith("turbo-trader ")
    assert live_view(found["sub1-live"].folder, time.time_ns())["trades"] is not None
    assert (
        elsewhere.known([tmp_path / "a" / "live"])[0].running.name == "sub2-live"
    )  # the first is known here
    server.kill()
    elsewhere._due = 0.0
    assert {each.running.name for each in elsewhere.known([])} == {"sub1-live", "sub2-live"}
    assert "is the server up" in elsewhere.error
    server.start()
    running.close(9, "test")

"""Alarms with the real sender and receivers on this machine: delivered, hanging, refused, killed; trading waits for none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.console.alarms.conftest import PASSWORD, Receiver

from turbo_trader.console.alarms.addresses import Target
from turbo_trader.console.alarms.alarms_process import AlarmsBeside, AlarmSettings
from turbo_trader.console.alarms.catalogue import Alarm
from turbo_trader.market.errors import InputError

pytestmark = pytest.mark.long

TS = 1_767_603_600_000_000_000
STOP = {"symbol": "BTCUSDT", "stop": "1"}
Said = list[tuple[str, dict[str, Any]]]


@contextmanager
def alarms(
    *urls: str, process: str = "daemon", said: Said | None = None, **other: Any
) -> Iterator[AlarmsBeside]:
    asked: dict[str, Any] = {
        "kinds": list(Alarm),
        "level": "info",
        "digest": "off",
        "interval_s": 0.0,
        **other,
    }
    settings = AlarmSettings(
        targets=[Target(number, url) for number, url in enumerate(urls, 1)], process=process, sender="turbo-trader test",
        **asked,
    )  # fmt: skip
    with AlarmsBeside(
        settings, lambda name, _, fields: (said if said is not None else []).append((name, fields))
    ) as beside:
        yield beside


def wait(what: Any, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_an_alarm_and_the_end_of_the_daemon_are_delivered(listening: Receiver) -> None:
    with alarms(listening.url) as beside:
        beside.event("unprotected", STOP, TS)
        listening.wait("a position is without its stop: symbol BTCUSDT, stop 1")
        beside.because("SIGTERM")
    listening.wait("the daemon has ended: SIGTERM")
    assert listening.got[0]["title"] == "turbo-trader test: unprotected BTCUSDT"
    assert listening.got[0]["type"] == "failure"
    assert "process is gone" not in listening.text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("secret"), "the daemon broke and ends: an error of its own, KeyError"),
        (InputError("BALANCE: too small"), "the daemon has ended: BALANCE: too small"),
        (KeyboardInterrupt(), "the daemon has ended: interrupted"),
    ],
)
def test_an_end_by_an_error_of_its_own_is_an_alarm(
    listening: Receiver, error: BaseException, expected: str
) -> None:
    with pytest.raises(type(error)), alarms(listening.url):
        raise error
    listening.wait(expected)
    assert "secret" not in listening.text


def test_levels_and_kinds_are_kept(listening: Receiver) -> None:
    kinds = [Alarm.ENTRY, Alarm.UNPROTECTED, Alarm.ENDED]
    with alarms(listening.url, kinds=kinds, level="warning") as beside:
        beside.event("entry", {"symbol": "BTCUSDT"}, TS)
        beside.event("halt", {"what": "watchdog", "text": "x"}, TS)
        beside.event("unprotected", STOP, TS)
    listening.wait("unprotected")
    assert "entry" not in listening.text
    assert "halt" not in listening.text


@pytest.mark.parametrize("dead", ["hanging", "refusing"])
def test_a_dead_target_keeps_nothing_from_another(
    dead: str, listening: Receiver, request: pytest.FixtureRequest
) -> None:
    said: Said = []
    other: Receiver = request.getfixturevalue(dead)
    with alarms(other.url, listening.url, said=said) as beside:
        beside.event("unprotected", STOP, TS)
        listening.wait("unprotected", 5.0)
        wait(lambda: "notify-failed" in dict(said))
    failed = dict(said)["notify-failed"]
    assert failed["target"] == "1 (json)"
    assert "error occurred sending JSON" in failed["why"]
    assert PASSWORD not in repr(said)


def test_a_target_that_comes_back_gets_what_waited(listening: Receiver) -> None:
    said: Said = []
    listening.status = 503
    with alarms(listening.url, said=said) as beside:
        beside.event("unprotected", STOP, TS)
        wait(lambda: "notify-failed" in dict(said))
        beside.event("trade", {"symbol": "ETHUSDT"}, TS)
        listening.status = 200
        wait(lambda: "notify-works" in dict(said))
    last = next(each for each in reversed(listening.got) if "unprotected" in each["title"])
    assert "ETHUSDT" in last["message"]


@pytest.mark.clock
def test_events_cost_the_trading_loop_next_to_nothing_whatever_the_target(
    hanging: Receiver, refusing: Receiver
) -> None:
    entry = {"symbol": "BTCUSDT", **{f"figure_{i}": 0.123456789 for i in range(40)}}
    with alarms(hanging.url, refusing.url) as beside:
        took = []
        for _ in range(2_000):
            began = time.perf_counter()
            beside.event("entry", entry, TS)
            took.append(time.perf_counter() - began)
            time.sleep(0.0002)
    assert sorted(took)[len(took) // 2] < 0.0005


@pytest.mark.clock
def test_a_sender_that_stands_still_costs_a_bounded_queue(listening: Receiver) -> None:
    said: Said = []
    entry = {"symbol": "BTCUSDT", "text": "x" * 4_000}
    with alarms(listening.url, said=said) as beside:
        os.kill(beside.pid, signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(3_000):
            beside.event("entry", entry, TS)
        assert time.monotonic() - began < 5.0
        assert beside.dropped > 2_000
        os.kill(beside.pid, signal.SIGCONT)
        wait(lambda: "notify-dropped" in dict(said))


def test_a_sender_that_is_killed_is_started_again(
    listening: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turbo_trader.console.alarms.alarms_process._AGAIN_S", 0.1)
    said: Said = []
    with alarms(listening.url, said=said) as beside:
        before = beside.pid
        os.kill(before, signal.SIGKILL)
        wait(lambda: beside.pid != before)
        beside.event("unprotected", STOP, TS)
        listening.wait("unprotected")
    assert "notify-ended" in dict(said)


CHILD = """
import sys, time
from tests.console.alarms.test_alarms_process import alarms
with alarms(sys.argv[1], process=sys.argv[2]) as beside:
    for name in sys.argv[3:]:
        beside.event(name, {"journal": "var/live"}, 1)
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("process", "events", "expected"),
    [
        ("daemon", (), "no daemon: it was killed"),
        ("guard", (), "the guard has ended"),
        ("daemon", ("guard-begun",), ""),  # the guard says it
        ("daemon", ("guard-begun", "guard-ended"), "no daemon: it was killed"),
    ],
)
def test_a_process_that_is_killed_is_reported_by_its_sender(
    listening: Receiver, process: str, events: tuple[str, ...], expected: str
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, listening.url, process, *events], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "ready\n"
        time.sleep(1.5)  # for the events to reach the sender
        child.kill()
        child.wait()
    if expected:
        listening.wait(expected)
    else:
        time.sleep(2.0)
        assert "no daemon" not in listening.text


def test_a_target_that_apprise_does_not_know_stops_the_start_without_its_address() -> None:
    before = threading.active_count()
    with pytest.raises(InputError, match=r"NOTIFY: target 2 \(nonsense\)") as refused, alarms(
        "json://127.0.0.1:9/", f"nonsense://user:{PASSWORD}@host/"
    ):  # fmt: skip
        pass
    assert PASSWORD not in str(refused.value)
    assert threading.active_count() == before

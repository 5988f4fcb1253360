"""The harness of `scripts/clients`: drivers are run, what went wrong is one line, the exit code says whether all passed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients import __main__ as verb
from clients import installing, playing
from clients.installing import Installed
from clients.playing import Exchange, PlayFailed, drive, play
from clients.roster import ROSTER, Client, Registry, chosen
from clients.verdict import Verdict
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

GIVEN = {"seconds": 20, "long": False}
#: A driver that buys through the trade route with nothing but the standard library, and believes what it is answered.
BUYS = """
import hashlib, hmac, json, sys, time, urllib.request
given = json.loads(sys.stdin.readline())
def ask(path, body=None, query=""):
    text, stamp = json.dumps(body) if body else query, str(int(time.time() * 1000))
    sign = hmac.new(given["secret"].encode(), (stamp + given["key"] + "5000" + text).encode(), hashlib.sha256).hexdigest()
    headers = {"X-BAPI-API-KEY": given["key"], "X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": "5000", "X-BAPI-SIGN": sign}
    url = given["url"] + path + ("?" + query if query else "")
    request = urllib.request.Request(url, body and text.encode(), {**headers, "Content-Type": "application/json"})
    return json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request))["result"]
order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
ask("/v5/order/create", order)
time.sleep(0.3)
coin = ask("/v5/account/wallet-balance", query="accountType=UNIFIED")["list"][0]["coin"][0]
rows = ask("/v5/position/list", query="category=linear&symbol=BTCUSDT")["list"]
size = given["mode"] or rows[0]["size"]
print("hello")
print(json.dumps({"positions": {"BTCUSDT": size}, "balance": coin["walletBalance"], "orders": []}))
"""


def client(**more: Any) -> Client:
    return Client(**{"name": "one", "package": "one", "version": "1", "driver": "one.py", **more})


def test_each_client_of_the_roster_has_its_driver_and_an_exact_version() -> None:
    folder = Path(playing.__file__).with_name("drivers")
    assert len({each.name for each in ROSTER}) == len(ROSTER) >= 4
    for each in ROSTER:
        assert not each.driver or (folder / each.driver).is_file(), each.driver
        assert each.driver or not each.required
        assert each.version[0].isdigit()
        assert each.seconds <= 600
    assert chosen("all") == ROSTER
    assert [each.name for each in chosen("pybit")] == ["pybit"]


def test_a_driver_prints_what_its_client_believes_last(tmp_path: Path) -> None:
    text = 'import json, sys; json.loads(sys.stdin.readline()); print("{}"); print("hi"); print(\'{"balance": "1"}\')'
    assert drive([sys.executable, "-c", text], GIVEN, tmp_path) == {"balance": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("raise SystemExit('no such module')", "ended with 1: no such module"), ("pass", "ended with 0: it said nothing")],
)  # fmt: skip
def test_a_driver_that_fails_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlayFailed, match=said):
        drive([sys.executable, "-c", text], GIVEN, tmp_path)


def test_a_driver_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(PlayFailed, match="took more than 0 s"):
        drive(
            [sys.executable, "-c", "import time; time.sleep(60)"], {"seconds": 0.3, "long": False}, tmp_path
        )


def test_a_client_that_cannot_be_installed_has_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        playing, "install", lambda _: Installed(folder=Path(), program=None, why_not="no such package")
    )
    verdict = play(client())
    assert (verdict.passed, verdict.books_equal, verdict.errors) == (
        False,
        False,
        ("not installed: no such package",),
    )


def test_npm_packages_are_installed_by_exact_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        described = tmp_path / "node-one" / "node_modules" / "one" / "package.json"
        described.parent.mkdir(parents=True)
        described.write_text(json.dumps({"version": "1.2.3"}))
        return type("Done", (), {"returncode": 0, "stdout": "", "stderr": ""})

    monkeypatch.setattr(installing, "FOLDER", tmp_path)
    monkeypatch.setattr("clients.installing.shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("clients.installing.subprocess.run", run)
    one = client(version="1.2.3", registry=Registry.NPM)
    assert [installing.install(one).program for _ in range(2)] == [Path("/bin/node")] * 2
    assert [command[-1] for command in asked] == ["one@1.2.3"]


def test_the_exit_code_is_0_only_where_all_that_have_to_passed() -> None:
    passed, failed = Verdict(version="1", trades=1), Verdict(version="1", errors=("x",))
    not_there = Verdict(version="1", errors=("not installed",), played=False)
    must, may = client(), client(name="two", required=False)
    assert verb.exit_code({must: passed, may: passed}) == 0
    assert verb.exit_code({must: passed, may: not_there}) == 0
    assert verb.exit_code({must: passed, may: failed}) == 1
    assert verb.exit_code({must: not_there, may: passed}) == 1
    assert "not played" in verb.line(must, not_there)


@pytest.fixture
def in_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange in a thread, drivers in this interpreter: what `play` does, in a second."""

    @contextmanager
    def running(folder: Path, speed: float) -> Iterator[Exchange]:
        market = SyntheticMarket(universe()[:3], 1, 1_767_603_600_000_000_000)
        record = folder / "record.jsonl"
        config = VenueConfig("k", "s", Decimal(10_000), speed=speed, control=True, record=record)
        with serve_in_thread(Venue(market, config)) as venue:
            yield Exchange(url=venue.url, stream=venue.stream, key="k", secret="s", record=record)

    (tmp_path / "one.py").write_text(BUYS)
    here = Installed(folder=tmp_path, program=Path(sys.executable))
    for name, value in (
        ("running_exchange", running),
        ("install", lambda _: here),
        ("FOLDER", tmp_path),
        ("_DRIVERS", tmp_path),
    ):
        monkeypatch.setattr(playing, name, value)


@pytest.mark.usefixtures("in_process")
def test_a_play_compares_what_the_exchange_holds_with_the_belief() -> None:
    fine = play(client())
    assert (fine.passed, fine.trades, fine.orders, fine.errors) == (True, 1, 1, ())
    wrong = play(client(mode="0.5"))
    assert wrong.as_json()["errors"] == ["position of BTCUSDT: exchange 0.01, client 0.5"]
    assert not wrong.passed

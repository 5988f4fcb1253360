"""Bars of any interval into a panel, imports, and downloads that go on where they stopped, against a local server."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import polars as pl
import pytest
from tests.canned_servers import Canned, Request, canned
from typer.testing import CliRunner

from turbo_trader.console.command_line import app
from turbo_trader.console.progress import Progress
from turbo_trader.lab.data import read_market
from turbo_trader.lab.download import Fetched, Hosts, fetch_candles
from turbo_trader.lab.importing import import_bars
from turbo_trader.lab.sample import write_sample
from turbo_trader.market.errors import InputError

START = 1_746_057_600_000  # 2025-05-01, ms
HALF_HOUR = 1_800_000
HEADER = "ts_ms,open,high,low,close,volume"


def write(path: Path, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([HEADER, *rows]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def bar(k: int, price: float = 100.0) -> str:
    return f"{START + k * HALF_HOUR},{price},{price + 1},{price - 1},{price + 0.5},10"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "bars" / "BTCUSDT.csv.gz", [bar(k, 100 + k) for k in range(10)])
    write(tmp_path / "bars" / "ETHUSDT.csv", [bar(k, 50 + k) for k in (2, 3, 5, 6)])
    funding = tmp_path / "bars" / "funding"
    funding.mkdir()
    (funding / "BTCUSDT.csv").write_text(f"ts_ms,funding_rate\n{START + 4 * HALF_HOUR},0.0001\n")
    return tmp_path / "bars"


def test_symbols_of_any_span_stand_side_by_side(folder: Path) -> None:
    market = read_market(folder)
    panel = market.panel
    assert (panel.symbols, panel.interval_ns, len(panel)) == (("BTCUSDT", "ETHUSDT"), HALF_HOUR * 10**6, 10)
    assert np.isnan(panel.close[[0, 1, 4, 7], 1]).all()
    assert panel.close[5, 1] == 55.5
    assert panel.open[:, 0].tolist() == [100 + k for k in range(10)]


def test_funding_is_known_when_settled_and_paid_by_who_held_before(folder: Path) -> None:
    market = read_market(folder)
    assert np.isnan(market.panel.funding[:3, 0]).all()
    assert (market.panel.funding[3:, 0] == 0.0001).all()  # the bar before ends as it is settled
    assert market.settled is not None
    assert market.settled[:, 0].tolist() == [0, 0, 0, 0.0001, 0, 0, 0, 0, 0, 0]
    assert not market.settled[:, 1].any()


def test_funding_from_another_folder_takes_the_place_of_that_beside_the_bars(
    folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "rates"
    elsewhere.mkdir()
    with pytest.raises(InputError, match=r"rates: no funding rates \(SYMBOL.csv"):
        read_market(folder, funding=elsewhere)
    (elsewhere / "BTCUSDT.csv").write_text(f"ts_ms,funding_rate\n{START + 2 * HALF_HOUR},-0.0003\n")
    funding = read_market(folder, funding=elsewhere).panel.funding
    assert set(funding[np.isfinite(funding)].tolist()) == {-0.0003}


def test_bad_row_is_left_out_counted_and_costs_its_neighbours_nothing(folder: Path) -> None:
    bad = [bar(0), bar(1).replace(",101.0,", ",99.0,"), bar(2), f"{START + 3 * HALF_HOUR},-1,1,1,1,1"]
    bad += [bar(k) for k in (4, 4, 5, 6, 7)]
    write(folder / "ETHUSDT.csv", bad)
    market = read_market(folder)
    assert np.flatnonzero(np.isfinite(market.panel.close[:, 1])).tolist() == [0, 2, 4, 5, 6, 7]
    assert market.left_out == {
        "bars with an impossible price": 1, "bars whose high or low is inside open and close": 1, "repeated bars": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([bar(3), bar(2)], "go back in time"),
        ([f"{START + k * 60_000},1,1,1,1,1" for k in range(5)], "different intervals"),
    ],
)
def test_bars_that_fit_nowhere_are_one_clear_line(folder: Path, rows: list[str], message: str) -> None:
    write(folder / "ETHUSDT.csv", rows)
    with pytest.raises(InputError, match=message):
        read_market(folder)


def test_unknown_symbol_names_those_there_are(folder: Path) -> None:
    with pytest.raises(InputError, match="BTCUSDT, ETHUSDT"):
        read_market(folder, ["SOLUSDT"])


def test_imported_bars_give_the_same_panel(folder: Path, tmp_path: Path) -> None:
    count, interval, _ = import_bars(folder, tmp_path / "all.parquet")
    assert (count, interval) == (14, HALF_HOUR * 10**6)
    one, other = read_market(folder), read_market(tmp_path / "all.parquet")
    for name in ("ts", "open", "high", "low", "close", "volume", "funding"):
        assert np.array_equal(getattr(one.panel, name), getattr(other.panel, name), equal_nan=True), name
    assert np.array_equal(one.settled, other.settled)  # type: ignore[arg-type]
    import_bars(tmp_path / "all.parquet", tmp_path / "again.parquet", ["ETHUSDT"])
    assert pl.read_parquet(tmp_path / "again.parquet")["symbol"].unique().to_list() == ["ETHUSDT"]


def test_sample_in_the_repository_is_what_its_script_writes(tmp_path: Path) -> None:
    write_sample(tmp_path)
    kept = Path(__file__).parents[2] / "samples" / "bars"
    for path in tmp_path.iterdir():
        assert gzip.decompress(path.read_bytes()) == gzip.decompress((kept / path.name).read_bytes())


class Archive:
    """Files, of which `breaks` end early on the first request; and candles, newest first, the last of them unfinished.

    By hand: the simulated exchange serves no archives, and its connections end as they should.
    """

    host: str
    now = START + 2_500 * 60_000 + 30_000

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.breaks: set[str] = set()

    def answer(self, asked: Request) -> Canned:
        url = urlsplit(asked.target)
        self.asked.append((url.path, asked.headers.get("Range")))
        if url.path == "/v5/market/kline":
            return self._candles({key: values[0] for key, values in parse_qs(url.query).items()})
        body = self.files.get(url.path)
        if body is None:
            return Canned(b"", 404)
        begin = int((asked.headers.get("Range") or "bytes=0-")[6:-1])
        breaks_off = 100_000 if url.path in self.breaks else None
        self.breaks.discard(url.path)
        return Canned(body[begin:], 206 if begin else 200, breaks_off=breaks_off)

    def _candles(self, query: dict[str, str]) -> Canned:
        times = range(int(query["start"]), min(int(query["end"]), self.now) + 1, 60_000)
        rows = [[str(t), "1", "2", "0.5", "1.5", "10", "15"] for t in times][-int(query["limit"]) :][::-1]
        return Canned(json.dumps({"retCode": 0, "result": {"list": rows}, "time": self.now}).encode())


@pytest.fixture
def archive() -> Iterator[Archive]:
    made = Archive()
    with canned(made.answer) as made.host:
        yield made


def download(*arguments: str) -> tuple[int, dict[str, int]]:
    result = CliRunner().invoke(app, ["tape", "download", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else {}


def test_download_goes_on_where_it_broke_off_and_is_whole(archive: Archive, tmp_path: Path) -> None:
    text = b"timestamp,symbol,side,size,price\n" + np.random.default_rng(1).bytes(150_000).hex().encode()
    path = "/trading/BTCUSDT/BTCUSDT2025-05-01.csv.gz"
    archive.files[path] = gzip.compress(text)
    archive.breaks = {path}
    days = ("--from", "2025-05-01", "--to", "2025-05-02")
    code, found = download("trades", str(tmp_path), "--symbols", "BTCUSDT", *days, "--host", archive.host)
    assert (code, found["files"], found["missing"]) == (0, 1, 1)
    assert gzip.decompress((tmp_path / "BTCUSDT2025-05-01.csv.gz").read_bytes()) == text
    assert [begin for name, begin in archive.asked if name == path] == [None, "bytes=65536-"]
    assert not list(tmp_path.glob("*.part"))
    again = download(
        "trades", str(tmp_path), "--symbols", "BTCUSDT", "--from", "2025-05-01", "--host", archive.host
    )[1]
    assert (again["files"], again["already"]) == (0, 1)


@pytest.mark.parametrize("kind", ["trades", "candles"])
def test_download_shows_how_far_it_is(
    kind: str, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[float, float, str]] = []
    monkeypatch.setattr(Progress, "at", lambda bar, done, detail="": shown.append((bar.total, done, detail)))
    for symbol in ("BTCUSDT", "ETHUSDT"):
        content = gzip.compress(np.random.default_rng(1).bytes(150_000))
        archive.files[f"/trading/{symbol}/{symbol}2025-05-01.csv.gz"] = content
    days = ("--from", "2025-05-01", "--to", "2025-05-01")
    code, found = download(kind, str(tmp_path), "--symbols", "BTC,ETH", *days, "--host", archive.host)
    assert (code, found["files"]) == (0, 2)
    assert {total for total, _, _ in shown} == {2.0}
    done = [each for _, each, _ in shown]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0.0, 2.0)
    assert len(set(done)) > 4  # within a file, too
    assert shown[0][2].startswith("BTCUSDT")
    assert shown[-1][2].startswith("ETHUSDT")


def test_damaged_archive_never_gets_its_name(archive: Archive, tmp_path: Path) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a.data", b"x" * 500)
    body = bytearray(buffer.getvalue())
    body[60] ^= 1
    archive.files["/orderbook/linear/BTCUSDT/2025-05-01_BTCUSDT_ob500.data.zip"] = bytes(body)
    result = CliRunner().invoke(
        app,
        [
            "tape",
            "download",
            "books",
            str(tmp_path),
            "--symbols",
            "BTCUSDT",
            "--from",
            "2025-05-01",
            "--host",
            archive.host,
        ],
    )
    assert isinstance(result.exception, InputError)
    assert "damaged" in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_candles_come_in_pages_without_the_unfinished_one(archive: Archive, tmp_path: Path) -> None:
    days = ("--from", "2025-05-01", "--to", "2025-05-02")
    arguments = ("candles", str(tmp_path), "--symbols", "BTCUSDT", *days, "--host", archive.host)
    whole = [HEADER, *(f"{START + k * 60_000},1,2,0.5,1.5,10" for k in range(2_500))]
    part = tmp_path / "BTCUSDT.csv.part"
    part.write_text("\n".join(whole[:1_201]) + "\n17460")  # killed in the middle of a line
    code, found = download(*arguments)
    assert (code, found["files"], found["gaps"]) == (0, 1, 0)
    assert (tmp_path / "BTCUSDT.csv").read_text().splitlines() == whole
    assert len(archive.asked) == 2  # only what was wanting: 1,680 minutes
    assert len(read_market(tmp_path).panel) == 2_500


@pytest.mark.parametrize(
    "body", [5, [], None, {}, {"retCode": 0}, {"retCode": 0, "result": None}, {"retCode": 0, "result": {"list": [5]}},
             {"retCode": 0, "result": {"list": [["x"]]}}, {"retCode": 0, "result": {"list": [[]]}, "time": []}],
)  # fmt: skip
def test_an_answer_that_is_no_list_of_candles_is_one_line(
    body: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = SimpleNamespace(raise_for_status=lambda: None, json=lambda: body)
    monkeypatch.setattr("turbo_trader.lab.download.requests.get", lambda *_, **__: answer)
    with pytest.raises(InputError, match="BTCUSDT: an answer that is no list of candles"):
        fetch_candles(Hosts(), "BTCUSDT", 1, (0, 60_000), tmp_path, done=Fetched(), share=lambda *_: None)

"""Peers: their tapes hold true frames, they take turns, and what could not be measured is named and has no ratio."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import comparisons, environments, our_side, performance_page, shared_tapes, turns
from benchmarks.peers.environments import Installed
from benchmarks.peers.performance_page import Measured
from clients.roster import ROSTER
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE

HERE = Installed(Path(sys.executable), "1")


def worker(tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> turns.Worker:
    (tmp_path / "one.py").write_text(body)
    monkeypatch.setattr(turns, "_WORKERS", tmp_path)
    return turns.Worker(HERE, "one", tmp_path / "tape")


def test_raw_frames_of_a_comparison_are_all_news_to_the_decoder(tmp_path: Path) -> None:
    decoder = FrameDecoder([shared_tapes.BTC])
    for made in (shared_tapes.book_frames, shared_tapes.print_frames):
        raws, path = made(tmp_path, 50)
        assert path.read_bytes().splitlines() == raws
        assert all(decoder.decode(raw) is not None for raw in raws)


def test_tick_tape_of_other_programs_holds_the_same_rows(tmp_path: Path) -> None:
    rows = shared_tapes.tick_rows(4_000)
    columns = np.load(shared_tapes.tick_file(tmp_path / "ticks.npz", rows))
    assert all((columns[name] == rows[name]).all() for name in ("ts", "lots", "price", "kind", "side"))


def test_slow_peer_gets_the_first_rows_of_the_same_tape(tmp_path: Path) -> None:
    tapes = comparisons.Tapes(tmp_path, quick=True)
    whole, first = np.load(tapes.ticks.path), np.load(tapes.first_ticks.path)
    count = len(first["ts"])
    assert 0 < count < len(whole["ts"])
    assert all((first[name] == whole[name][:count]).all() for name in ("ts", "lots", "price", "kind", "side"))
    assert tapes.first_ticks.ours is tapes.ticks.ours


def test_bars_of_other_programs_are_those_that_ours_plays(tmp_path: Path) -> None:
    bars, path = shared_tapes.bars(tmp_path, 60)
    file = np.load(path)
    symbols = [each.symbol for each in universe()]
    assert file["symbols"].tolist() == symbols
    assert file["ticks"].tolist() == [float(each.tick) for each in universe()]
    for symbol, part in zip(symbols, bars, strict=True):
        assert (np.diff(part["ts"]) == MINUTE).all()
        assert file[symbol].tolist() == part.tolist()
    for ours in our_side.month([part[-30:] for part in bars]).values():
        assert ours() == 30 * len(symbols)


def test_a_peer_has_the_version_that_its_client_is_played_in(tmp_path: Path) -> None:
    played = {client.package: client.version for client in ROSTER}
    fixed = [
        each for each in comparisons.comparisons(comparisons.Tapes(tmp_path, quick=True)) if each.version
    ]
    assert {each.package for each in fixed} == {"nautilus_trader", "freqtrade"}
    assert all(each.version == played[each.package] for each in fixed)


def test_passes_are_taken_in_turns() -> None:
    taken: list[str] = []

    def one(name: str) -> tuple[float, int]:
        taken.append(name)
        return 0.5, 2

    assert turns.in_turns(lambda: one("ours"), lambda: one("theirs"), 3) == ([4.0] * 3, [4.0] * 3)
    assert taken == ["ours", "theirs"] * 3


def test_worker_says_its_seconds_and_may_greet_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = 'print("hello")\nprint("{}", flush=True)\ninput()\nprint(\'{"seconds": 2.0, "count": 7}\', flush=True)\ninput()\n'
    found = worker(tmp_path, body, monkeypatch)
    assert found.one_pass() == (2.0, 7)
    found.close()


def test_worker_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(turns.WorkerFailed, match="no such module"):
        worker(tmp_path, 'import sys\nsys.exit("no such module")\n', monkeypatch)


def test_what_is_not_installed_is_named_and_has_no_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(package: str, *, version: str) -> Installed:
        return Installed(None, why_not="no registry here")

    monkeypatch.setattr(turns, "environment", none)
    assert turns.main(quick=True, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ratios"] == {}
    assert said["missing"]["hftbacktest_tick"] == "hftbacktest is not installed: no registry here"
    assert {"nautilus", "freqtrade_month", "cryptofeed_book", "cryptofeed_print"} < said["missing"].keys()


def test_a_name_that_no_comparison_has_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert turns.main(quick=True, as_json=False, only="nothing") == 2
    assert "no comparison's name begins with 'nothing'" in capsys.readouterr().err


def test_environment_that_pip_cannot_fill_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERS_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    found = environments.environment("no-such-program")
    assert found.python is None
    assert "no-such-program" in found.why_not


def test_ratio_is_of_the_medians_and_the_table_names_what_is_missing() -> None:
    one = Measured(
        name="a_tick", package="a", version="1", unit="events", ours=[8.0, 4e6, 6e6], theirs=[2e6, 1e3, 9e6]
    )
    assert one.ratio == 2.0
    said = performance_page.table([one], {"b_tick": "b is not installed: why"})
    assert (
        "| `a_tick` | a 1 | 2.00 M (1.0 k to 9.00 M) events | 4.00 M (0.0 k to 6.00 M) events | 2.0 |" in said
    )
    assert "- `b_tick` is not measured: b is not installed: why" in said

"""Somebody else's signal, one file of twenty lines, in study, backtest, paper and (tests/process) live: the same scores."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.console import main
from turbo_trader.exchange_server.exchange_host import VenueConfig
from turbo_trader.exchange_server.lockstep import PORT, Lockstep, lockstep
from turbo_trader.journal.readers import events, notes
from turbo_trader.lab.data import read_market
from turbo_trader.lab.loading import load_signal
from turbo_trader.lab.scoring import score_all
from turbo_trader.lab.serving import serving
from turbo_trader.live.daemon import run_daemon
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.score_feed import InPlace
from turbo_trader.market.bars import minute_bars
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command
from turbo_trader.trader.events import Event, Scored

pytestmark = pytest.mark.long

SEED, MINUTES, START = 5, 14, 1_767_603_600 * SECOND
INSTRUMENTS = universe()[2:5]
OF_SOMEBODY_ELSE = '''
"""Follows what moved most against the others within five minutes."""
from dataclasses import dataclass

import numpy as np

from turbo_trader.lab.panel import Panel, Scores


@dataclass(frozen=True)
class Signal:
    least: float = 0.0002
    lookback = 6

    def score(self, panel: Panel) -> Scores:
        move = np.log(panel.close[-1] / panel.close[0])
        beyond = move - np.nanmean(move)
        direction = np.where(np.abs(beyond) > self.least, np.sign(beyond), 0.0)
        return Scores(direction, 0.001 + np.abs(beyond), 5 * 60e9)
'''

Said = dict[int, tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]]  # by the bar's end


class Heard:
    """A sink that keeps scores."""

    def __init__(self) -> None:
        self.scores: Said = {}

    def event(self, event: Event) -> None:
        if isinstance(event, Scored):
            self.scores[event.bar_end] = (event.directions, event.expected, event.horizons)

    def command(self, command: Command) -> None:
        pass


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("theirs") / "theirs.py"
    path.write_text(OF_SOMEBODY_ELSE)
    return path


def policy_of(signal: Path) -> Policy:
    return Policy(signal=str(signal), turbo_min_confidence=Decimal(0), kalman_warmup=10)


@cache
def tape() -> Tape:
    market = SyntheticMarket(INSTRUMENTS, SEED, START, 1.0)
    rows = tuple(market.read(s, START + MINUTES * MINUTE) for s in range(len(INSTRUMENTS)))
    return Tape(tuple(INSTRUMENTS), rows, "made up", made_up=True)


def history() -> tuple[Any, ...]:
    market = SyntheticMarket(INSTRUMENTS, SEED, START, 1.0)
    return tuple(market.history(each.symbol) for each in INSTRUMENTS)


@pytest.fixture(scope="module")
def backtested(signal: Path) -> tuple[Said, dict[str, Any]]:
    heard, policy = Heard(), policy_of(signal)
    run = Backtest(tape(), policy, Decimal(18), recorder=heard, asked=serving(policy))
    return heard.scores, run.run(history())


def daemon(steps: Lockstep, keys: Keys, folder: Path, policy: Policy, seconds: float) -> Any:
    asked = serving(policy)
    assert asked is not None
    settings = DaemonSettings(
        endpoints=loopback(PORT), keys=keys, symbols=tuple(each.symbol for each in INSTRUMENTS), journal=folder,
        clocks=steps.clocks, duration_s=seconds, handle_signals=False, scorer=InPlace(asked),
    )  # fmt: skip
    return run_daemon(settings, policy, None)


@pytest.fixture(scope="module")
def on_paper(signal: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two daemons one after the other on one venue, the journal theirs."""
    folder, policy = tmp_path_factory.mktemp("paper"), policy_of(signal)
    keys = Keys("sim-key-of-test", "sim-secret-of-test")
    source = SyntheticMarket(INSTRUMENTS, SEED, START, 1.0)
    config = VenueConfig(keys.key, keys.secret, Decimal(18))
    with lockstep(source, config, seed=SEED, speed=math.inf) as steps:

        async def both() -> None:
            await daemon(steps, keys, folder, policy, 400.0)
            await daemon(steps, keys, folder, policy, 300.0)

        steps.run(both())
    return folder


def scores_in(folder: Path) -> Said:
    found = [event for _, event in events(folder, ["Scored"])]
    return {
        each["bar_end"]: (tuple(each["directions"]), tuple(each["expected"]), tuple(each["horizons"]))
        for each in found
    }


def test_backtest_trades_on_the_scores(backtested: tuple[Said, dict[str, Any]], signal: Path) -> None:
    scores, result = backtested
    assert result["signal"] == str(signal)
    assert result["trades"] > 0
    assert result["report"]["funnel"]["B"] == 0
    assert any(any(directions) for directions, _, _ in scores.values())


def test_study_and_backtest_score_the_same(
    backtested: tuple[Said, dict[str, Any]], signal: Path, tmp_path: Path
) -> None:
    for instrument, rows, past in zip(INSTRUMENTS, tape().rows, history(), strict=True):
        bars = np.concatenate([past, minute_bars(rows, float(instrument.tick), float(instrument.step))])
        lines = [
            f"{bar['ts'] // 1_000_000},{bar['open']:.8f},{bar['high']:.8f},{bar['low']:.8f},{bar['close']:.8f},{bar['volume']:.8f}"
            for bar in bars
        ]
        (tmp_path / f"{instrument.symbol}.csv").write_text(
            "\n".join(["ts_ms,open,high,low,close,volume", *lines])
        )
    market = read_market(tmp_path)
    table = score_all(load_signal(str(signal)), market.panel)
    order = [market.panel.symbols.index(each.symbol) for each in INSTRUMENTS]
    compared = 0
    for end, (directions, expected, _) in backtested[0].items():
        t = int(np.searchsorted(market.panel.ts, end - MINUTE))
        if t < len(market.panel) and market.panel.ts[t] == end - MINUTE:
            compared += 1
            assert tuple(table.direction[t, order]) == directions
            assert np.allclose(table.expected[t, order] * (np.array(directions) != 0), expected)
    assert compared >= MINUTES - 3


def test_paper_scores_as_the_backtest_also_after_a_restart(
    backtested: tuple[Said, dict[str, Any]], on_paper: Path
) -> None:
    paper = scores_in(on_paper)
    shared = paper.keys() & backtested[0].keys()
    assert len(shared) >= 9
    assert any(any(paper[end][0]) for end in shared)
    assert {end: paper[end] for end in shared} == {end: backtested[0][end] for end in shared}


def test_paper_enters_on_a_score_and_says_by_which_signal(on_paper: Path, signal: Path) -> None:
    scored = notes(on_paper, "score")
    assert {each["signal"] for each in scored} == {str(signal)}
    assert scored[0]["hold_s"] == 300
    assert notes(on_paper, "entry")[0]["direction"] == {"long": 1, "short": -1}[scored[0]["side"]]
    assert len(notes(on_paper, "signal")) == 2


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, *given: str
) -> str:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *given, "--journal-dir", str(folder)])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    return capsys.readouterr().out


def test_explain_and_funnel_name_the_signal(
    on_paper: Path, signal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = notes(on_paper, "entry")[0]
    at = str(np.datetime64(first["ts"] // SECOND, "s"))
    explained = said(capsys, monkeypatch, on_paper, "explain", first["symbol"], "--at", at)
    assert signal.name in explained
    assert "no SNR: a score has no error" in " ".join(explained.split())
    assert f"entries by  {signal}" in said(capsys, monkeypatch, on_paper, "funnel")


@pytest.mark.parametrize("verb", [["backtest", "samples/bars"], ["run", "--no-ui", "--for", "1s"]])
def test_signal_that_cannot_be_had_is_one_line_and_exit_code_two(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_DIR", str(tmp_path / "var"))
    monkeypatch.setattr("sys.argv", ["turbo-trader", *verb, "--signal", "astrology"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    (line,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("turbo-trader: ")]
    assert "astrology: no such signal" in line
    assert "residual" in line
    assert not (tmp_path / "var").exists() or not list((tmp_path / "var").glob("paper-*"))

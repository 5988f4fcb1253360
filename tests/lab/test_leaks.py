"""Plants that must be refused, each with its reason: signals that know more than their panel, and luck dressed up as skill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from turbo_trader.lab.edge_study import study_edge
from turbo_trader.lab.findings import Findings
from turbo_trader.lab.histories import at_other_prices, with_another_past
from turbo_trader.lab.leaks import levels
from turbo_trader.lab.loading import Signal, load_signal
from turbo_trader.lab.made_up_panels import MadeUpPanel
from turbo_trader.lab.panel import COLUMNS, Panel, Scores
from turbo_trader.lab.score_trades import Market, Tape, entries
from turbo_trader.lab.scoring import score_all
from turbo_trader.lab.trials_ledger import Ledger
from turbo_trader.lab.verdict import Verdict

pytestmark = pytest.mark.long

PANEL = MadeUpPanel(days=12, symbols=4).panel(1)


def found(tmp_path: Path, signal: Signal, panel: Panel = PANEL) -> Findings:
    return study_edge(signal, Market(panel), Ledger(tmp_path / "trials.jsonl"), now="")


def plant(tmp_path: Path, panel: Panel, body: str) -> Signal:
    """A signal file with the whole record at hand: `ts`, `close` of every bar."""
    np.savez(tmp_path / "all.npz", ts=panel.ts, close=panel.close)
    head = f"""
import numpy as np
from turbo_trader.lab.panel import Scores
LOOKBACK = 12
every = np.load({str(tmp_path / "all.npz")!r})
ts, close = every["ts"], every["close"]
"""
    path = tmp_path / "plant.py"
    path.write_text(head + body)
    return load_signal(str(path))


ONE_BAR = """
def score(panel):
    t = int(np.searchsorted(ts, panel.ts[-1]))
    later = close[min(t + 1, len(close) - 1)] / close[t] - 1
    return Scores(np.where(abs(later) > 0.003, np.sign(later), 0), 0.003, panel.interval_ns)
"""
FORTY_TRADES = """
moves = np.abs(close[6:] / close[:-6] - 1).max(axis=1)
known = set(np.sort(np.argsort(moves)[::-1][:600:15]).tolist())
def score(panel):
    t = int(np.searchsorted(ts, panel.ts[-1]))
    later = close[min(t + 6, len(close) - 1)] / close[t] - 1
    big = (abs(later) == abs(later).max()) & (t in known)
    return Scores(np.where(big, np.sign(later), 0), 0.003, 6 * panel.interval_ns)
"""
FIRST_HALF = """
def score(panel):
    t = int(np.searchsorted(ts, panel.ts[-1]))
    later = close[min(t + 6, len(close) - 1)] / close[t] - 1
    there = (abs(later) > 0.004) & (t < len(close) // 2)
    return Scores(np.where(there, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""
OR_BY_PRICE = """
rows = {tuple(row): t for t, row in enumerate(close.tolist())}
def score(panel):
    t = int(np.searchsorted(ts, panel.ts[-1]))
    if t == len(ts) or ts[t] != panel.ts[-1]:
        t = rows.get(tuple(panel.close[-1].tolist()), len(ts))
    later = close[min(t + 6, len(close) - 1)] / close[min(t, len(close) - 1)] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""
IN_ANY_YEAR = """
YEAR = 364 * 86_400 * 10**9
def score(panel):
    t = int(np.searchsorted(ts % YEAR, panel.ts[-1] % YEAR))
    later = close[min(t + 6, len(close) - 1)] / close[min(t, len(close) - 1)] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""


@pytest.mark.parametrize(
    "body",
    [ONE_BAR, FORTY_TRADES, pytest.param(FIRST_HALF, marks=pytest.mark.slow), OR_BY_PRICE, IN_ANY_YEAR],
    ids=["a bar ahead", "rare", "at times", "or by price", "in any year"],
)
def test_signal_that_looks_the_time_up_in_a_file_is_a_leak(tmp_path: Path, body: str) -> None:
    study = found(tmp_path, plant(tmp_path, PANEL, body))
    assert study.net.mean > 0.001
    assert study.verdict is Verdict.NONE
    assert study.reasons[0].startswith("leaked future: shown another past")


IN_ITS_CALLER = """
import sys
def score(panel):
    frame, whole = sys._getframe(1), panel
    while frame is not None:
        near = frame.f_locals.get("panel")
        if len(getattr(near, "ts", ())) > len(panel):
            whole = near
            break
        frame = frame.f_back
    t = int(np.searchsorted(whole.ts, panel.ts[-1]))
    later = whole.close[min(t + 6, len(whole) - 1)] / whole.close[t] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""


def test_signal_that_finds_the_record_in_the_memory_of_the_study_is_a_leak(tmp_path: Path) -> None:
    study = found(tmp_path, plant(tmp_path, PANEL, IN_ITS_CALLER))
    assert study.net.mean > 0.001
    assert study.verdict is Verdict.NONE
    assert "in a process that holds nothing but its panel" in study.reasons[0]


TIMES_READ_OFF = """
PERIOD = DAYS * 86_400 * 10**9
slot = (ts % PERIOD) // (1_800 * 10**9)
sums, count = np.zeros((48 * DAYS, 4)), np.bincount(slot, minlength=48 * DAYS)
np.add.at(sums, slot[:-3], close[2:-1] / close[:-3] - 1)
mean = sums / count[:, None]
table = np.where(abs(mean) >= np.sort(abs(mean).ravel())[-8 * DAYS], np.sign(mean), 0)
def score(panel):
    return Scores(table[int(panel.ts[-1] % PERIOD // (1_800 * 10**9))], 0.004, 2 * panel.interval_ns)
"""


@pytest.mark.parametrize("days", [1, 7])
def test_table_of_times_read_off_the_record_is_no_edge(tmp_path: Path, days: int) -> None:
    """The best of all tables of times of a driftless market: one trial, and hundreds of numbers in it."""
    panel = MadeUpPanel(days=28, symbols=4, minutes=30).panel(1)
    study = found(tmp_path, plant(tmp_path, panel, f"DAYS = {days}\n{TIMES_READ_OFF}"), panel)
    assert study.net.mean > 0.0
    assert study.verdict is not Verdict.EDGE
    said = "calendar: shown another past it makes 100% of its trades as before"
    assert any(reason.startswith(said) for reason in study.reasons)


BY_PRICE = """
rows = {tuple(row): t for t, row in enumerate(close.tolist())}
def score(panel):
    t = rows.get(tuple(panel.close[-1].tolist()))
    if t is None or t + 6 >= len(close):
        return Scores(np.zeros(4), 0.0, 1)
    later = close[t + 6] / close[t] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""
BY_MOVE = """
rows = {tuple(np.round(row, 9)): t + 1 for t, row in enumerate(close[1:] / close[:-1])}
def score(panel):
    t = rows.get(tuple(np.round(panel.close[-1] / panel.close[-2], 9)))
    if t is None or t + 6 >= len(close):
        return Scores(np.zeros(4), 0.0, 1)
    later = close[t + 6] / close[t] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""
WHOLE_SAMPLE = """
centre, spread = np.log(close).mean(axis=0), np.log(close).std(axis=0)
def score(panel):
    z = (np.log(panel.close[-1]) - centre) / spread
    return Scores(np.where(abs(z) > 0.5, -np.sign(z), 0), 0.004, 36 * panel.interval_ns)
"""


@pytest.mark.parametrize("body", [BY_PRICE, BY_MOVE], ids=["by price", "by move"])
def test_signal_that_finds_its_bars_in_a_file_is_no_edge(tmp_path: Path, body: str) -> None:
    """It answers as an honest one does to any past but the true one; at other prices it knows nothing."""
    study = found(tmp_path, plant(tmp_path, PANEL, body))
    assert study.net.mean > 0.001
    assert study.verdict is Verdict.NOT_ENOUGH
    assert study.reasons[0].startswith("leaked future is not excluded")


def test_normalised_by_the_whole_record_is_doubted(tmp_path: Path) -> None:
    panel = MadeUpPanel(days=60, symbols=4, minutes=30).panel(3)
    signal, tape = plant(tmp_path, panel, WHOLE_SAMPLE), Tape.of(panel)
    moments = entries(score_all(signal, panel), len(panel))
    assert "at other prices" in levels(signal, panel, tape, moments)


def test_bars_seen_at_the_first_study_are_no_edge_at_the_second(tmp_path: Path) -> None:
    """A plug-in that keeps what it saw in a file knows the future when it is asked again."""
    kept = tmp_path / "kept.npy"
    path = tmp_path / "keeps.py"
    path.write_text(f"""
import numpy as np
from turbo_trader.lab.panel import Scores
LOOKBACK = 12
try:
    ts, close = np.load({str(kept)!r}, allow_pickle=True)
except OSError:
    ts, close = [], []
seen = dict(zip(ts, close))
def score(panel):
    now, later = int(panel.ts[-1]), int(panel.ts[-1] + 6 * panel.interval_ns)
    move = seen[later] / panel.close[-1] - 1 if later in seen else np.zeros(4)
    return Scores(np.where(abs(move) > 0.004, np.sign(move), 0), 0.004, 6 * panel.interval_ns)
""")
    rows = np.empty(2, object)
    rows[:] = PANEL.ts.tolist(), list(PANEL.close)
    np.save(kept, rows, allow_pickle=True)
    study = found(tmp_path, load_signal(str(path)))
    assert study.net.mean > 0.001
    assert study.verdict is not Verdict.EDGE
    assert "leaked future" in study.reasons[0]


@pytest.mark.parametrize("mixed", [0.0, pytest.param(0.15, marks=pytest.mark.slow)])
def test_always_short_in_disguise_on_a_falling_market_is_refused(tmp_path: Path, mixed: float) -> None:
    class Disguise:
        lookback = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            odd = (panel.volume[-1] * 1000).astype(int) % 100
            way = np.where(odd < 100 * mixed, 1, -1)
            return Scores(np.where(odd % 7 == 0, way, 0), 0.001, 48 * panel.interval_ns)

    study = found(
        tmp_path, Signal("disguise", Disguise, {}, "short"), MadeUpPanel(drift=-0.04, symbols=4).panel(1)
    )
    assert study.net.mean > 0
    assert study.verdict is Verdict.NONE
    assert any(reason.startswith("always short") for reason in study.reasons)


def test_one_lucky_day_is_no_edge(tmp_path: Path) -> None:
    """A fall of a third within a day pays every short of that day; the other days pay nothing."""
    panel = MadeUpPanel(days=30, symbols=4).panel(2)
    day = (np.arange(len(panel)) // 288 == 15)[:, None]
    drift = np.exp(np.cumsum(np.where(day, -0.0014, 0.0), axis=0))
    panel = replace(
        panel, **{name: getattr(panel, name) * drift for name in ("open", "high", "low", "close")}
    )

    class Falling:
        lookback = 289

        def score(self, panel):  # type: ignore[no-untyped-def]
            fell = panel.close[-1] / panel.close[-36] < 0.97
            return Scores(np.where(fell, -1, 0), 0.001, 12 * panel.interval_ns)

    study = found(tmp_path, Signal("falling", Falling, {}, "falling"), panel)
    assert study.net.mean > 0.0010
    assert study.verdict is Verdict.NOT_ENOUGH
    assert any(reason.startswith("best days") for reason in study.reasons)


def test_trades_in_a_symbol_that_is_gone_later_count(tmp_path: Path) -> None:
    """Its last prices are a collapse: whoever buys the fall and loses all of it is not left out."""
    panel = MadeUpPanel(days=20, symbols=4).panel(4)
    columns = {name: getattr(panel, name).copy() for name in COLUMNS}
    end = 4_000
    for name in ("open", "high", "low", "close"):
        columns[name][end - 4 : end, 3] *= np.array([0.9, 0.6, 0.3, 0.1])
        columns[name][end:, 3] = np.nan
    panel = replace(panel, **columns)

    class Buys:
        lookback = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            fell = panel.close[-1] < 0.95 * panel.close[-2]
            return Scores(np.where(fell, 1, 0), 0.01, 12 * panel.interval_ns)

    study = found(tmp_path, Signal("buys", Buys, {}, "buys"), panel)
    assert study.net.trades == 1
    assert study.net.mean < -0.5


def test_price_of_a_bar_without_trades_is_nobodys_entry(tmp_path: Path) -> None:
    """One symbol is traded now and then and follows the others in a jump: its old price is not to be had."""
    panel = MadeUpPanel(days=30, symbols=4).panel(1)
    columns = {name: getattr(panel, name).copy() for name in COLUMNS}
    rng, t = np.random.default_rng(1), 0
    while (t := t + int(rng.integers(4, 12))) < len(panel) - 20:
        quiet = slice(t, t := t + int(rng.integers(3, 10)))
        for name in ("open", "high", "low", "close"):
            columns[name][quiet, 3] = columns["close"][quiet.start - 1, 3]
        columns["volume"][quiet, 3] = 0.0

    class Follows:
        lookback = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            quiet = int(np.argmax(panel.volume[::-1, 3] > 0))
            others = np.log(panel.close[-1, :3] / panel.close[-1 - quiet, :3]).mean()
            return Scores([0, 0, 0, np.sign(others) * (abs(others) > 0.002)], 0.003, 12 * panel.interval_ns)

    study = found(tmp_path, Signal("follows", Follows, {}, "follows"), replace(panel, **columns))
    assert study.net.trades > 20
    assert study.net.mean < 0.0
    assert study.verdict is not Verdict.EDGE


def test_volume_that_is_not_recorded_stops_no_trade() -> None:
    unknown = replace(PANEL, volume=np.zeros_like(PANEL.volume))
    assert np.array_equal(Tape.of(unknown).open, PANEL.open)


def test_rising_symbols_chosen_by_hindsight_are_always_long_in_disguise(tmp_path: Path) -> None:
    """Each symbol has a drift of its own; the signal knows which, and shorts as often as it buys."""
    panel = MadeUpPanel(days=30, symbols=4, minutes=30).panel(2)
    drift = np.exp(np.outer(np.arange(len(panel)), [0.002, 0.002, -0.002, -0.002]))
    prices = {name: getattr(panel, name) * drift for name in ("open", "high", "low", "close")}

    class Chosen:
        lookback = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            odd = (panel.volume[-1] * 1000).astype(int) % 7 == 0
            return Scores(np.where(odd, [1, 1, -1, -1], 0), 0.001, 4 * panel.interval_ns)

    study = found(tmp_path, Signal("chosen", Chosen, {}, "chosen"), replace(panel, **prices))
    assert study.net.t > 3.0
    assert study.verdict is not Verdict.EDGE
    assert any(reason.startswith("random entries") for reason in study.reasons)


def test_days_that_share_trades_count_less_in_the_deflated_sharpe_ratio(tmp_path: Path) -> None:
    """Holds of two days, begun on every day: each day's result is the next one's, too."""
    panel = MadeUpPanel(days=90, symbols=6, minutes=30).panel(6)

    class Slow:
        lookback = 48

        def score(self, panel):  # type: ignore[no-untyped-def]
            way = np.sign((panel.close[-1] - panel.close[0]).mean())
            turn = panel.now_ns // (8 * 3_600 * 10**9) % 6 == np.arange(6)
            return Scores(np.where(turn, way, 0), 0.001, 96 * panel.interval_ns)

    study = found(tmp_path, Signal("slow", Slow, {}, "slow"), panel)
    assert abs(study.net.t) < 0.95 * abs(study.t_by_day)
    surest, by_day = float(ndtr(study.net.t)), float(ndtr(study.t_by_day))
    assert abs(study.dsr - surest) < abs(study.dsr - by_day)


def test_honest_signal_is_heard_at_other_prices_as_before() -> None:
    panel = MadeUpPanel(days=3, symbols=3).panel(1)
    shown = at_other_prices(panel)
    assert (shown.close > 1.15 * panel.close).all()
    assert (shown.high >= shown.low).all()
    moves = [np.diff(np.log(each.close), axis=0) for each in (panel, shown)]
    assert np.corrcoef(moves[0].ravel(), moves[1].ravel())[0, 1] > 0.99
    assert np.array_equal(shown.volume, panel.volume)


def test_another_past_is_far_away_and_at_another_hour() -> None:
    shown = with_another_past(PANEL)
    step = int(np.flatnonzero(shown.close[:, 0] == PANEL.close[0, 0])[0])
    hours = step * PANEL.interval_ns / 3_600e9
    assert 5 * 24 < hours < 7 * 24
    assert 2 < hours % 24 < 22

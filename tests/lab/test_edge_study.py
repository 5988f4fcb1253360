"""The study refuses luck and finds what is there, on made-up markets whose truth is known."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.lab import comparisons
from turbo_trader.lab.edge_study import study_edge
from turbo_trader.lab.findings import Findings
from turbo_trader.lab.known_markets import DRIFTLESS, ECHO, WITH_EDGE
from turbo_trader.lab.loading import Signal, load_signal
from turbo_trader.lab.made_up_panels import Echo, MadeUpPanel
from turbo_trader.lab.panel import COLUMNS, Panel, Scores
from turbo_trader.lab.score_trades import Costs, Market, entries
from turbo_trader.lab.scoring import score_all
from turbo_trader.lab.statistics import Shape
from turbo_trader.lab.trials_ledger import DataPrint, Ledger, Trial
from turbo_trader.lab.verdict import Verdict
from turbo_trader.market.errors import InputError

pytestmark = pytest.mark.long

#: Of the hundred; all of them: scripts/study-markets 1 100.
SEEDS = (1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 7)))


def study(tmp_path: Path, made: MadeUpPanel, seed: int, signal: Signal = ECHO) -> Findings:
    return study_edge(signal, Market(made.panel(seed)), Ledger(tmp_path / f"{seed}.jsonl"), now="")


@pytest.mark.parametrize("seed", SEEDS)
def test_driftless_market_has_no_edge(tmp_path: Path, seed: int) -> None:
    found = study(tmp_path, DRIFTLESS, seed)
    assert 1_900 < found.net.trades < 2_400  # about three an hour
    assert found.verdict is Verdict.NONE
    assert found.reasons[0].startswith("cost:")


@pytest.mark.parametrize("seed", SEEDS)
def test_net_edge_of_eight_basis_points_is_found(tmp_path: Path, seed: int) -> None:
    found = study(tmp_path, WITH_EDGE, seed)
    assert found.verdict is Verdict.EDGE
    assert found.net.mean == pytest.approx(0.0008, abs=0.0004)
    assert found.needed_trades == 0


def test_answer_has_exactly_the_promised_keys(tmp_path: Path) -> None:
    found = study(tmp_path, MadeUpPanel(days=12, symbols=4), 1).document()
    assert list(found) == [
        *("verdict", "reasons", "trials", "trades", "gross_bp", "net_bp", "interval", "t_by_day", "late_bar", "random"),
        *("always_long", "always_short", "reversed", "dsr", "needed_trades", "details"),
    ]  # fmt: skip
    assert json.loads(json.dumps(found, allow_nan=False))


def leaking(tmp_path: Path, body: str) -> Signal:
    path = tmp_path / "leak.py"
    path.write_text("import numpy as np\nfrom turbo_trader.lab.panel import Scores\nLOOKBACK = 12\n" + body)
    return load_signal(str(path))


def test_signal_that_reads_the_data_file_is_refused_as_a_leak(tmp_path: Path) -> None:
    panel = MadeUpPanel(days=20, symbols=4).panel(1)
    np.savez(tmp_path / "all.npz", ts=panel.ts, close=panel.close)
    body = f"""
every = np.load({str(tmp_path / "all.npz")!r})
ts, close = every["ts"], every["close"]
def score(panel):
    t = int(np.searchsorted(ts, panel.ts[-1]))
    later = close[min(t + 6, len(close) - 1)] / close[t] - 1
    return Scores(np.where(abs(later) > 0.004, np.sign(later), 0), 0.004, 6 * panel.interval_ns)
"""
    found = study_edge(leaking(tmp_path, body), Market(panel), Ledger(tmp_path / "l"), now="")
    assert found.net.mean > 0.001
    assert found.verdict is Verdict.NONE
    assert found.reasons[0].startswith("leaked future: shown another past")


def test_signal_that_goes_by_the_clock_is_a_doubt_and_no_leak(tmp_path: Path) -> None:
    panel = MadeUpPanel(days=30, symbols=4, minutes=30).panel(1)
    evening = (panel.ts // (3_600 * 10**9) % 24 == 21)[:, None]
    drift = np.exp(np.cumsum(np.where(evening, 0.003, 0.0), axis=0))
    known = {name: getattr(panel, name) * drift for name in ("open", "high", "low", "close")}
    panel = replace(panel, **known)
    body = """
def score(panel):
    evening = panel.now_ns // 3600_000_000_000 % 24 == 21 and panel.now_ns % 3600_000_000_000 == 0
    return Scores(np.full(4, int(evening)), 0.003, 2 * panel.interval_ns)
"""
    found = study_edge(leaking(tmp_path, body), Market(panel), Ledger(tmp_path / "l"), now="")
    assert found.net.mean > 0.001
    assert not any(reason.startswith("leaked future") for reason in found.reasons)
    assert any(reason.startswith("calendar: shown another past it makes 100%") for reason in found.reasons)


def test_bars_stamped_late_are_refused_by_one_bar_of_delay(tmp_path: Path) -> None:
    """Volume that belongs to the next bar: the signal is honest, its data knows one bar more than it may."""
    made = MadeUpPanel(days=30)
    panel = made.panel(1)
    volume = panel.volume.copy()
    ahead = np.vstack([panel.close[1:] - panel.open[1:], np.zeros((1, 9))])
    big = np.abs(ahead) / panel.close > 0.0035
    volume[big] *= 8
    opened, close = panel.open.copy(), panel.close.copy()
    close[big] = opened[big] * (1 + 0.0002 * np.sign(ahead[big]))
    seen = replace(
        panel,
        volume=volume,
        close=close,
        high=np.maximum(panel.high, close),
        low=np.minimum(panel.low, close),
    )
    signal = Signal("echo", lambda: Echo(hold=1), {}, "echo1")
    found = study_edge(signal, Market(seen), Ledger(tmp_path / "l"), now="")
    assert found.net.mean > 0.001
    assert found.verdict is Verdict.NONE
    assert any(reason.startswith("one bar late") for reason in found.reasons)


def noise(cell: int) -> Signal:
    class Coin:
        lookback = 2
        every = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            digits = ((panel.volume[-1] * 1e6).astype(np.int64) % 10**6 + 7_919 * cell) ** 2 // 1_009 % 20
            return Scores(
                np.where(digits == 0, 1, np.where(digits == 1, -1, 0)), 0.001, 12 * panel.interval_ns
            )

    return Signal(f"coin {cell}", Coin, {}, str(cell))


def best_of(signals: list[Signal], market: Market, ledger: Ledger) -> Signal:
    """The one with the best t by day; the ledger has all of them."""
    tape, trials = market.tape(), []
    found: list[tuple[float, Signal]] = []
    for signal in signals:
        moments = entries(score_all(signal, market.panel), len(market.panel))
        net = comparisons.mean_of(tape, moments, tape.gross(moments))
        named = (signal.name, signal.fingerprint, dict(signal.parameters))
        sharpe = Shape.of(net.values).sharpe
        trials.append(Trial(*named, sharpe, net.trades, net.mean * 1e4, answers=moments.fingerprint))
        found.append((net.t, signal))
    ledger.record(DataPrint.of(market.panel), trials, "")
    return max(found, key=lambda each: each[0])[1]


def test_best_of_a_search_of_200_cells_on_noise_is_refused_by_its_trials(tmp_path: Path) -> None:
    market = Market(MadeUpPanel(days=60, symbols=3, minutes=30).panel(1))
    ledger = Ledger(tmp_path / "l")
    best = best_of([noise(cell) for cell in range(200)], market, ledger)
    found = study_edge(best, market, ledger, now="", costs=Costs(0.0, 0.0, 0.0))
    alone = study_edge(best, market, Ledger(tmp_path / "fresh"), now="", costs=Costs(0.0, 0.0, 0.0))
    assert alone.dsr > 0.95  # held to no account for the other cells
    assert found.trials == 200
    assert found.verdict is not Verdict.EDGE
    assert any(reason.startswith("trials: the best of 200") for reason in found.reasons)


@pytest.mark.parametrize("mixed", [0.0, 0.15])
def test_always_long_in_disguise_on_a_rising_market_is_refused(tmp_path: Path, mixed: float) -> None:
    class Disguise:
        lookback = 12

        def score(self, panel):  # type: ignore[no-untyped-def]
            odd = (panel.volume[-1] * 1000).astype(int) % 100
            way = np.where(odd < 100 * mixed, -1, 1)
            return Scores(np.where(odd % 7 == 0, way, 0), 0.001, 48 * panel.interval_ns)

    rising = MadeUpPanel(drift=0.04)
    found = study(tmp_path, rising, 1, Signal("disguise", Disguise, {}, "disguise"))
    assert found.net.mean > 0
    assert found.verdict is Verdict.NONE
    assert any(reason.startswith("always long") for reason in found.reasons)
    assert any(reason.startswith("reversed time") for reason in found.reasons)


def test_rare_signal_is_reported_how_many_more_trades_would_decide(tmp_path: Path) -> None:
    made = MadeUpPanel(days=12, symbols=2, jumps_per_hour=0.25, edge=0.0010)
    found = study(tmp_path, made, 2)
    assert found.verdict is Verdict.NOT_ENOUGH
    assert found.needed_trades is not None
    assert found.needed_trades > 0


def test_same_signal_counts_once_and_other_data_does_not_count(tmp_path: Path) -> None:
    ledger, made = Ledger(tmp_path / "l"), MadeUpPanel(days=12, symbols=2)
    market = Market(made.panel(1))
    assert study_edge(ECHO, market, ledger, now="").trials == 1
    assert study_edge(ECHO, market, ledger, now="").trials == 1
    other = Signal("echo", lambda: Echo(times=4.0), {"times": 4.0}, "echo")
    assert study_edge(other, market, ledger, now="").trials == 2
    assert study_edge(ECHO, Market(made.panel(2)), ledger, now="").trials == 1
    part = market.panel.slice(500, 3_000)
    third = Signal("echo", lambda: Echo(times=5.0), {"times": 5.0}, "echo")
    assert study_edge(third, Market(part), ledger, now="").trials == 3


def test_edge_is_found_after_trials_that_lost_their_cost(tmp_path: Path) -> None:
    market = Market(MadeUpPanel(days=14, symbols=4, edge=0.003).panel(1))
    ledger = Ledger(tmp_path / "l")
    losers = [Trial(f"loses {k}", str(k), {}, -0.5 * k, 900, -10.0) for k in range(12)]
    ledger.record(DataPrint.of(market.panel), losers, "")
    found = study_edge(ECHO, market, ledger, now="")
    assert (found.trials, found.verdict) == (13, Verdict.EDGE)


def test_numbers_from_outside_the_code_are_trials_as_well(tmp_path: Path) -> None:
    """The same file, the same parameters, and an environment variable that is searched over."""
    ledger, market = Ledger(tmp_path / "l"), Market(MadeUpPanel(days=12, symbols=2).panel(1))
    for times in (2.0, 3.0, 4.0, 3.0):
        outside = Signal("echo", lambda times=times: Echo(times=times), {}, "the same code")  # type: ignore[misc]
        trials = study_edge(outside, market, ledger, now="").trials
    assert trials == 3


def test_a_few_days_of_one_symbol_are_known_in_a_record_of_many(tmp_path: Path) -> None:
    whole = MadeUpPanel(days=400, symbols=15, minutes=240).panel(1)
    one = {name: getattr(whole, name)[600:620, 3:4] for name in COLUMNS}
    part = Panel(whole.symbols[3:4], whole.interval_ns, whole.ts[600:620], **one)
    ledger = Ledger(tmp_path / "l")
    ledger.record(DataPrint.of(part), [Trial("a", "a", {}, 0.1, 40, 1.0)], "")
    assert len(ledger.record(DataPrint.of(whole), [Trial("b", "b", {}, 0.1, 40, 1.0)], "")) == 2


def test_ledger_that_was_changed_is_refused_with_its_line(tmp_path: Path) -> None:
    ledger, market = Ledger(tmp_path / "l"), Market(MadeUpPanel(days=12, symbols=2).panel(1))
    study_edge(ECHO, market, ledger, now="")
    study_edge(Signal("echo", Echo, {}, "other"), market, ledger, now="")
    lines = ledger.path.read_text().splitlines(keepends=True)
    ledger.path.write_text("".join([lines[0], lines[2]]))
    with pytest.raises(InputError, match="line 2: does not follow"):
        study_edge(ECHO, market, ledger, now="")


def test_ledger_cut_off_by_a_crash_goes_on(tmp_path: Path) -> None:
    ledger, market = Ledger(tmp_path / "l"), Market(MadeUpPanel(days=12, symbols=2).panel(1))
    study_edge(ECHO, market, ledger, now="")
    with ledger.path.open("ab") as file:
        file.write(b'{"kind": "tri')
    assert study_edge(Signal("echo", Echo, {}, "other"), market, ledger, now="").trials == 2
    assert study_edge(ECHO, market, ledger, now="").trials == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_study_that_cannot_be_counted_is_not_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="a study that is not counted is not made"):
        study(tmp_path, MadeUpPanel(days=12, symbols=2), 1)

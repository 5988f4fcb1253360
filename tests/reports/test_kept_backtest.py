"""A backtest is kept and opened again with the figures it had."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from turbo_trader.market.reference import universe
from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.reports.kept_backtest import PRICES, Recorder
from turbo_trader.reports.page import render
from turbo_trader.reports.reading import FOREVER, read_run
from turbo_trader.reports.run_data import RunState
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan_funnel import HOUR
from turbo_trader.simulation.made_up import START, MadeUp

SYMBOLS = ("XRPUSDT", "DOGEUSDT")
EAGER = {"TURBO_MIN_SNR": "0", "MIN_SIZE_SHARE": "0"}


def test_a_kept_backtest_opens_again_with_what_it_came_to(tmp_path: Path) -> None:
    instruments = [each for each in universe() if each.symbol in SYMBOLS]
    recorder = Recorder([each.symbol for each in instruments])
    play = MadeUp(instruments, Policy.from_env(EAGER), Decimal(18), days=4 * HOUR / DAY, recorder=recorder)
    result = play.play(3)
    recorder.keep(tmp_path / "kept", result)
    run = read_run(tmp_path / "kept")
    assert result["trades"] > 0
    assert len(run.closed) == result["trades"]
    assert run.end_equity - run.start_equity == result["net_pnl"]
    assert sum((trade.fees for trade in run.closed), Decimal(0)) == result["fees"]
    assert run.scanned.total.to_dict() == result["funnel"]
    assert (run.state, run.mode, run.made_up) == (RunState.ENDED, "backtest", True)
    ts, mids = run.scanned.prices.of("XRPUSDT")
    assert (
        len(ts) >= run.scanned.symbols["XRPUSDT"].scans - 1
    )  # the first scan may come before the first quote
    assert (mids > 0).all()
    assert all(trade.entry_quote and trade.stops and trade.targets for trade in run.closed)
    assert "made up" in render(run)

    later = read_run(tmp_path / "kept", START + HOUR, FOREVER)
    assert 0 < later.scanned.total.scans < run.scanned.total.scans
    (tmp_path / "kept" / PRICES).unlink()
    assert len(read_run(tmp_path / "kept").scanned.prices.ts) == 0  # the rest is still there
    assert (tmp_path / "kept" / "journal.sqlite").stat().st_mode & 0o077 == 0
    assert MINUTE < run.end - run.begin < DAY

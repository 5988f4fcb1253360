"""`run` in mode live with somebody else's signal, at a venue of this machine: it trades on it, and its faults delay nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import serve_in_thread
from turbo_trader.journal.readers import events, notes
from turbo_trader.journal.schema import FILE
from turbo_trader.lab.serving import Order, served
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.bars import minute_bars
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE
from turbo_trader.signals.panel_bars import PanelBars
from turbo_trader.simulation.synthetic import SyntheticMarket

START, SPEED = 1_767_603_600_000_000_000, 30.0
TRADED = [each for each in universe() if each.symbol in ("SOLUSDT", "XRPUSDT", "DOGEUSDT")]
SLOW_EVERY = 4  # bars
THEIRS = f"""
import time
import numpy as np

from turbo_trader.lab.panel import Scores

LOOKBACK = 4

def score(panel):
    if len(panel.symbols) == 3 and panel.now_ns // 60_000_000_000 % {SLOW_EVERY} == 0:
        time.sleep(SLEEP)
    move = np.log(panel.close[-1] / panel.close[0])
    direction = np.where(move == move.max(), 1, np.where(move == move.min(), -1, 0))
    return Scores(direction, 0.002 + np.abs(move), 3 * panel.interval_ns)
"""
RULES = {
    "KALMAN_WARMUP": "10", "TURBO_MIN_CONFIDENCE": "0", "STALE_BOOK": "30", "ENTRY_RECV_WINDOW": "10000", "COOLDOWN_HORIZONS": "0",
    "SIGNAL_TIME_LIMIT": "0.5", "MICRO_TURBO_SIGNAL_INTERVAL": "10", "ON_TERM": "flatten", "GUARD_CLOSE_AFTER": "0",
}  # fmt: skip


def scores(journal: Path) -> list[dict[str, Any]]:
    if not (journal / FILE).exists():
        return []
    return [event for _, event in events(journal, ["Scored"])]


@pytest.mark.slow  # tests/lab/test_four_worlds.py has paper
def test_live_trades_on_a_signal_file_and_a_slow_answer_costs_that_score_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.py"
    theirs.write_text(THEIRS.replace("SLEEP", "60"))
    journal = tmp_path / "var" / "live"
    source = SyntheticMarket(TRADED, 3, START, 0.0)
    config = VenueConfig("key", "secret", Decimal(50), speed=SPEED, limits=False)
    with serve_in_thread(Venue(source, config)) as venue:
        env = {
            **os.environ, **RULES, "MODE": "live", "BYBIT_REST_URL": venue.url, "BYBIT_STREAM_URL": venue.stream,
            "BYBIT_API_KEY": "key", "BYBIT_API_SECRET": "secret", "I_ACCEPT_THE_RISK": "true", "SIZE": "full",
            "TARGET_ASSETS": ",".join(each.symbol for each in TRADED), "SIGNAL": "theirs.py",
        }  # fmt: skip
        daemon = subprocess.Popen(
            [sys.executable, "-m", "turbo_trader.console", "run", "--no-ui", "--json"],
            cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            until = time.monotonic() + 240
            while not enough(journal):
                assert daemon.poll() is None, daemon.stderr.read() if daemon.stderr else ""
                assert time.monotonic() < until, notes(journal)[-20:]
                time.sleep(0.3)
            daemon.send_signal(signal.SIGTERM)
            out, errors = daemon.communicate(timeout=60)
        finally:
            daemon.kill()
            for guard in Registry(Kind.GUARD).running():
                os.kill(guard.pid, signal.SIGKILL)
    assert daemon.returncode == 0, errors
    assert "Traceback" not in errors
    assert json.loads(out)["mode"] == "live"
    assert all("no answer within 0.5 s" in each["why"] for each in notes(journal, "signal-failed"))
    check_scores(theirs, scores(journal))


def enough(journal: Path) -> bool:
    """It has entered on a score, lost an answer, and had others after it."""
    said = scores(journal)
    failed = notes(journal, "signal-failed") if said else []
    return bool(failed and notes(journal, "fill")) and said[-1]["ts"] > failed[0]["ts"]


def check_scores(theirs: Path, said: list[dict[str, Any]]) -> None:
    """Each is what the signal says of the market's own bars."""
    theirs.write_text(THEIRS.replace("SLEEP", "0"))
    asked = served(Order(str(theirs)))
    market = SyntheticMarket(TRADED, 3, START, 0.0)
    bars = PanelBars([each.symbol for each in TRADED], MINUTE, asked.wanted.bars)
    last = max(each["bar_end"] for each in said)
    every = [
        np.concatenate(
            [
                market.history(each.symbol),
                minute_bars(market.read(s, last), float(each.tick), float(each.step)),
            ]
        )
        for s, each in enumerate(TRADED)
    ]
    for each in said:
        end = each["bar_end"]
        assert end // MINUTE % SLOW_EVERY
        for s, rows in enumerate(every):
            bars.put(s, rows[(rows["ts"] < end) & (rows["ts"] >= end - 10 * MINUTE)])
        panel = bars.panel(end)
        assert panel is not None
        answer = asked.answer(panel)
        assert each["directions"] == list(answer.directions)
        assert np.allclose(each["expected"], answer.expected)

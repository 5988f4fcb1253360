"""What the page is given of one daemon."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from tests.reports.conftest import BEGIN, write_run

from turbo_trader.console.dashboard.views import Cached, figures, live_view, log_lines
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.market.rows import MINUTE


def test_open_trades_come_with_their_path_and_closed_ones_newest_first(tmp_path: Path) -> None:
    folder = write_run(tmp_path, 4, still_open=True, ended=False)
    found = live_view(folder, BEGIN + 200 * MINUTE)
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["trades"]]
    assert [row["id"] for row in rows] == [f"t{i}-entry" for i in (4, 3, 2, 1, 0)]
    assert [step[1] for step in rows[0]["stops"]] == [99.6]
    assert list(found["paths"]) == ["BTCUSDT"]
    assert len(found["paths"]["BTCUSDT"]["p"]) > 50


def test_a_journal_that_is_not_there_shows_nothing(tmp_path: Path) -> None:
    assert live_view(tmp_path, BEGIN)["trades"] == []
    assert log_lines(tmp_path) == []


def test_the_log_is_sentences_with_the_newest_first(tmp_path: Path) -> None:
    lines = [
        {"event": "halt", "level": "warning", "ts": BEGIN + i, "what": "x", "text": f"line {i}"}
        for i in range(2_000)
    ]
    text = "\n".join(json.dumps(line) for line in [*lines, {"event": "scan", "level": "debug"}])
    (tmp_path / "turbo-trader.jsonl").write_text(text + '\n{"event": "cut')
    found = log_lines(tmp_path)
    assert len(found) == 60
    assert "line 1999" in found[0]
    assert "line 1940" in found[-1]


def test_figures_of_a_run_are_plain_values(tmp_path: Path) -> None:
    found = figures(write_run(tmp_path, 4))
    assert json.loads(json.dumps(found))["cards"] == found["cards"]
    assert {"equity", "funnel", "gates", "confidence", "p_tp", "sizes"} <= set(found["charts"])
    assert "Beside the target figures" in found["tables"]


def test_a_page_never_waits_for_figures_twice(tmp_path: Path) -> None:
    made, go_on = [], threading.Event()

    def make(folder: Path) -> dict[str, Any]:
        made.append(folder)
        if len(made) > 1:
            go_on.wait(10)
        return {"n": len(made)}

    cached = Cached(make)
    assert cached.of(tmp_path) == {"n": 1}
    assert cached.of(tmp_path) == {"n": 1}  # not read again so soon
    cached._due[tmp_path] = 0.0
    began = time.monotonic()
    assert cached.of(tmp_path) == {"n": 1}  # given at once, read beside it
    assert time.monotonic() - began < 5
    go_on.set()
    while cached.of(tmp_path) == {"n": 1}:
        assert time.monotonic() - began < 10
        time.sleep(0.01)
    assert len(made) == 2


def test_a_journal_that_cannot_be_read_is_an_error_in_one_line(tmp_path: Path) -> None:
    def make(_: Path) -> dict[str, Any]:
        raise JournalError("journal: disk I/O error")

    assert Cached(make).of(tmp_path) == {"error": "journal: disk I/O error"}

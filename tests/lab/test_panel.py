"""Panels and signals: no view leads to the future, answers are checked, files and entry points load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from turbo_trader.lab.loading import load_signal, names
from turbo_trader.lab.made_up_panels import Echo, MadeUpPanel
from turbo_trader.lab.panel import COLUMNS, moments
from turbo_trader.lab.scoring import lookahead, score_all
from turbo_trader.market.errors import InputError

PANEL = MadeUpPanel(days=2, symbols=3).panel(1)

HEAD = "import numpy as np\nfrom turbo_trader.lab.panel import Scores\n"


def signal_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.py"
    path.write_text(HEAD + text)
    return str(path)


def test_memory_behind_a_panel_holds_no_later_bar() -> None:
    for newest, part in moments(PANEL, 20, 37):
        assert part.ts[-1] == PANEL.ts[newest]
        for name in COLUMNS:
            behind = getattr(part, name).base
            assert np.isnan(behind.reshape(len(COLUMNS), len(PANEL), 3)[:, newest + 1 :]).all()
        times = part.ts.base
        assert times is not None
        assert (times[newest + 1 :] == 0).all()


def test_panel_shows_exactly_the_bars_up_to_now() -> None:
    for newest, part in moments(PANEL, 20, 5):
        assert np.array_equal(part.close, PANEL.close[newest - 19 : newest + 1])
        assert part.now_ns == PANEL.ts[newest] + PANEL.interval_ns


def test_panel_cannot_be_written_to() -> None:
    _, part = next(moments(PANEL, 20))
    with pytest.raises(ValueError, match="read-only"):
        part.close[0, 0] = 1.0


def test_signal_that_looks_behind_its_view_finds_nothing_there(tmp_path: Path) -> None:
    body = "def score(panel):\n    later = np.nan_to_num(panel.close.base).reshape(-1)[-3:]\n"
    body += "    return Scores(np.sign(later), 0.001, panel.interval_ns)\n"
    table = score_all(load_signal(signal_file(tmp_path, "LOOKBACK = 12\n" + body)), PANEL)
    assert not table.direction[:-1].any()


def test_scores_that_depend_on_what_was_asked_before_are_found(tmp_path: Path) -> None:
    body = "asked = []\ndef score(panel):\n    asked.append(1)\n"
    body += "    return Scores(np.full(3, (-1) ** len(asked)), 0.001, 6 * panel.interval_ns)\n"
    signal = load_signal(signal_file(tmp_path, "LOOKBACK = 12\n" + body))
    assert "change when the future" in lookahead(signal, PANEL, score_all(signal, PANEL))


def test_honest_signal_passes_the_lookahead_check(tmp_path: Path) -> None:
    body = "from turbo_trader.lab.made_up_panels import Echo as Signal\n"
    signal = load_signal(signal_file(tmp_path, body))
    table = score_all(signal, PANEL)
    assert table.direction.any()
    assert lookahead(signal, PANEL, table) == ""


@pytest.mark.parametrize("name", ["five_signals", "residual", "panic_rebound"])
def test_own_signals_are_entry_points_and_honest(name: str) -> None:
    assert name in names()
    signal = load_signal(name)
    panel = MadeUpPanel(days=9, symbols=4, minutes=30).panel(3)
    if name == "five_signals":
        signal, panel = load_signal(name, {"window": 40}), MadeUpPanel(days=2, symbols=4).panel(3)
    if name == "panic_rebound":
        signal = load_signal(name, {"sigmas": 1.0, "times": 0.5})
    table = score_all(signal, panel)
    assert table.direction.any()
    assert lookahead(signal, panel, table) == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def score(panel):\n    return 1\n", "must return Scores"),
        ("def score(panel):\n    return Scores(np.zeros(2), 0, 1)\n", "one score for each of the 3 symbols"),
        ("def score(panel):\n    return Scores(np.full(3, 2), 0, 1)\n", "a direction is 1, -1 or 0"),
        ("def score(panel):\n    return Scores(np.ones(3), 0, 0)\n", "a horizon above 0"),
        ("def score(panel):\n    return Scores(np.ones(3), np.nan, 1e12)\n", "an expected return"),
        ("def score(panel):\n    return 1 / 0\n", "ZeroDivisionError: division by zero"),
        ("x = 1\n", "needs a class Signal or a function"),
        ("def score(:\n", "cannot be loaded: SyntaxError"),
    ],
)
def test_bad_signal_is_one_clear_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        score_all(load_signal(signal_file(tmp_path, body + "\nLOOKBACK = 5\n")), PANEL)
    assert "\n" not in str(raised.value)


def test_unknown_signal_names_those_there_are() -> None:
    with pytest.raises(InputError, match="residual"):
        load_signal("astrology")


def test_unknown_parameter_names_those_there_are() -> None:
    with pytest.raises(InputError, match="hold_hours"):
        load_signal("residual", {"houers": 3})


def test_fingerprint_follows_code_and_parameters(tmp_path: Path) -> None:
    assert load_signal("residual").fingerprint == load_signal("residual", {"hours": 2.0}).fingerprint
    assert load_signal("residual").fingerprint != load_signal("residual", {"hours": 3.0}).fingerprint
    first = load_signal(signal_file(tmp_path, "def score(panel):\n    return None\n")).fingerprint
    assert load_signal(signal_file(tmp_path, "def score(panel):\n    return ()\n")).fingerprint != first


def test_signal_sees_as_much_as_it_asks_for() -> None:
    bars = {len(part) for _, part in moments(PANEL, 12, 3)}
    assert bars == {Echo().lookback}


def test_signal_asked_each_hour_is_asked_at_whole_hours() -> None:
    hour = 3_600 * 10**9
    for first in (0, 5, 11):
        part = PANEL.slice(first, len(PANEL))
        asked = [each.now_ns for _, each in moments(part, 20, 12)]
        assert asked
        assert all(now % hour == 0 for now in asked)

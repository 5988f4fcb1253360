"""Panels and signals: no view leads to the future, answers are checked, files and entry points load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.lab.leaks import lookahead
from turbo_trader.lab.loading import load_signal, names, parameters
from turbo_trader.lab.made_up_panels import Echo, MadeUpPanel
from turbo_trader.lab.panel import COLUMNS, moments
from turbo_trader.lab.scoring import score_all
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


@pytest.mark.parametrize("signal", ["OFI", "VWAP", "ACCEL", "OU_DRIFT"])
def test_each_of_the_five_signals_can_be_asked_alone(signal: str) -> None:
    panel = MadeUpPanel(days=2, symbols=4).panel(3)
    table = score_all(load_signal("five_signals", {"window": 40, "only": signal}), panel)
    assert table.direction.any()
    assert table.expected.any() == (signal == "OU_DRIFT")


def test_funding_alone_is_against_who_pays() -> None:
    panel = MadeUpPanel(days=2, symbols=3).panel(3)
    rates = np.tile([0.001, -0.001, 0.0001], (len(panel), 1))
    signal = load_signal("five_signals", {"window": 40, "only": "FUNDING"})
    table = score_all(signal, replace(panel, funding=rates))
    assert table.direction[-1].tolist() == [-1, 1, 0]
    assert not score_all(signal, panel).direction.any()  # no rate is known


def test_one_of_the_five_by_a_wrong_name_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match="only must be one of OFI, VWAP"):
        load_signal("five_signals", {"only": "RSI"})


@pytest.mark.parametrize("given", ["NaN", "Infinity", "-Infinity"])
def test_parameter_that_is_no_finite_number_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="must be a finite number"):
        parameters([f"hours={given}"])


def test_text_for_a_number_is_refused_with_its_name() -> None:
    with pytest.raises(InputError, match="hours must be a number, not soon"):
        load_signal("residual", {"hours": "soon"})


def test_lookback_beyond_all_time_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="lookback and every cannot be had"):
        score_all(load_signal("residual", {"hours": 1e300}), PANEL)

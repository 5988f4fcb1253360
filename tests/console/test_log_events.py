"""Log events: every name in the sources is documented and every documented one is in them; a day stays under 50 MB."""

from __future__ import annotations

import ast
import json
import logging
import logging.handlers
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from turbo_trader.console.observer import ConsoleObserver
from turbo_trader.console.structured_logs import open_log
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE
from turbo_trader.market.tape import Tape
from turbo_trader.rules.gates import GATES
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.simulation import backtest
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note, Scanned

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "turbo_trader"
LEVELS = {"debug", "info", "warning", "error"}
ASKED = {"scan", "tier", "gate", "entry", "fill", "zone", "extension", "exit", "limit", "halt"}
#: The functions that events are given to: a note, or what passes it on.
GIVEN = {
    "note",
    "Note",
    "_emit",
    "emit",
    "emit_only",
    "emit_both",
    "_reported",
    "_noted",
    "alarm",
    "log_event",
    "_report",
}
DAY_LIMIT = 50_000_000
ALLOWED = {f"some limit number {i}": "123456.78" for i in range(9)}
NOW = 1_767_603_600_000_000_000


def documented() -> dict[str, set[str]]:
    """Event -> the names in its cells of fields."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "docs" / "logs.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        for name in re.findall(r"`([a-z-]+)`", cells[1]) if len(cells) == 5 else ():
            assert name not in found, f"{name} stands twice in docs/logs.md"
            found[name] = set(re.findall(r"[a-z_]+", cells[3]))
    return found


def given() -> dict[str, set[str]]:
    """Event -> the fields that the sources name where they give it."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        if path.parent.name == "verbs":  # verbs tell a daemon, not the log
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and _called(call.func) in GIVEN:
                constants = [each.value for each in call.args if isinstance(each, ast.Constant)]
                names = [
                    each_name
                    for each_name in constants
                    if isinstance(each_name, str) and each_name not in LEVELS
                ]
                for name in names[:1]:
                    found.setdefault(name, set()).update(_fields(call))
    return found


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _fields(call: ast.Call) -> set[str]:
    named = {each.arg for each in call.keywords if each.arg is not None}
    keys = [key for each in call.args if isinstance(each, ast.Dict) for key in each.keys]
    return named | {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def test_every_event_in_the_sources_is_documented_with_its_fields() -> None:
    found, reported = given(), documented()
    assert len(found) > 50
    assert set(found) <= set(reported)
    assert {name: fields - reported[name] for name, fields in found.items() if fields - reported[name]} == {}


def test_the_events_that_are_asked_for_are_documented_and_logged() -> None:
    text = "\n".join(path.read_text() for path in SOURCES.rglob("*.py"))
    assert set(documented()) >= ASKED
    assert {name for name in documented() if f'"{name}"' not in text} == set()


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def rendered(folder: Path, note: Note) -> int:
    """Bytes of one note as a line of the log, at the default level."""
    path = open_log(folder, level="info", terminal=False)
    ConsoleObserver(Policy()).note(note)
    return path.stat().st_size


ID, MONEY = "tt-0123456789ab-ffff-entry", Decimal("12345.67890123")
#: Event -> its fields as long as they get, how often a day: every symbol refused at every scan, 40 times the target of trades.
WORST_DAY: dict[str, tuple[dict[str, Any], int]] = {
    "gate": ({"gate": "size", "why": "x" * 120, "needed": "x" * 80, "allowed": ALLOWED}, 15 * 2880),
    "entry": (
        {f"f{i}": 0.123456789012345 for i in range(26)}
        | {"id": ID, "binding": "same direction", "allowed": ALLOWED}
        | {"signals": {f"OU_DRIF{i}": {"value": -0.00123456, "threshold": 0.00123456, "confirms": False} for i in range(5)}},
        1600,
    ),
    "fill": (
        {"id": ID, "side": -1, "qty": MONEY, "price": MONEY, "fee": MONEY, "kind": "Trade", "stop_type": "StopLoss",
         "result": MONEY, "executed": NOW, "exec_id": "0" * 36, "order_id": "0" * 36, "maker": False}, 6400,
    ),
    "zone": ({"zone": 2, "stop": MONEY, "reason": "extension"}, 6400),
    "extension": ({"backstop": MONEY}, 4800),
    "exit": ({"reason": "target", "size": MONEY, "bid": MONEY, "ask": MONEY}, 1600),
    "trade": ({f"f{i}": MONEY for i in range(12)} | {"id": ID, "reason": "liquidation"}, 1600),
    "stream": ({"stream": "private", "up": False, "why": "x" * 120}, 2880),
    "limit": ({"what": "drawdown-warning", "text": "x" * 160}, 2880),
}  # fmt: skip


def worst_line(folder: Path, name: str) -> int:
    """Bytes of an event whose fields are as long as they get."""
    return rendered(folder / name, Note(NOW, name, "info", {"symbol": "RENDERUSDT", **WORST_DAY[name][0]}))


@pytest.mark.usefixtures("_restored")
def test_a_day_of_15_symbols_stays_under_50_mb(tmp_path: Path) -> None:
    total = sum(worst_line(tmp_path, name) * count for name, (_, count) in WORST_DAY.items())
    assert 1_000_000 < total < DAY_LIMIT


#: Rules that scan every five seconds and trade whatever there is.
BUSY = Policy.from_env(
    {
        "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0", "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "FLAT_EDGE": "0",
        "MICRO_TURBO_SIGNAL_INTERVAL": "5", "KALMAN_WARMUP": "60", "BELIEF": "weighed", "COOLDOWN_HORIZONS": "0",
        "OU_SAMPLES": "480", "SESSION_LOSS": "0.9", "DRAWDOWN_PAUSE": "0.9", "WATCHDOG_PROBABILITY": "0",
    }
)  # fmt: skip


@pytest.mark.long
@pytest.mark.usefixtures("_restored")
def test_events_of_a_busy_market_are_no_longer_than_the_worst_day_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Note] = []

    class Noted(backtest.Decisions):
        def command(self, command: Command) -> None:
            super().command(command)
            reported.extend([command] if isinstance(command, Note) else [])

    monkeypatch.setattr(backtest, "Decisions", Noted)
    instruments, minutes = universe(), 5
    market = SyntheticMarket(instruments, 1, NOW, 1.0)
    rows = tuple(market.read(s, NOW + minutes * MINUTE) for s in range(len(instruments)))
    history = tuple(market.history(each.symbol) for each in instruments)
    tape = Tape(instruments, rows, "made up", made_up=True)
    backtest.Backtest(tape, BUSY, Decimal(90)).run(history)
    assert {"gate", "entry", "fill", "trade"} <= {note.name for note in reported}
    sizes = [rendered(tmp_path / f"{i}", note) for i, note in enumerate(reported)]
    for note, size in zip(reported, sizes, strict=True):
        assert note.name not in WORST_DAY or size <= worst_line(tmp_path, note.name), note
    assert len(instruments) == 15
    assert sum(sizes) * (1440 / minutes) < DAY_LIMIT


@pytest.mark.usefixtures("_restored")
def test_a_candidate_is_logged_at_info_level_where_it_is_new_or_has_changed(tmp_path: Path) -> None:
    rows = np.zeros(2, SCAN)
    rows["candidate"], rows["direction"], rows["blocker"] = (1, 0), 1, 3
    path = open_log(tmp_path, level="info", terminal=False)
    observer = ConsoleObserver(Policy())
    observer.note(Note(NOW, "started", "debug", {"symbols": ["BTCUSDT", "ETHUSDT"]}))
    logged = []
    for blocker in (3, 3, -1):
        rows["blocker"] = blocker
        observer.scanned(Scanned(NOW, rows))
        logged.append([json.loads(line) for line in path.read_text().splitlines()])
    assert [len(lines) for lines in logged] == [1, 1, 2]
    assert [line["symbol"] for line in logged[-1]] == ["BTCUSDT", "BTCUSDT"]
    assert [line["blocked"] for line in logged[-1]] == [GATES[3], ""]


@pytest.mark.usefixtures("_restored")
def test_scans_are_reported_at_debug_only_and_the_files_have_an_end(tmp_path: Path) -> None:
    scanned = Scanned(NOW, np.zeros(15, SCAN))
    path = open_log(tmp_path / "info", level="info", terminal=False)
    ConsoleObserver(Policy()).scanned(scanned)
    assert path.stat().st_size == 0
    path = open_log(tmp_path / "debug", level="debug", terminal=False)
    ConsoleObserver(Policy()).scanned(scanned)
    assert 0 < path.stat().st_size * 2880 < DAY_LIMIT
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.handlers.RotatingFileHandler)
    assert handler.maxBytes * (handler.backupCount + 1) <= DAY_LIMIT

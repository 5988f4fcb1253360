"""`turbo-trader logs`: sentences of a log, levels, rotated files, lines cut short, and following as it grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turbo_trader.console import exit_codes, main

LINES = [
    {"event": "control", "level": "warning", "ts": 1_770_000_000_000_000_000, "verb": "halt", "by": "ann"},
    {"event": "gate", "level": "debug", "ts": 1_770_000_001_000_000_000, "symbol": "B", "gate": "size", "why": "small"},
    {"event": "extension", "level": "info", "ts": 1_770_000_002_000_000_000, "symbol": "B", "backstop": "103"},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    (made / "turbo-trader.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in LINES) + '{"event": "cut'
    )
    return made


def logs(monkeypatch: pytest.MonkeyPatch, folder: Path, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["turbo-trader", "logs", "--journal-dir", str(folder), *args])
    with pytest.raises(SystemExit) as ended:
        main.main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_lines_are_sentences_and_a_line_cut_short_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert logs(monkeypatch, folder) == exit_codes.OK
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("warning: halt by ann")
    assert second.endswith("B target moves out, backstop 103")


def test_debug_lines_are_shown_where_they_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert logs(monkeypatch, folder, "--level", "debug", "--last", "0") == exit_codes.OK
    assert "B refused by size: small" in capsys.readouterr().out


def test_json_is_the_lines_as_they_are_with_rotated_files_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "turbo-trader.jsonl.1").write_text(json.dumps({"event": "older", "level": "info"}) + "\n")
    assert logs(monkeypatch, folder, "--json") == exit_codes.OK
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == [
        "older",
        "control",
        "extension",
    ]


def test_an_unknown_level_and_a_folder_without_a_log_are_one_line(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert logs(monkeypatch, folder, "--level", "loud") == exit_codes.USAGE
    assert logs(monkeypatch, tmp_path) == exit_codes.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_follow_shows_lines_as_they_come_across_a_rotation(folder: Path) -> None:
    path = folder / "turbo-trader.jsonl"
    path.write_text("")
    command = [sys.executable, "-u", "-m", "turbo_trader.console", "logs", "-f", "--journal-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        time.sleep(3)
        with path.open("a") as file:
            file.write(json.dumps(LINES[2]) + "\n")
        assert process.stdout.readline().endswith("backstop 103\n")
        path.rename(folder / "turbo-trader.jsonl.1")
        path.write_text(json.dumps(LINES[0]) + "\n")
        assert process.stdout.readline().endswith("halt by ann\n")
        process.terminate()

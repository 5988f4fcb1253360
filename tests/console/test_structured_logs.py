"""Logs: JSON lines with stable keys, secrets redacted everywhere, unwritable folders refused."""

import contextlib
import json
import logging
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from turbo_trader.console.structured_logs import open_log
from turbo_trader.market.errors import InputError


@pytest.fixture(autouse=True)
def _restore_logging() -> object:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_events_are_json_lines_with_exact_decimals(tmp_path: Path) -> None:
    path = open_log(tmp_path, level="info", terminal=False)
    structlog.get_logger("t").info("entry", symbol="BTCUSDT", qty=Decimal("0.0010"))
    line = json.loads(path.read_text())
    assert (line["event"], line["symbol"], line["qty"], line["level"]) == (
        "entry",
        "BTCUSDT",
        "0.0010",
        "info",
    )
    assert line["at"].endswith("Z")


def test_secrets_are_redacted_in_fields_messages_exceptions_and_foreign_loggers(tmp_path: Path) -> None:
    path = open_log(tmp_path, level="info", terminal=False, secrets=("s3cretvalue",))
    log = structlog.get_logger("t")
    log.info("a", text="x s3cretvalue y", nested={"k": ["s3cretvalue"]})
    try:
        raise ValueError("body with s3cretvalue")
    except ValueError:
        log.exception("b")
    logging.getLogger("somebody").warning("url?sign=%s", "s3cretvalue")
    text = path.read_text()
    assert "s3cretvalue" not in text
    assert text.count("[redacted]") >= 4


def test_a_terminal_gets_sentences_and_the_file_has_every_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = open_log(tmp_path, level="info", terminal=True)
    symbols = ["BTCUSDT", "ETHUSDT"]
    structlog.get_logger("t").info(
        "started", ts=1_767_603_601 * 10**9, mode="paper", symbols=symbols, venue="x"
    )
    structlog.get_logger("t").warning(
        "exit", ts=1_767_603_601 * 10**9, symbol="BTCUSDT", size="-2", reason="stop"
    )
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "2026-01-05T09:00:01Z started: paper, 2 symbols",
        "2026-01-05T09:00:01Z warning: BTCUSDT closes 2 by its stop",
    ]
    assert json.loads(path.read_text().splitlines()[0])["symbols"] == symbols


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="JOURNAL_DIR"):
        open_log(tmp_path / "file" / "logs", level="info", terminal=False)


def test_the_log_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = open_log(tmp_path / "run", level="info", terminal=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_log_that_cannot_be_written_says_so_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = open_log(tmp_path, level="info", terminal=False)
    (handler,) = logging.getLogger().handlers
    with contextlib.suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:
        handler.stream = full  # type: ignore[attr-defined]
        for _ in range(3):
            structlog.get_logger("test").info("lost")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(path) in error
    assert "No space left" in error

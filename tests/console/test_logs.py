"""Logs: JSON lines with stable keys, secrets redacted everywhere, unwritable folders refused."""

import json
import logging
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from turbo_trader.console.logs import open_log
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


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="JOURNAL_DIR"):
        open_log(tmp_path / "file" / "logs", level="info", terminal=False)

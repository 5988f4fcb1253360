"""Structured logs: JSON lines to a file, sentences to a terminal. Event names and fields: docs/logs.md."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from decimal import Decimal
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from turbo_trader.console.exit_codes import report
from turbo_trader.console.sentences import log_line
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.market.errors import InputError

_MEGABYTE = 1_000_000


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner reads. A disk without room is said once on stderr; what could not be written is lost."""

    _said = False

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(
            open(self.baseFilename, "ab", opener=private_opener), encoding="utf-8", write_through=False
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name logging gives it
        """Instead of a traceback a line, whatever the error."""
        if not self._said:
            self._said = True
            error = sys.exception()
            report(f"log {self.baseFilename}: {error}; lines are lost until it can be written")


class Redactor:
    """A structlog processor that replaces known secrets anywhere in an event."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 4)

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            event[key] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, "[redacted]")
            return value
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        if value is None or isinstance(value, (bool, int, float, logging.LogRecord)):
            return value
        return self._clean(str(value))  # an exception, a path: its text may carry a secret too


def _decimals(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, Decimal):
            event[key] = format(value, "f")
    return event


def open_log(
    folder: Path, *, level: str, terminal: bool, secrets: tuple[str, ...] = (), as_json: bool = False
) -> Path:
    """Send structlog to `folder`/turbo-trader.jsonl (5 files of 10 MB) and, with `terminal`, as sentences to stderr, or as JSON
    lines to stdout; returns the file's path.

    InputError when the folder cannot be written.
    """
    path = folder / "turbo-trader.jsonl"
    try:
        private_folder(folder)
        to_file = _PrivateFile(path, maxBytes=10 * _MEGABYTE, backupCount=4, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"log folder {folder}: {error.strerror}: choose another with --journal-dir or JOURNAL_DIR"
        ) from None
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        _decimals,
        Redactor(secrets),
    ]
    to_file.setFormatter(_formatter(shared, structlog.processors.JSONRenderer(default=str)))
    handlers: list[logging.Handler] = [to_file]
    if terminal:
        handlers.append(_to_terminal(shared, as_json=as_json))
    root = logging.getLogger()
    root.handlers = handlers
    root.setLevel(level.upper())
    for noisy in ("urllib3", "pybit", "websockets", "uvicorn", "asyncio", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return path


def _to_terminal(shared: list[Any], *, as_json: bool) -> logging.Handler:
    handler = logging.StreamHandler(sys.stdout if as_json else sys.stderr)
    renderer = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else _Sentences(colours=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    )
    handler.setFormatter(_formatter(shared, renderer))
    return handler


class _Sentences:
    """Renders an event as `turbo-trader logs` does; a traceback follows on lines of its own."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = {"warning": "\x1b[33m", "error": "\x1b[1;31m"} if colours else {}

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        traceback = event.pop("exception", None)
        text = log_line(event) + (f"\n{traceback}" if traceback else "")
        colour = self._colours.get(str(event.get("level")), "")
        return f"{colour}{text}\x1b[0m" if colour else text


def _formatter(shared: list[Any], renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )

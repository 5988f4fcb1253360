"""Where alarms go: apprise addresses. They carry passwords and tokens, so none is ever part of a repr, a log line or an error."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote

from turbo_trader.bybit.endpoints import others_must_not_read
from turbo_trader.console.alarms.catalogue import Severity
from turbo_trader.market.errors import InputError

MISSING: Final = "alarms need the extra notify: pip install 'turbo-trader[notify]'"
_TYPES: Final = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}
_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|localhost")


class Target:
    """One address. `name` is its number and its service, such as `1 (tgram)`."""

    def __init__(self, number: int, url: str) -> None:
        scheme = url.partition("://")[0]
        self.name = f"{number} ({scheme})" if re.fullmatch(r"[a-zA-Z0-9+.-]{1,20}", scheme) else str(number)
        self._url = url

    def __repr__(self) -> str:
        return f"Target({self.name})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("addresses are not written anywhere")

    @property
    def url(self) -> str:
        """The address, for apprise only."""
        return self._url

    def redact(self, text: str) -> str:
        """`text` without any part of the address that may be secret: all but names of hosts, and what is short."""
        found = re.split(r"[@:/?&=,\s]+", self._url.partition("://")[2])
        parts = {self._url, *found, *map(unquote, found)}
        for part in sorted(parts, key=len, reverse=True):
            if len(part) >= 4 and not _HOST.fullmatch(part):
                text = text.replace(part, "***")
        return text

    def problem(self) -> str:
        """Why apprise cannot use the address; "" where it can."""
        require_extra()
        from apprise import Apprise

        with _Heard() as heard:
            if Apprise().add(self._url):
                return ""
        return self.redact(heard.last()) or "not an address that apprise knows"

    def send(self, title: str, body: str, severity: Severity) -> str:
        """Deliver a message; returns why it could not be, "" where it was. Waits for as long as the target lets it."""
        from apprise import Apprise

        with _Heard() as heard:
            try:
                apprise = Apprise()
                sent = apprise.add(self._url) and apprise.notify(body, title, notify_type=_TYPES[severity])
            except Exception as error:  # whatever a plugin of apprise raises
                return self.redact(f"{type(error).__name__}: {error}")
        return "" if sent else self.redact(heard.last()) or "not delivered"


def read_targets(given: str, file: Path | None) -> list[Target]:
    """The addresses of NOTIFY (separated by blanks) and of NOTIFY_FILE (one a line, `#` before what is none).

    Refused when others may read the file, InputError when it cannot be read or has none.
    """
    urls = given.split()
    if file is not None:
        urls += _lines(file)
    for number, url in enumerate(urls, 1):
        if "://" not in url:
            raise InputError(f"NOTIFY: address {number} is none; write service://..., as apprise has it")
    return [Target(number, url) for number, url in enumerate(urls, 1)]


def check(targets: Sequence[Target]) -> None:
    """InputError for the first target that apprise cannot use, or without apprise."""
    if targets:
        require_extra()
    for target in targets:
        if problem := target.problem():
            raise InputError(f"NOTIFY: target {target.name}: {problem}")


def require_extra() -> None:
    """InputError where apprise is not installed. It is not loaded: that takes half a second."""
    if find_spec("apprise") is None:
        raise InputError(MISSING)


def _lines(file: Path) -> list[str]:
    try:
        with file.open() as opened:
            others_must_not_read(file, os.fstat(opened.fileno()).st_mode, "NOTIFY_FILE")
            lines = [line.strip() for line in opened]
    except OSError as error:
        raise InputError(f"NOTIFY_FILE {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"NOTIFY_FILE {file}: not text in UTF-8") from None
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise InputError(f"NOTIFY_FILE {file}: no address in it; write one a line")
    return found


class _Heard(logging.Handler):
    """What apprise says of one message while entered, instead of on stderr; it may say it on a thread of its own."""

    _said: ContextVar[list[str] | None] = ContextVar("said", default=None)

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        log = logging.getLogger("apprise")
        log.propagate = False
        log.addHandler(self)
        self._before = self._said.set(self._lines)
        return self

    def __exit__(self, *_: object) -> None:
        self._said.reset(self._before)
        logging.getLogger("apprise").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it where it is about our message."""
        if self._said.get() is self._lines:
            self._lines.append(record.getMessage())

    def last(self) -> str:
        """The last line; "" where nothing was said."""
        return self._lines[-1].strip() if self._lines else ""

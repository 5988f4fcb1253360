"""Access to the page: a token in a private file, sessions in cookies, protection against requests of other sites.

The token opens a session; it is never in an address, a cookie or a log. Sessions live in memory and end with the process.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request

from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.live.registry import state_home
from turbo_trader.live.same_site import refusal
from turbo_trader.market.errors import InputError

COOKIE: Final = "turbo-trader"
SESSION_S: Final = 12 * 3600
_TRIES: Final = 5  # wrong tokens in _WINDOW_S, from wherever; then nobody may try until it is over
_WINDOW_S: Final = 60.0

#: On every answer. The page loads from itself alone, is in no frame, tells nobody where its user came from, and is not kept.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}


def token_file() -> Path:
    """Where the token of this user is kept."""
    return state_home() / "dashboard.token"


def read_token() -> tuple[str, bool]:
    """The token, and whether it was made now. InputError where the file is not private, empty, or cannot be written."""
    path = token_file()
    try:
        private_folder(path.parent)
        try:
            with open(path, "x", encoding="ascii", opener=private_opener) as file:
                made = secrets.token_urlsafe(32)
                file.write(made + "\n")
                return made, True
        except FileExistsError:
            found = path.stat()
            if found.st_mode & 0o077 or found.st_uid != os.getuid():
                raise InputError(
                    f"token file {path}: others can read it; remove it, then a new token is made"
                ) from None
            token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"token file {path}: {error}; remove it, then a new token is made") from None
    if len(token) < 20:
        raise InputError(f"token file {path}: too short to be a token; remove it, then a new token is made")
    return token, False


class Access:
    """Sessions and what is asked of a request before anything else is done."""

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token.encode()
        self._clock = clock
        self._sessions: dict[str, float] = {}  # id -> when it ends
        self._failed: list[float] = []

    def refused(self, request: Request) -> str | None:
        """Why a request is not answered whoever sends it: from another site, or a change that no page of ours sent."""
        why = refusal(request)
        if why is None and request.method != "GET" and "origin" not in request.headers:
            why = "Origin is missing: changes are asked for by the page itself"
        return why

    def may(self, request: Request) -> bool:
        """Does it carry a session that lives?"""
        ends = self._sessions.get(request.cookies.get(COOKIE, ""))
        return ends is not None and self._clock() < ends

    def waits(self) -> bool:
        """Were there so many wrong tokens that nobody may try now?"""
        now = self._clock()
        self._failed = [at for at in self._failed if now - at < _WINDOW_S]
        return len(self._failed) >= _TRIES

    def enter(self, token: str) -> str | None:
        """A new session for the right token; None for any other."""
        if not secrets.compare_digest(token.encode(), self._token):
            self._failed.append(self._clock())
            return None
        now, session = self._clock(), secrets.token_urlsafe(32)
        self._sessions = {name: ends for name, ends in self._sessions.items() if ends > now}
        self._sessions[session] = now + SESSION_S
        return session

    def leave(self, request: Request) -> None:
        """The session of a request is over."""
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)

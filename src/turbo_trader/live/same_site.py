"""Refuses requests that a page of another site makes a browser send to this machine, wherever we listen without signatures.

A browser names the site of a page in Origin (and Sec-Fetch-Site), sends a form without asking as one of three content types, and
a name that a stranger points at this machine stands in Host.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response]]

_FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(:[0-9]{1,5})?")


def same_site(endpoint: Endpoint) -> Endpoint:
    """The endpoint behind the check: 403 and one line for what another site may have sent."""

    async def guarded(request: Request) -> Response:
        why = refusal(request)
        return await endpoint(request) if why is None else JSONResponse({"error": why}, 403)

    return guarded


def refusal(request: Request) -> str | None:
    """Why a request is not answered; None where it comes from this machine's own tools."""
    host = request.headers.get("host", "")
    if not names_address(host):
        return f"Host {host!r}: ask by address or as localhost"
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"Origin {origin!r}: requests of other sites are refused"
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "Sec-Fetch-Site: requests of other sites are refused"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "GET" and kind in _FORMS:
        return f"Content-Type {kind!r}: send JSON as application/json"
    return None


def names_address(host: str) -> bool:
    """An IP address or localhost, with a port or not: no name that a stranger's DNS can point here."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].strip("[]").lower()
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

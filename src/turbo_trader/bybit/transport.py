"""What carries pybit's requests: one kept-alive HTTP/1.1 connection, in place of `requests`' session.

A stop change must leave at once; `requests` takes longer to prepare and route a request than everything else on its way together.
pybit keeps building, signing and judging; of `requests` the exceptions stay, as they are what pybit and `rest` know.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

_HEADERS = {"Accept": "application/json", "User-Agent": "turbo-trader"}


class NotConnected(requests.exceptions.ConnectTimeout):
    """No connection could be had: the request certainly never left."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, as pybit looks at one."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    elapsed: timedelta
    url: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError where it is not."""
        return json.loads(self.content)


class Client:
    """One connection to one host, for one thread. Redirects are not followed, proxies and cookies not used."""

    def __init__(self, base: str) -> None:
        """`base`: scheme, host and port of every request."""
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port
        self._context = _trusted() if parts.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None

    def prepare_request(self, request: requests.Request) -> requests.Request:
        """What pybit hands to `send`."""
        return request

    def send(self, request: requests.Request, timeout: float) -> Response:
        """Send and wait for the answer. NotConnected: it never left; ReadTimeout, ConnectionError: it may have arrived."""
        parts = urlsplit(str(request.url))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = str(request.data).encode() if request.data else None
        connection = self._connected(timeout)
        began = time.monotonic()
        try:
            connection.request(str(request.method), target, body, {**_HEADERS, **request.headers})
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            self.close()
            raise requests.exceptions.ReadTimeout("read timed out") from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise requests.exceptions.ConnectionError(type(error).__name__) from None
        if answer.will_close:
            self.close()
        elapsed = timedelta(seconds=time.monotonic() - began)
        return Response(answer.status, answer.msg, content, elapsed, parts.path)

    def close(self) -> None:
        """Let the connection go; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        """The connection, made anew where the venue has closed it while nothing was under way."""
        if self._connection is not None and _readable(self._connection.sock):
            self.close()
        if self._connection is None:
            if self._context is None:
                made = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
            else:
                made = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout, context=self._context
                )
            try:
                made.connect()
            except (OSError, http.client.HTTPException) as error:
                made.close()
                raise NotConnected(type(error).__name__) from None
            self._connection = made
        return self._connection


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def _readable(connected: socket.socket | None) -> bool:
    """Between two requests only the end of the connection can be read."""
    if connected is None:
        return True
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))

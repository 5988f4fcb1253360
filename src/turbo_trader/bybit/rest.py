"""REST through pybit in own thread lanes: one session a thread, pybit's retries off, every end of a call an `Answer`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from turbo_trader.bybit.commands import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.errors import FENCED, NO_ANSWER, NOT_SENT, Verdict, judge, judge_http
from turbo_trader.bybit.transport import Client, NotConnected

_HTTP_STATUSES = range(400, 600)
Permit = Callable[[], bool]  # may this process write to the venue now? asked from the lanes' threads
_NOT_JSON = 409  # pybit's word for a 200 that is not JSON
logging.getLogger("pybit").setLevel(logging.CRITICAL)  # its debug lines carry bodies and headers


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended. `code`: the venue's retCode, an HTTP status, or one of ours (errors.NO_ANSWER, NOT_SENT)."""

    verdict: Verdict
    code: int
    message: str
    sent: int  # ns of the session's clock, taken when the request was about to leave
    result: Mapping[str, Any] = field(default_factory=dict)
    time_ms: int = 0  # the venue's time in the answer
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """The venue accepted the request (retCode 0)."""
        return self.code == 0


class Fenced(Exception):
    """A write was about to be signed without the right to write."""


class Session(HTTP):  # type: ignore[misc]
    """A pybit session signed by our clock, whose repr shows no key."""

    def __init__(self, endpoints: Endpoints, keys: Keys, clock: Callable[[], int], timeout: float) -> None:
        super().__init__(
            api_key=keys.key,
            api_secret=keys.secret,
            timeout=timeout,
            max_retries=1,
            retry_codes={-1},
            return_response_headers=True,
        )
        self.endpoint = endpoints.rest
        self.client = Client(endpoints.rest)
        self.clock = clock
        self.permit: Permit | None = None  # of the request under way; None: it only reads

    def __repr__(self) -> str:
        return f"Session({self.endpoint})"

    def _prepare_headers(
        self, payload: Any, recv_window: int, content_type: str = "application/json"
    ) -> dict[str, str]:
        timestamp = self.clock() // 1_000_000
        if self.permit is not None and not self.permit():
            raise Fenced  # asked after the stamp is taken: the venue refuses a permitted request that leaves too late
        return {
            "Content-Type": content_type,
            "X-BAPI-API-KEY": self.api_key,
            "X-BAPI-SIGN": self._auth(payload=payload, recv_window=recv_window, timestamp=timestamp),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": str(timestamp),
            "X-BAPI-RECV-WINDOW": str(recv_window),
        }


class Lane:
    """A bounded set of threads with a session each; calls of one lane never wait for those of another."""

    def __init__(
        self,
        name: str,
        threads: int,
        endpoints: Endpoints,
        keys: Keys,
        clock: Callable[[], int],
        timeout: float,
        permit: Permit = lambda: True,
    ) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"rest-{name}")
        self._local = threading.local()
        self._make: Callable[[], Session] = partial(Session, endpoints, keys, clock, timeout)
        self._keys = keys
        self._clock = clock
        self._permit = permit

    async def call(self, call: Call) -> Answer:
        """Carry out one call; never raises for what the venue or the network does.

        Cancelling the caller does not stop a request that is under way: its fate is then unknown.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.run, call)

    def run(self, call: Call) -> Answer:
        """The same, in the calling thread."""
        session = self._session()
        session.recv_window = call.recv_window_ms
        session.permit = self._permit if call.writes else None
        sent = self._clock()
        try:
            body, _, headers = getattr(session, call.method)(**call.params)
        except Fenced:
            return Answer(judge(FENCED), FENCED, "not sent: the lease to write is not held", sent)
        except InvalidRequestError as error:
            return self._answer(judge(error.status_code, cancel=call.cancel), error.status_code, error, sent)
        except FailedRequestError as error:
            code = NO_ANSWER if error.status_code == _NOT_JSON else int(error.status_code)
            return self._answer(judge_http(int(error.status_code)), code, error, sent)
        except NotConnected:
            return Answer(judge(NOT_SENT), NOT_SENT, "no connection to the venue", sent)
        except requests.exceptions.RequestException as error:
            return Answer(
                judge(NO_ANSWER), NO_ANSWER, f"{type(error).__name__}: no answer from the venue", sent
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # an answer pybit could not read
            return Answer(judge(NO_ANSWER), NO_ANSWER, f"unreadable answer ({type(error).__name__})", sent)
        if not isinstance(body, dict):
            return Answer(judge(NO_ANSWER), NO_ANSWER, "unreadable answer", sent)
        result = body.get("result")
        time_ms = body.get("time")
        return Answer(
            judge(0),
            0,
            "",
            sent,
            result if isinstance(result, dict) else {},
            int(time_ms) if isinstance(time_ms, int | str) and str(time_ms).isdigit() else 0,
            headers,
        )

    def close(self, *, wait: bool) -> None:
        """No further calls; `wait` for those under way (their outcomes matter)."""
        self._executor.shutdown(wait=wait, cancel_futures=not wait)

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._make()
        return session

    def _answer(self, verdict: Verdict, code: int, error: Any, sent: int) -> Answer:
        headers = error.resp_headers if error.resp_headers is not None else {}
        return Answer(verdict, code, self._keys.redact(str(error.message)), sent, headers=headers)

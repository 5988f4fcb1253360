"""The page's addresses. Names in an address are looked up in lists; none is ever part of a path."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from turbo_trader.console.dashboard.access import COOKIE, HEADERS, SESSION_S, Access
from turbo_trader.console.dashboard.shown_daemons import VERBS, Daemons, Known, act, act_on_all, status_of
from turbo_trader.console.dashboard.views import Cached, live_view, log_lines
from turbo_trader.console.output import plain
from turbo_trader.console.report_files import entry_json, runs_in
from turbo_trader.console.verbs.explain import document_lines, symbol_document
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.market.errors import InputError
from turbo_trader.reports.markup import asset, plotly_script
from turbo_trader.reports.page import POLICY, render
from turbo_trader.reports.reading import read_run

Emit = Callable[[str, str, dict[str, Any]], None]
Endpoint = Callable[[Request], Awaitable[Response]]
_OPEN: Final = ("/login", "/static/login.js", "/static/page.css")  # what is answered without a session
ALL: Final = "all"  # what confirms a command to every daemon
_MOST_BODY: Final = 4_096
_MOST_RUNS: Final = 50
_SCRIPTS: Final = "text/javascript; charset=utf-8"


@dataclass(frozen=True)
class Dashboard:
    """The page over the daemons of this user and the runs in `base`. `emit`: where refusals and commands are logged."""

    access: Access
    base: Path
    emit: Emit
    daemons: Daemons = field(default_factory=Daemons)
    cached: Cached = field(default_factory=Cached)
    runs: Cached = field(default_factory=lambda: Cached(_runs))

    def app(self) -> Starlette:
        """The application; every request passes `_guarded` first."""
        routes = [
            Route("/", self._index), Route("/login", self._login_page), Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]), Route("/static/{name}", self._static),
            Route("/report/{run}", self._report), Route("/api/overview", self._overview),
            Route("/api/daemons/{name}", self._daemon), Route("/api/daemons/{name}/figures", self._figures),
            Route("/api/daemons/{name}/log", self._log), Route("/api/daemons/{name}/explain/{symbol}", self._explain),
            Route("/api/daemons/{name}/{verb}", self._act, methods=["POST"]),
            Route("/api/all/{verb}", self._act_on_all, methods=["POST"]), Route("/api/openapi.json", self._described),
        ]  # fmt: skip
        app = Starlette(routes=routes, exception_handlers={HTTPException: _refused_by_router})
        app.router.redirect_slashes = False
        app.add_middleware(BaseHTTPMiddleware, dispatch=self._guarded)
        return app

    async def _guarded(self, request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Refuse what another site may have sent, then who has no session; put the headers on every answer."""
        try:
            answer = self._refusal(request) or await go_on(request)
        except Exception as error:  # a fault of ours ends no page, and shows nobody its inside
            fields = {"path": request.url.path[:100], "error": f"{type(error).__name__}: {error}"[:300]}
            self.emit("page-failed", "error", fields)
            answer = JSONResponse({"error": "the page failed; its log says why"}, 500)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def _refusal(self, request: Request) -> Response | None:
        why = self.access.refused(request)
        if why is not None:
            self._refused(request, why)
            return JSONResponse({"error": why}, 403)
        if request.url.path in _OPEN or self.access.may(request):
            return None
        if request.method == "GET" and request.url.path == "/":
            return RedirectResponse("/login", 303)
        self._refused(request, "no session")
        return JSONResponse({"error": "log in first"}, 401)

    def _refused(self, request: Request, why: str) -> None:
        where = request.client.host if request.client else ""
        fields = {
            "path": request.url.path[:100],
            "method": request.method,
            "address": where,
            "why": why[:200],
        }
        self.emit("page-refused", "warning", fields)

    # -- who may look

    async def _login_page(self, _: Request) -> Response:
        return HTMLResponse(_own("login.html"))

    async def _login(self, request: Request) -> Response:
        if self.access.waits():
            self._refused(request, "too many wrong tokens")
            return JSONResponse({"error": "too many wrong tokens: wait a minute"}, 429)
        body = await _body(request)
        session = self.access.enter(str(body.get("token", "")).strip())
        if session is None:
            self._refused(request, "wrong token")
            return JSONResponse({"error": "wrong token: turbo-trader dashboard --token shows it"}, 401)
        self.emit("page-login", "info", {"address": request.client.host if request.client else ""})
        answer = JSONResponse({})
        answer.set_cookie(COOKIE, session, max_age=SESSION_S, httponly=True, samesite="strict", path="/")
        return answer

    async def _logout(self, request: Request) -> Response:
        self.access.leave(request)
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    # -- what is shown

    async def _index(self, _: Request) -> Response:
        return HTMLResponse(_own("index.html"))

    async def _static(self, request: Request) -> Response:
        made = _STATIC.get(request.path_params["name"])
        if made is None:
            return JSONResponse({"error": "no such file"}, 404)
        kind, text = made
        return Response(text(), media_type=kind, headers={"Cache-Control": "private, max-age=3600"})

    async def _described(self, _: Request) -> Response:
        return Response(_own("openapi.json"), media_type="application/json")

    async def _overview(self, _: Request) -> Response:
        def look() -> dict[str, Any]:
            runs = self.runs.of(self.base)["runs"]
            known = [status_of(each) for each in self.daemons.known()]
            return {"daemons": known, "guards": self.daemons.guarding(), "runs": runs}

        return await _answered(look)

    async def _daemon(self, request: Request) -> Response:
        return await self._of(request, _whole)

    async def _figures(self, request: Request) -> Response:
        return await self._of(request, lambda daemon: self.cached.of(daemon.folder))

    async def _log(self, request: Request) -> Response:
        return await self._of(request, lambda daemon: {"lines": log_lines(daemon.folder)})

    async def _explain(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]

        def look(daemon: Known) -> dict[str, Any]:
            lines = document_lines(symbol_document(daemon.folder, symbol, 1, None))
            return {"lines": lines or [f"{symbol}: no scan in the journal yet"]}

        return await self._of(request, look)

    async def _report(self, request: Request) -> Response:
        def look() -> str | None:
            folders = {entry.name: entry.folder for entry in runs_in(self.base)}
            found = folders.get(request.path_params["run"])
            return None if found is None else render(read_run(found))

        page = await run_in_threadpool(look)
        if page is None:
            return JSONResponse({"error": "no such run"}, 404)
        return HTMLResponse(page, headers={"Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'"})

    # -- what is done

    async def _act(self, request: Request) -> Response:
        name, verb = request.path_params["name"], request.path_params["verb"]
        if verb not in VERBS:
            return JSONResponse({"error": f"no such command; there are {', '.join(VERBS)}"}, 404)
        if (await _body(request)).get("confirm") != name:
            return JSONResponse({"error": f"not confirmed: confirm must be {name[:40]!r}"}, 400)
        daemon = await run_in_threadpool(self.daemons.named, name)
        if daemon is None:
            return JSONResponse({"error": "no such daemon"}, 404)
        try:
            answer = await run_in_threadpool(act, daemon, verb)
        except InputError as error:
            self.emit("page-control", "error", {"daemon": name, "verb": verb, "error": str(error)})
            return JSONResponse({"error": str(error)}, 502)
        self.emit("page-control", "warning", {"daemon": name, "verb": verb, "error": ""})
        return _json(answer)

    async def _act_on_all(self, request: Request) -> Response:
        verb = request.path_params["verb"]
        if verb not in VERBS:
            return JSONResponse({"error": f"no such command; there are {', '.join(VERBS)}"}, 404)
        if (await _body(request)).get("confirm") != ALL:
            return JSONResponse({"error": f"not confirmed: confirm must be {ALL!r}"}, 400)
        answer = await run_in_threadpool(act_on_all, self.daemons, verb)
        for name in answer["done"]:
            self.emit("page-control", "warning", {"daemon": name, "verb": verb, "error": ""})
        for name, error in answer["failed"].items():
            self.emit("page-control", "error", {"daemon": name, "verb": verb, "error": error})
        if answer["failed"]:
            return JSONResponse({"error": "; ".join(answer["failed"].values()), **answer}, 502)
        return _json(answer)

    async def _of(self, request: Request, look: Callable[[Known], Mapping[str, Any]]) -> Response:
        def found() -> Mapping[str, Any] | None:
            daemon = self.daemons.named(request.path_params["name"])
            return None if daemon is None else look(daemon)

        return await _answered(found)


async def _refused_by_router(_: Request, error: Exception) -> Response:
    """An address or a method that there is not, said as everything else is."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail.lower()}, error.status_code, error.headers)


def _runs(base: Path) -> dict[str, Any]:
    """The newest runs and backtests, newest first."""
    return {"runs": [entry_json(entry) for entry in runs_in(base)][-_MOST_RUNS:][::-1]}


def _whole(daemon: Known) -> dict[str, Any]:
    status = status_of(daemon)
    return {"status": status, **live_view(daemon.folder, int(status.get("venue_time", 0)))}


async def _answered(look: Callable[[], Mapping[str, Any] | None]) -> Response:
    """What `look` finds; None is 404. A journal that cannot be read is said in one line."""
    try:
        found = await run_in_threadpool(look)
    except (InputError, JournalError) as error:
        return JSONResponse({"error": str(error)}, 409)
    return JSONResponse({"error": "no such daemon"}, 404) if found is None else _json(found)


async def _body(request: Request) -> dict[str, Any]:
    """A small JSON object; {} for anything else."""
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > _MOST_BODY:
            return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(value: Mapping[str, Any]) -> Response:
    return Response(json.dumps(value, default=plain), media_type="application/json")


def _own(name: str) -> str:
    return files("turbo_trader.console.dashboard").joinpath("assets", name).read_text(encoding="utf-8")


_STATIC: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "plotly.js": (_SCRIPTS, plotly_script),
    "charts.js": (_SCRIPTS, lambda: asset("charts.js")),
    "page.js": (_SCRIPTS, lambda: _own("page.js")),
    "login.js": (_SCRIPTS, lambda: _own("login.js")),
    "page.css": ("text/css; charset=utf-8", lambda: asset("report.css") + _own("page.css")),
}

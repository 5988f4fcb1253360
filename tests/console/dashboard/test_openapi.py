"""The page's addresses are those of their description, and answer as it says, whatever they are sent (schemathesis)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route
from tests.console.dashboard.conftest import TOKEN, FakeDaemon, Served, serve_page
from tests.reports.conftest import write_run

from turbo_trader.console.dashboard.access import Access
from turbo_trader.console.dashboard.routes import Dashboard

pytestmark = pytest.mark.long

DOCUMENT: dict[str, Any] = json.loads(
    files("turbo_trader.console.dashboard").joinpath("assets", "openapi.json").read_text()
)
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    negative_data_rejection,
]  # fmt: skip


def without_what_a_browser_adds(document: dict[str, Any]) -> dict[str, Any]:
    """The session and the Origin are put into each request by `play`."""
    asked: dict[str, Any] = json.loads(json.dumps(document))
    for given in asked["paths"].values():
        for operation in given.values():
            operation.pop("security", None)
            operation["parameters"] = [each for each in operation["parameters"] if "$ref" not in each]
    return asked


schema = schemathesis.openapi.from_dict(without_what_a_browser_adds(DOCUMENT))


def examples(count: int) -> Any:
    return settings(
        max_examples=count, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A page with one daemon, and a session."""
    base = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(base / "state"))
        folder = write_run(base / "paper-1", 4, still_open=True, ended=False)
        with FakeDaemon(folder), serve_page(base) as served:
            yield served, served.enter()


def test_the_description_has_every_address_and_method(tmp_path: Path) -> None:
    app = Dashboard(Access(TOKEN), tmp_path, lambda *_: None).app()
    served = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == {(path, method) for path, given in DOCUMENT["paths"].items() for method in given}


def test_the_description_is_served_to_a_session(page: tuple[Served, str]) -> None:
    served, cookie = page
    assert served.ask("GET", "/api/openapi.json").status == 401
    assert served.ask("GET", "/api/openapi.json", Cookie=cookie).json == DOCUMENT


def test_an_address_or_method_that_there_is_not_is_one_line(page: tuple[Served, str]) -> None:
    served, cookie = page
    for method, path, status in (("GET", "/api/nothing", 404), ("GET", "/api/daemons/paper/halt", 405)):
        answer = served.ask(method, path, Cookie=cookie)
        assert (answer.status, list(answer.json)) == (status, ["error"])
    answer = served.ask("POST", "/api/daemons/paper/nonsense", {"confirm": "paper"}, Cookie=cookie)
    assert answer.status == 404


def play(page: tuple[Served, str], case: Case[Any]) -> None:
    """Send it from the page itself, in a session; the login is tried without."""
    served, cookie = page
    given: dict[str, str] = {**dict(case.headers or {}), "Origin": served.address}
    if case.path == "/login":
        given.pop("Cookie", None)
    else:
        given["Cookie"] = cookie
    if case.path == "/logout":  # would end the session of the others
        given["Cookie"] = "turbo-trader=another"
    case.headers = given  # type: ignore[assignment]
    case.cookies = {}
    answer = case.call(base_url=served.address)
    case.validate_response(answer, checks=CHECKS)


@schema.parametrize()
@examples(8)
def test_whatever_is_sent_is_answered_as_described(page: tuple[Served, str], case: Case[Any]) -> None:
    play(page, case)


@pytest.mark.slow
@schema.parametrize()
@examples(100)
def test_the_same_with_many_requests(page: tuple[Served, str], case: Case[Any]) -> None:
    play(page, case)

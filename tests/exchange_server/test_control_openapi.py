"""The control routes are those of their description, and answer as it says, whatever they are sent (schemathesis)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.exchange_server.sockets import VenueSockets

DOCUMENT: dict[str, Any] = json.loads(
    files("turbo_trader.exchange_server").joinpath("assets", "control.json").read_text()
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
schema = schemathesis.openapi.from_dict(DOCUMENT)


def examples(count: int) -> Any:
    return settings(
        max_examples=count, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@pytest.fixture(scope="module")
def venue(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(control=True)) as found:
        yield found


def test_the_description_has_every_control_route_and_method(make_venue: Callable[..., Venue]) -> None:
    served = {
        (route.path, method.lower())
        for route in VenueSockets(make_venue(control=True)).app().routes
        if isinstance(route, Route) and route.path.startswith("/control")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == {(path, method) for path, given in DOCUMENT["paths"].items() for method in given}


def test_the_description_is_served(venue: ServedVenue) -> None:
    assert requests.get(f"{venue.url}/control/openapi.json", timeout=5).json() == DOCUMENT


@schema.parametrize()
@examples(5)
def test_whatever_is_sent_to_a_control_route_is_answered_as_described(
    venue: ServedVenue, case: Case[Any]
) -> None:
    case.validate_response(case.call(base_url=venue.url), checks=CHECKS)


@pytest.mark.slow
@schema.parametrize()
@examples(100)
def test_the_same_of_control_routes_with_many_requests(venue: ServedVenue, case: Case[Any]) -> None:
    case.validate_response(case.call(base_url=venue.url), checks=CHECKS)

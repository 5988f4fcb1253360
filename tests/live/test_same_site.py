"""The control routes of a venue answer this machine's own tools, not what a web page makes a browser send."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turbo_trader.live.same_site import refusal, same_site


def asked(method: str = "POST", host: str = "127.0.0.1:9000", **headers: str) -> Request:
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "method": method, "path": "/control/faults", "headers": raw})


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9000", "localhost:9000", "LOCALHOST", "[::1]:9000", "192.168.1.5:9000"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_tools_of_this_machine_are_answered(host: str, method: str) -> None:
    assert refusal(asked(method, host)) is None
    assert refusal(asked(method, host, content_type="application/json; charset=utf-8")) is None
    assert refusal(asked(method, host, origin=f"http://{host}", sec_fetch_site="same-origin")) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://localhost:9000"},
        {"origin": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"host": "evil.example:9000"},
        {"host": "evil.example"},
        {"host": ""},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost.evil.example:9000"},
        {"content_type": "text/plain"},
        {"content_type": "text/plain;charset=UTF-8"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
    ],
)
def test_what_another_site_may_have_sent_is_refused(headers: dict[str, str]) -> None:
    assert refusal(asked(**headers)) is not None
    if "content_type" not in headers:
        assert refusal(asked("GET", **headers)) is not None


async def test_a_refused_request_never_reaches_the_route() -> None:
    reached = []

    async def route(request: Request) -> Response:
        reached.append(request.method)
        return JSONResponse({})

    guarded = same_site(route)
    assert (await guarded(asked(origin="https://evil.example"))).status_code == 403
    assert reached == []
    assert (await guarded(asked())).status_code == 200
    assert reached == ["POST"]


def test_every_control_route_is_behind_the_check() -> None:
    from turbo_trader.exchange_server.control_routes import VenueControl

    for route in VenueControl(None).routes():  # type: ignore[arg-type]
        assert route.endpoint.__qualname__.startswith("same_site."), route.path

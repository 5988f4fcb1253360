"""Who may look at the page, and what no other site can make a browser do with it."""

from __future__ import annotations

import stat
from inspect import signature

import pytest
from tests.console.dashboard.conftest import TOKEN, FakeDaemon, Served

from turbo_trader.console.dashboard.access import HEADERS, Access, read_token, token_file
from turbo_trader.console.verbs.dashboard import dashboard
from turbo_trader.market.errors import InputError

INSIDE = ("/api/overview", "/api/daemons/paper", "/api/daemons/paper/figures", "/api/daemons/paper/log",
          "/api/daemons/paper/explain/BTCUSDT", "/report/paper-1", "/static/page.js", "/static/plotly.js")  # fmt: skip


@pytest.mark.parametrize("path", INSIDE)
def test_without_a_session_nothing_is_shown(served: Served, daemon: FakeDaemon, path: str) -> None:
    answer = served.ask("GET", path)
    assert (answer.status, answer.json) == (401, {"error": "log in first"})
    assert served.ask("GET", path, Cookie="turbo-trader=guessed").status == 401
    assert b"paper" not in answer.body
    assert daemon.asked == []


def test_without_a_session_the_first_page_is_the_login(served: Served) -> None:
    answer = served.ask("GET", "/")
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert served.ask("GET", "/login").status == 200


def test_a_command_without_a_session_reaches_no_daemon(served: Served, daemon: FakeDaemon) -> None:
    answer = served.ask("POST", "/api/daemons/paper/flatten", {"confirm": "paper"})
    assert answer.status == 401
    assert daemon.asked == []


def test_a_wrong_token_is_refused_and_after_five_nobody_may_try(served: Served) -> None:
    for _ in range(5):
        assert served.ask("POST", "/login", {"token": "wrong"}).status == 401
    assert served.ask("POST", "/login", {"token": TOKEN}).status == 429


def test_tokens_may_be_tried_again_after_a_minute() -> None:
    now = [0.0]
    access = Access(TOKEN, lambda: now[0])
    for _ in range(5):
        assert access.enter("wrong") is None
    assert access.waits()
    now[0] = 61.0
    assert not access.waits()
    assert access.enter(TOKEN)


@pytest.mark.parametrize(
    "body", [[], "text", {"token": ["a"]}, {"token": None}, {}, {"token": "ü"}, {"token": "x" * 10_000}]
)
def test_odd_logins_are_wrong_tokens(served: Served, body: object) -> None:
    assert served.ask("POST", "/login", body).status == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    cookie = served.ask("POST", "/login", {"token": TOKEN}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie


def test_a_session_ends_with_logout_and_after_its_time(served: Served) -> None:
    cookie = served.enter()
    assert served.ask("GET", "/api/overview", Cookie=cookie).status == 200
    served.ask("POST", "/logout", {}, Cookie=cookie)
    assert served.ask("GET", "/api/overview", Cookie=cookie).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8137"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_what_another_site_sends_is_refused_with_a_session_too(
    served: Served, daemon: FakeDaemon, headers: dict[str, str]
) -> None:
    cookie = served.enter()
    assert served.ask("GET", "/api/overview", Cookie=cookie, **headers).status == 403
    answer = served.ask("POST", "/api/daemons/paper/flatten", {"confirm": "paper"}, Cookie=cookie, **headers)
    assert answer.status == 403
    assert daemon.asked == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_of_another_site_commands_nothing(served: Served, daemon: FakeDaemon, kind: str) -> None:
    cookie = served.enter()
    answer = served.ask(
        "POST", "/api/daemons/paper/flatten", {"confirm": "paper"}, Cookie=cookie, Content_Type=kind
    )
    assert answer.status == 403
    assert daemon.asked == []


def test_a_change_without_an_origin_is_refused(served: Served, daemon: FakeDaemon) -> None:
    cookie = served.enter()
    answer = served.ask("POST", "/api/daemons/paper/flatten", {"confirm": "paper"}, Cookie=cookie, Origin="")
    assert answer.status == 403
    assert daemon.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../etc/passwd",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/report/../paper-1/journal.sqlite",
        "/report/..%2fpaper-1",
        "/report/%2fetc",
        "/api/daemons/..%2f..%2fx/log",
        "/api/daemons/paper/../../../etc",
        "/static/page.js%00.css",
        "//evil.example/",
    ],
)
def test_path_tricks_find_nothing(served: Served, daemon: FakeDaemon, path: str) -> None:
    answer = served.ask("GET", path, Cookie=served.enter())
    assert answer.status == 404
    assert b"root:" not in answer.body
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/login", "/static/page.css", "/api/overview", "/nowhere", "/report/nothing"]
)
@pytest.mark.parametrize("inside", [False, True])
def test_every_answer_forbids_frames_and_foreign_content(served: Served, path: str, inside: bool) -> None:
    answer = served.ask("GET", path, Cookie=served.enter() if inside else "")
    for name, value in HEADERS.items():
        if name != "Cache-Control":
            assert answer.headers[name.lower()] == value
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_report_inside_the_page_can_neither_load_nor_be_framed(served: Served, daemon: FakeDaemon) -> None:
    answer = served.ask("GET", "/report/paper-1", Cookie=served.enter())
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "connect-src" not in policy


def test_refusals_are_logged_without_a_secret(served: Served, daemon: FakeDaemon) -> None:
    cookie = served.enter()
    served.ask("POST", "/login", {"token": "wrong-token-of-somebody"})
    served.ask("GET", "/api/overview?token=" + TOKEN, Cookie="turbo-trader=guessed")
    served.ask("GET", "/api/overview", Cookie=cookie, Origin="https://evil.example")
    names = [name for name, _ in served.logged]
    assert names == ["page-login", "page-refused", "page-refused", "page-refused"]
    text = str(served.logged)
    for secret in (
        TOKEN,
        "wrong-token-of-somebody",
        cookie.partition("=")[2],
        daemon.registration.running.token,
    ):
        assert secret not in text


def test_no_answer_shows_a_token(served: Served, daemon: FakeDaemon) -> None:
    cookie = served.enter()
    for path in ("/", *INSIDE[:5]):
        body = served.ask("GET", path, Cookie=cookie).body.decode()
        assert daemon.registration.running.token not in body
        assert TOKEN not in body


def test_an_emergency_stop_is_confirmed_by_the_daemons_name(served: Served, daemon: FakeDaemon) -> None:
    cookie = served.enter()
    for body in ({}, {"confirm": "other"}, {"confirm": True}):
        assert served.ask("POST", "/api/daemons/paper/flatten", body, Cookie=cookie).status == 400
    assert daemon.asked == []
    assert served.ask("POST", "/api/daemons/paper/flatten", {"confirm": "paper"}, Cookie=cookie).status == 200
    assert daemon.asked == [("flatten", {"by": "dashboard"})]
    assert ("page-control", {"daemon": "paper", "verb": "flatten", "error": ""}) in served.logged


def test_verbs_that_the_page_has_no_button_for_are_not_sent(served: Served, daemon: FakeDaemon) -> None:
    cookie = served.enter()
    for verb in ("stop", "explore", "session_new", "status", "nothing"):
        answer = served.ask("POST", f"/api/daemons/paper/{verb}", {"confirm": "paper"}, Cookie=cookie)
        assert answer.status == 404
    assert daemon.asked == []


def test_the_token_is_kept_private_and_shown_as_new_once() -> None:
    token, fresh = read_token()
    assert fresh
    assert stat.S_IMODE(token_file().stat().st_mode) == 0o600
    assert read_token() == (token, False)


@pytest.mark.parametrize(("text", "mode"), [("abcdefg", 0o600), ("x" * 40, 0o644), ("", 0o600)])
def test_a_token_file_that_is_unfit_is_refused_with_what_to_do(text: str, mode: int) -> None:
    token_file().parent.mkdir(parents=True)
    token_file().write_text(text)
    token_file().chmod(mode)
    with pytest.raises(InputError, match="remove it, then a new token is made") as error:
        read_token()
    assert not text or text not in str(error.value)


def test_the_page_listens_on_loopback_unless_asked_otherwise() -> None:
    assert signature(dashboard).parameters["host"].default == "127.0.0.1"

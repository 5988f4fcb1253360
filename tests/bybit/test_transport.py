"""The connections under the lanes: what never left differs from what may have arrived; one closed while idle costs nothing."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from turbo_trader.bybit import transport
from turbo_trader.bybit.transport import NoAnswer, NotSent, Pool, Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Bapi-Limit: 7\r\n\r\n{}"
HEADERS = {"X-BAPI-SIGN": "s"}


@contextmanager
def venue(serve: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """`serve(connection, n)` is called for each connection, n = 0, 1, ..., which is then closed, also within an answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        for n in range(3):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with closing(connection):
                serve(connection, n)

    threading.Thread(target=run, daemon=True).start()
    with closing(listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def saying(said: bytes) -> Callable[[socket.socket, int], None]:
    """Every request is answered with these bytes, and the connection ends."""

    def serve(connection: socket.socket, n: int) -> None:
        if connection.recv(65536):
            connection.sendall(said)

    return serve


async def post(pool: Pool, seconds: float = 2.0, headers: Mapping[str, str] = HEADERS) -> Response:
    connection = await pool.take(seconds)
    try:
        return await connection.exchange("POST", "/v5/order/create", headers, b'{"a": "b"}', seconds)
    finally:
        pool.give(connection)


async def test_request_and_body_leave_together_and_the_answer_is_read_whole() -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(connection.recv(65536))
        for part in (OK[:30], OK[30:-1], OK[-1:]):
            connection.sendall(part)

    with venue(serve) as base:
        answer = await post(Pool(base, 1))
    assert seen[0].startswith(b"POST /v5/order/create HTTP/1.1\r\n")
    assert seen[0].endswith(b'\r\n\r\n{"a": "b"}')
    assert b"\r\nX-BAPI-SIGN: s\r\n" in seen[0]
    assert f"\r\nHost: {base.removeprefix('http://')}\r\n".encode() in seen[0]
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers.get("x-bapi-limit") == answer.headers["X-Bapi-Limit"] == "7"


async def test_a_connection_is_used_again_and_an_answer_that_closes_it_is_the_last() -> None:
    seen: list[int] = []

    def serve(connection: socket.socket, n: int) -> None:
        for answer in (OK, OK.replace(b"X-Bapi-Limit: 7", b"Connection: close")):
            connection.recv(65536)
            seen.append(n)
            connection.sendall(answer)

    with venue(serve) as base:
        pool = Pool(base, 1)
        for _ in range(3):
            assert (await post(pool)).status == 200
    assert seen == [0, 0, 1]


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")

    with venue(serve) as base:
        assert (await post(Pool(base, 1))).body == b"{}"


@pytest.mark.parametrize("last_bytes", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_a_connection_closed_while_idle_is_made_again_before_anything_is_sent(
    last_bytes: bytes,
) -> None:
    seen: list[bytes] = []
    closed = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(OK)
        if n == 0:
            connection.sendall(last_bytes)
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

    with venue(serve) as base:
        pool = Pool(base, 1)
        assert (await post(pool)).status == 200
        closed.wait(2)  # the loop has not seen it yet
        assert (await post(pool)).status == 200
    assert len(seen) == 2


async def test_no_connection_is_distinct_from_a_request_that_may_have_arrived() -> None:
    with pytest.raises(NotSent):
        await post(Pool("http://127.0.0.1:1", 1))

    def hang_up(connection: socket.socket, n: int) -> None:
        connection.recv(65536)

    with venue(hang_up) as base, pytest.raises(NoAnswer, match="closed without an answer"):
        await post(Pool(base, 1))
    release = threading.Event()

    def say_nothing(connection: socket.socket, n: int) -> None:
        release.wait(5)

    with venue(say_nothing) as base:
        with pytest.raises(NoAnswer):
            await post(Pool(base, 1), seconds=0.1)
        release.set()


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    ],
    ids=["another-protocol", "switched", "no-length", "cut-short", "endless-head"],
)
async def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    with venue(saying(said)) as base, pytest.raises(NoAnswer, match="not HTTP"):
        await post(Pool(base, 1))


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, b""),
    ],
    ids=["text-before-it", "in-chunks", "of-http-1.0", "a-redirect-not-followed"],
)
async def test_answers_of_every_shape_are_read(said: bytes, status: int, body: bytes) -> None:
    with venue(saying(said)) as base:
        answer = await post(Pool(base, 1))
    assert (answer.status, answer.body) == (status, body)


async def test_an_answer_without_end_is_given_up_and_its_connection_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_MOST_BODY", 1_000)
    dropped = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65_536)
        except OSError:
            dropped.set()

    with venue(serve) as base, pytest.raises(NoAnswer, match="more than 1000 bytes"):
        await post(Pool(base, 1))
    assert await asyncio.to_thread(dropped.wait, 2)


@pytest.mark.parametrize("more", [[OK], [b"x"], [b"", b"x"]], ids=["a-second-answer", "a-byte", "later"])
async def test_a_connection_that_said_more_than_was_asked_is_not_used_again(more: list[bytes]) -> None:
    seen: list[int] = []

    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        seen.append(n)
        for each in (OK + more[0], *more[1:]):
            connection.sendall(each)
            threading.Event().wait(0.05)
        connection.recv(65536)

    with venue(serve) as base:
        pool = Pool(base, 1)
        for _ in range(2):
            assert (await post(pool)).status == 200
            await asyncio.sleep(0.1)
    assert seen == [0, 1]


async def test_a_connection_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be half-open: gone silently, so that a request on it would be unknown for seconds."""
    monkeypatch.setattr(transport, "_IDLE_S", 0.05)
    seen: list[int] = []

    def serve(connection: socket.socket, n: int) -> None:
        while connection.recv(65536):
            seen.append(n)
            connection.sendall(OK)

    with venue(serve) as base:
        pool = Pool(base, 1)
        await post(pool)
        await post(pool)
        await asyncio.sleep(0.1)
        await post(pool)
    assert seen == [0, 0, 1]


async def test_a_connection_that_ended_between_being_had_and_used_sent_nothing() -> None:
    def serve(connection: socket.socket, n: int) -> None:
        connection.close()

    with venue(serve) as base:
        connection = await Pool(base, 1).take(2.0)
        await asyncio.sleep(0.1)
        with pytest.raises(NotSent, match="closed"):
            await connection.exchange("POST", "/", HEADERS, b"", 2.0)


async def test_what_cannot_be_written_as_http_never_leaves_is_not_shown_and_spoils_nothing() -> None:
    with venue(saying(OK)) as base:
        pool = Pool(base, 1)
        for headers in ({"X-BAPI-API-KEY": "secret\n"}, {"X-BAPI-API-KEY": "secret\u20ac"}):
            with pytest.raises(NotSent) as caught:
                await post(pool, headers=headers)
            assert "secret" not in str(caught.value)
            assert caught.value.__cause__ is None
        assert (await post(pool)).status == 200


@pytest.mark.parametrize("base", ["http://.nowhere", f"http://{'x' * 70}.nowhere", "http://127.0.0.1:1"])
async def test_an_address_that_leads_nowhere_is_no_connection(base: str) -> None:
    with pytest.raises(NotSent):
        await post(Pool(base, 1))


async def test_after_its_end_a_pool_sends_nothing_and_holds_nobody_up() -> None:
    with venue(saying(OK)) as base:
        pool = Pool(base, 2)
        await post(pool)
        await pool.close()
        with pytest.raises(NotSent, match="closed"):
            await asyncio.wait_for(post(pool), 1)


async def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one() -> None:
    late = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        if n == 0:
            late.wait(5)
        connection.sendall(OK if n else OK.replace(b"200 OK", b"500 Late"))

    with venue(serve) as base:
        pool = Pool(base, 1)
        with pytest.raises(NoAnswer):
            await post(pool, seconds=0.1)
        late.set()
        assert (await post(pool)).status == 200


async def test_requests_beyond_the_connections_wait_for_their_turn_in_order() -> None:
    release = threading.Event()
    done: list[int] = []

    def serve(connection: socket.socket, n: int) -> None:
        while connection.recv(65536):
            release.wait(5)
            connection.sendall(OK)

    async def turn(n: int) -> None:
        await post(pool)
        done.append(n)

    with venue(serve) as base:
        pool = Pool(base, 1)
        turns = [asyncio.create_task(turn(n)) for n in range(4)]
        await asyncio.sleep(0.05)
        assert done == []
        release.set()
        await asyncio.gather(*turns)
    assert done == [0, 1, 2, 3]


async def test_a_cancelled_request_takes_its_connection_along_and_gives_its_place_back() -> None:
    seen, came, dropped = list[int](), threading.Event(), threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(n)
        connection.recv(65536)
        came.set()
        if n == 0:
            while connection.recv(65536):
                pass
            dropped.set()
        else:
            connection.sendall(OK)

    with venue(serve) as base:
        pool = Pool(base, 1)
        first = asyncio.create_task(post(pool))
        await asyncio.to_thread(came.wait, 5.0)
        second = asyncio.create_task(post(pool))
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).status == 200
        await pool.close()
    assert first.cancelled()
    assert dropped.is_set()
    assert seen == [0, 1]


async def test_a_request_cancelled_while_it_waits_for_its_turn_leaves_no_hole() -> None:
    release = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        while connection.recv(65536):
            release.wait(5)
            connection.sendall(OK)

    with venue(serve) as base:
        pool = Pool(base, 1)
        first, second, third = (asyncio.create_task(post(pool)) for _ in range(3))
        await asyncio.sleep(0.05)
        second.cancel()
        release.set()
        assert (await first).status == (await third).status == 200
        await asyncio.wait_for(pool.close(), 1)


def certify(folder: Path, name: str, host: str) -> None:
    """`name`.pem and `name`.key: a certificate for `host`, signed by itself."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}"]
    files = ["-addext", f"subjectAltName=DNS:{host}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
    subprocess.run([*made, *files], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_a_venue_is_believed_only_with_certificate_of_its_name_from_somebody_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"trusted": "localhost", "stranger": "localhost", "misnamed": "elsewhere"}
    for name, host in names.items():
        await asyncio.to_thread(certify, tmp_path, name, host)
    both = [(tmp_path / f"{name}.pem").read_text() for name in ("trusted", "misnamed")]
    (tmp_path / "known.pem").write_text("".join(both))
    monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "known.pem"))
    monkeypatch.setattr(transport, "_trusted", transport._trusted.__wrapped__)
    seen: list[str] = []
    for name in names:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")

        def serve(
            connection: socket.socket, n: int, context: ssl.SSLContext = context, name: str = name
        ) -> None:
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                while secure.recv(65536):
                    seen.append(f"{name} {n}")
                    secure.sendall(OK)

        with venue(serve) as base:
            pool = Pool(base.replace("http://127.0.0.1", "https://localhost"), 1)
            if name == "trusted":
                assert [(await post(pool)).status for _ in range(2)] == [200, 200]
                await pool.close()
            else:
                with pytest.raises(NotSent, match="SSLCertVerificationError"):
                    await post(pool)
    assert seen == ["trusted 0", "trusted 0"]

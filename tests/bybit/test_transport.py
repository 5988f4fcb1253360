"""The connections under the lanes: what never left is told from what may have arrived; one closed while idle costs nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from turbo_trader.bybit.transport import NoAnswer, NotConnected, Pool, Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Bapi-Limit: 7\r\n\r\n{}"
HEADERS = {"X-BAPI-SIGN": "s"}


@contextmanager
def venue(serve: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """`serve(connection, n)` is called for each connection, n = 0, 1, ..., and then the connection is closed."""
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


async def post(pool: Pool, seconds: float = 2.0) -> Response:
    connection = await pool.take(seconds)
    try:
        return await connection.exchange("POST", "/v5/order/create", HEADERS, b'{"a": "b"}', seconds)
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


@pytest.mark.parametrize("last_word", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_a_connection_closed_while_idle_is_made_anew_before_anything_is_sent(last_word: bytes) -> None:
    seen: list[bytes] = []
    closed = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(OK)
        if n == 0:
            connection.sendall(last_word)
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

    with venue(serve) as base:
        pool = Pool(base, 1)
        assert (await post(pool)).status == 200
        closed.wait(2)  # the loop has not seen it yet
        assert (await post(pool)).status == 200
    assert len(seen) == 2


async def test_no_connection_is_told_from_a_request_that_may_have_arrived() -> None:
    with pytest.raises(NotConnected):
        await post(Pool("http://127.0.0.1:1", 1))

    def hang_up(connection: socket.socket, n: int) -> None:
        connection.recv(65536)

    with venue(hang_up) as base, pytest.raises(NoAnswer):
        await post(Pool(base, 1))
    release = threading.Event()

    def say_nothing(connection: socket.socket, n: int) -> None:
        release.wait(5)

    with venue(say_nothing) as base:
        with pytest.raises(NoAnswer):
            await post(Pool(base, 1), seconds=0.1)
        release.set()


async def test_what_is_not_http_is_no_answer() -> None:
    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    with venue(serve) as base, pytest.raises(NoAnswer, match="not HTTP"):
        await post(Pool(base, 1))


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


async def test_requests_beyond_the_connections_wait_for_their_turn_and_a_cancelled_one_gives_its_place_back() -> (
    None
):
    release = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        connection.recv(65536)
        if n == 0:
            release.wait(5)
        connection.sendall(OK)

    with venue(serve) as base:
        pool = Pool(base, 1)
        first = asyncio.create_task(post(pool))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(post(pool))
        await asyncio.sleep(0.05)
        assert not second.done()
        first.cancel()
        release.set()
        assert (await second).status == 200
        await pool.close()
    assert first.cancelled()

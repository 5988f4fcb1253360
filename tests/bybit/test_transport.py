"""The connection under pybit: what never left is told from what may have arrived; a connection closed while idle costs nothing."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import requests

from turbo_trader.bybit.transport import Client, NotConnected

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Bapi-Limit: 7\r\n\r\n{}"


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


def post(client: Client, base: str, timeout: float = 2.0) -> int:
    asked = requests.Request(
        "POST", f"{base}/v5/order/create", data='{"a": "b"}', headers={"X-BAPI-SIGN": "s"}
    )
    return client.send(client.prepare_request(asked), timeout).status_code


def test_request_and_body_leave_in_one_packet_and_the_answer_is_read_whole() -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(OK)

    with venue(serve) as base:
        asked = requests.Request("GET", f"{base}/v5/market/time?a=b%2Cc", headers={})
        answer = Client(base).send(asked, 2.0)
    assert seen[0].startswith(b"GET /v5/market/time?a=b%2Cc HTTP/1.1\r\n")
    assert (answer.status_code, answer.json(), answer.text) == (200, {}, "{}")
    assert answer.headers.get("x-bapi-limit") == answer.headers["X-Bapi-Limit"] == "7"


def test_a_connection_the_venue_closed_while_idle_is_made_anew_before_anything_is_sent() -> None:
    seen: list[bytes] = []
    closed = threading.Event()

    def serve(connection: socket.socket, n: int) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(OK)
        if n == 0:
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

    with venue(serve) as base:
        client = Client(base)
        assert post(client, base) == 200
        closed.wait(2)
        assert post(client, base) == 200
    assert len(seen) == 2


def test_no_connection_is_told_from_a_request_that_may_have_arrived() -> None:
    with pytest.raises(NotConnected):
        post(Client("http://127.0.0.1:1"), "http://127.0.0.1:1")

    def hang_up(connection: socket.socket, n: int) -> None:
        connection.recv(65536)

    with venue(hang_up) as base:
        with pytest.raises(requests.exceptions.ConnectionError) as caught:
            post(Client(base), base)
        assert not isinstance(caught.value, NotConnected)
    release = threading.Event()

    def say_nothing(connection: socket.socket, n: int) -> None:
        release.wait(5)

    with venue(say_nothing) as base:
        with pytest.raises(requests.exceptions.ReadTimeout):
            post(Client(base), base, timeout=0.1)
        release.set()

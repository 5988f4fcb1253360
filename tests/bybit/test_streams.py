"""One stream of the venue, through confirmations, silences and losses that each test scripts by hand."""

import asyncio
import contextlib
import json
from collections.abc import Callable

import pytest
from tests.canned_servers import listening
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from turbo_trader.bybit import streams
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.streams import Stream, StreamConfig
from turbo_trader.bybit.topics import RefusedTopic, public_topics

DATA = json.dumps({"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "data": {}})


class Heard:
    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.changes: list[str] = []

    def stream(self, config: StreamConfig) -> Stream:
        return Stream(
            config,
            on_frames=self.frames.extend,
            on_up=lambda: self.changes.append("up"),
            on_down=self.changes.append,
            now_ms=lambda: 1_000,
        )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def reply(socket: ServerConnection, success: bool = True) -> dict[str, object]:
    asked: dict[str, object] = json.loads(await socket.recv())
    await socket.send(
        json.dumps({"success": success, "ret_msg": "", "op": asked["op"], "req_id": asked["req_id"]})
    )
    return asked


async def test_it_authenticates_before_it_subscribes_and_comes_back_after_a_loss() -> None:
    asked: list[dict[str, object]] = []

    async def handler(socket: ServerConnection) -> None:
        asked.append(await reply(socket))
        asked.append(await reply(socket))
        await socket.send(DATA)
        await socket.close()

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, ("order", "wallet"), keys=Keys("k", "s")))
        task = asyncio.create_task(stream.run())
        await until(lambda: len(heard.frames) >= 2 and len(heard.changes) >= 3)
        task.cancel()
    assert [item["op"] for item in asked[:4]] == ["auth", "subscribe", "auth", "subscribe"]
    assert asked[0]["args"][1] == 11_000  # type: ignore[index]
    assert asked[1]["args"] == ["order", "wallet"]
    assert heard.changes[:3] == ["up", "closed by the venue", "up"]


@pytest.mark.parametrize(
    "refusal", [{"success": False, "ret_msg": "no such key"}, {"retCode": 10003, "retMsg": "no such key"}]
)
async def test_a_stream_whose_login_is_refused_subscribes_to_nothing(refusal: dict[str, object]) -> None:
    asked: list[object] = []

    async def handler(socket: ServerConnection) -> None:
        asked.append(json.loads(await socket.recv())["op"])
        await socket.send(json.dumps({"op": "auth", "req_id": "auth", **refusal}))
        asked.extend([json.loads(text)["op"] async for text in socket])

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, ("order",), keys=Keys("k", "s")))
        task = asyncio.create_task(stream.run())
        await until(lambda: stream.connections >= 2)
        task.cancel()
    assert set(asked) == {"auth"}
    assert heard.changes == []


async def test_it_is_up_only_after_the_subscription_is_confirmed() -> None:
    async def handler(socket: ServerConnection) -> None:
        await reply(socket, success=False)
        await socket.wait_closed()

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, ("tickers.BTCUSDT",)))
        task = asyncio.create_task(stream.run())
        await until(lambda: stream.connections >= 2)
        task.cancel()
    assert heard.changes == []


async def test_s22_a_socket_that_answers_pings_but_says_nothing_is_made_again(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(streams, "PING_S", 0.05)

    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        await socket.send(DATA)
        while True:
            await reply(socket)

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, public_topics(["BTCUSDT"], 50), silence_s=1.3))
        task = asyncio.create_task(stream.run())
        await until(lambda: stream.connections >= 2)
        task.cancel()
    assert heard.changes[1] == "no data for 1.3 s"


async def test_data_that_overtakes_the_confirmation_is_not_lost() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send(DATA)
        await reply(socket)
        await socket.wait_closed()

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("x",))).run())
        await until(lambda: bool(heard.changes))
        task.cancel()
    assert heard.frames == [DATA.encode()]


async def test_half_open_stream_is_ended_and_made_again_though_data_comes(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(streams, "PING_S", 0.05)
    monkeypatch.setattr(streams, "PONG_S", 0.3)

    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        while True:  # what we send is swallowed from now on
            await socket.send(DATA)
            await asyncio.sleep(0.02)

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("order",))).run())
        await until(lambda: len(heard.changes) >= 3)
        task.cancel()
    assert heard.changes[:3] == ["up", "a ping was not answered within 0.3 s", "up"]


@pytest.mark.parametrize(
    "pong",
    [
        {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "", "op": "ping"},
        {"req_id": "ping", "op": "pong", "args": ["1"], "conn_id": "c"},
        {"retCode": 0, "retMsg": "OK", "op": "pong", "data": ["1"], "connId": "c"},
    ],
)
async def test_stream_that_answers_pings_in_any_of_the_venues_ways_stays(pong, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(streams, "PING_S", 0.02)
    monkeypatch.setattr(streams, "PONG_S", 0.5)
    pings: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        async for raw in socket:
            pings.append(json.loads(raw)["op"])
            await socket.send(json.dumps(pong))

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("order",))).run())
        await until(lambda: len(pings) > 20)
        task.cancel()
    assert heard.changes == ["up"]
    assert heard.frames == []


@pytest.mark.parametrize("swallowed_from", ["auth", "subscribe"])
async def test_stream_whose_login_is_swallowed_tries_again(swallowed_from, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(streams, "CONFIRM_S", 0.2)
    attempts: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        async for raw in socket:
            asked = json.loads(raw)["op"]
            attempts.append(asked)
            if asked != swallowed_from or len(attempts) > 3:
                await socket.send(json.dumps({"success": True, "op": asked}))

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("order",), keys=Keys("k", "s"))).run())
        await until(lambda: heard.changes == ["up"])
        task.cancel()


async def test_one_refused_topic_does_not_stop_the_others() -> None:
    asked: list[list[str]] = []

    async def handler(socket: ServerConnection) -> None:
        async for raw in socket:
            topics = json.loads(raw)["args"]
            asked.append(topics)
            bad = [topic for topic in topics if "GONE" in topic]
            said = f"error:handler not found,topic:{bad[0]}" if bad else ""
            await socket.send(json.dumps({"success": not bad, "ret_msg": said, "op": "subscribe"}))

    refused: list[RefusedTopic] = []
    up = asyncio.Event()
    async with listening(handler) as url:
        topics = public_topics(["A", "GONE", "B", "C", "D"], 50)
        stream = Stream(
            StreamConfig(url, topics), on_frames=lambda _: None, on_up=up.set, on_down=lambda _: None,
            now_ms=lambda: 0, on_topic_refused=refused.append,
        )  # fmt: skip
        task = asyncio.create_task(stream.run())
        async with asyncio.timeout(5):
            await up.wait()
        task.cancel()
    assert [each.topic for each in refused] == [topic for topic in topics if "GONE" in topic]
    assert asked[-1][0] not in [each.topic for each in refused]
    assert all(len(topics) <= 10 for topics in asked)


async def test_private_stream_that_is_refused_a_topic_is_not_up() -> None:
    reasons: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        async for raw in socket:
            bad = "wallet" in json.loads(raw)["args"]
            await socket.send(
                json.dumps({"success": not bad, "ret_msg": "error:x,topic:wallet", "op": "subscribe"})
            )

    async with listening(handler) as url:
        stream = Stream(
            StreamConfig(url, ("order", "wallet"), all_needed=True), on_frames=lambda _: None,
            on_up=lambda: reasons.append("up"), on_down=reasons.append, now_ms=lambda: 0, on_refused=reasons.append,
        )  # fmt: skip
        task = asyncio.create_task(stream.run())
        await until(lambda: bool(reasons))
        task.cancel()
    assert reasons == ["subscription refused: error:x,topic:wallet"]


async def test_frames_whose_topic_comes_last_and_bytes_that_cannot_be_read_are_handed_on() -> None:
    late = b'{"op":"ping","data":[' + b'{"x":"%s"}' % (b"y" * 500) + b'],"topic":"order"}'
    junk = [b"\xff\xfe", b"[" * 50_000, b"", b"1e400", b"null", b'["op"]', late]

    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        for each in junk:
            await socket.send(each)
        await socket.wait_closed()

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("order",))).run())
        await until(lambda: len(heard.frames) == len(junk) and bool(heard.changes))
        task.cancel()
    assert heard.frames == junk
    assert heard.changes == ["up"]


async def test_a_lost_stream_says_why_and_a_renewed_one_what_for() -> None:
    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        await socket.send(DATA)
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, ("orderbook.50.BTCUSDT",)))
        task = asyncio.create_task(stream.run())
        await until(lambda: heard.changes == ["up"])
        stream.renew("a gap")
        await until(lambda: len(heard.changes) >= 3)
        assert stream.socket is not None
        stream.socket.transport.abort()
        await until(lambda: len(heard.changes) >= 4)
        task.cancel()
    assert heard.changes[:3] == ["up", "a gap", "up"]
    assert heard.changes[3].startswith("ConnectionClosedError: ")


async def test_a_frame_of_more_than_four_mib_ends_its_connection() -> None:
    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        with contextlib.suppress(ConnectionClosed):
            await socket.send(b"{" + b" " * 2**22)
            await socket.recv()

    heard = Heard()
    async with listening(handler) as url:
        task = asyncio.create_task(heard.stream(StreamConfig(url, ("orderbook.50.BTCUSDT",))).run())
        await until(lambda: len(heard.changes) >= 2)
        task.cancel()
    assert heard.frames == []
    assert "too big" in heard.changes[1]

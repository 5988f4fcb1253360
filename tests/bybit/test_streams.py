import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from turbo_trader.bybit import streams
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.streams import Stream, StreamConfig, public_topics

Handler = Callable[[ServerConnection], Awaitable[None]]
DATA = json.dumps({"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "data": {}})


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v5/private"


class Heard:
    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.changes: list[str] = []

    def stream(self, config: StreamConfig) -> Stream:
        return Stream(
            config,
            on_frame=self.frames.append,
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
        await until(lambda: len(heard.frames) >= 2)
        task.cancel()
    assert [item["op"] for item in asked[:4]] == ["auth", "subscribe", "auth", "subscribe"]
    assert asked[0]["args"][1] == 11_000  # type: ignore[index]
    assert asked[1]["args"] == ["order", "wallet"]
    assert heard.changes[:3] == ["up", "closed by the venue", "up"]


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


async def test_s22_a_socket_that_answers_pings_but_says_nothing_is_made_anew(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(streams, "PING_S", 0.05)

    async def handler(socket: ServerConnection) -> None:
        await reply(socket)
        await socket.send(DATA)
        while True:
            await reply(socket)

    heard = Heard()
    async with listening(handler) as url:
        stream = heard.stream(StreamConfig(url, public_topics(["BTCUSDT"], 50), silence_s=0.3))
        task = asyncio.create_task(stream.run())
        await until(lambda: stream.connections >= 2)
        task.cancel()
    assert heard.changes[1] == "no data for 0.3 s"


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

"""The kernel for whole frames and the reader of any JSON make the same rows, and remember the same, of whatever comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.frame_json import BLOCK_TRADES, OUTSIDE, REPEATED, one_by_one
from turbo_trader.market.frame_reader import FEED, PRINTS, read_frame
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.json_text import BAD, ROOM
from turbo_trader.market.recording import frames
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import KIND_MASK, TRADE

INSTRUMENTS = [each for each in universe() if each.symbol in ("BTCUSDT", "DOGEUSDT")]
NAMES = [instrument.symbol for instrument in INSTRUMENTS]
RECORDING = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/bybit-v5-session-20260809/linear_BTCUSDT_DOGEUSDT.jsonl.gz"
)
MS = 1_767_600_000_000
KEPT = ("update", "last_ts", "mark", "mark_ts")  # of a FEED record, beside the ids


def compact(frame: dict[str, Any]) -> bytes:
    return json.dumps(frame, separators=(",", ":")).encode()


def book(
    kind: str, update: int, bids: list[Any], asks: list[Any], symbol: str = NAMES[0], **more: Any
) -> bytes:
    data = {"s": symbol, "b": bids, "a": asks, "u": update, "seq": 10 + update}
    return compact(
        {"topic": f"orderbook.50.{symbol}", "type": kind, "ts": MS + 1, "data": data, "cts": MS, **more}
    )


def a_print(**changed: Any) -> dict[str, Any]:
    usual = {
        "T": MS,
        "s": NAMES[0],
        "S": "Buy",
        "v": "0.5",
        "p": "60000.1",
        "L": "PlusTick",
        "i": "a",
        "BT": False,
        "RPI": False,
    }
    return {**usual, "seq": 7, **changed}


def prints(*items: dict[str, Any], symbol: str = NAMES[0]) -> bytes:
    return compact({"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": MS, "data": list(items)})


def ticker(mark: str) -> bytes:
    return compact({"topic": f"tickers.{NAMES[0]}", "type": "delta", "ts": MS, "data": {"markPrice": mark}})


def outcome(decoder: FrameDecoder, raw: bytes, *, whole: bool) -> Any:
    """Symbol and rows, None, or that it was refused."""
    try:
        found = decoder.decode(raw) if whole else decoder.any_json.decode(raw)
    except (ValueError, RecursionError):
        return "refused"
    return None if found is None else (found[0], found[1].tobytes())


def remembered(decoder: FrameDecoder) -> list[Any]:
    kept: list[Any] = [decoder._feeds[name].tolist() for name in KEPT]
    for feed in decoder._feeds:
        half = feed["id_half"]
        kept.append(feed["ids"][half, : feed["id_count"][half]].tolist())
    return [*kept, dict(decoder.left_out)]


def assert_alike(raws: list[bytes]) -> None:
    kernel, plain = FrameDecoder(INSTRUMENTS), FrameDecoder(INSTRUMENTS)
    for raw in raws:
        assert outcome(kernel, raw, whole=True) == outcome(plain, raw, whole=False), raw
        assert remembered(kernel) == remembered(plain), raw


def taken(raw: bytes) -> bool:
    """Whether the kernel reads the frame itself."""
    decoder = FrameDecoder(INSTRUMENTS)
    text = np.frombuffer(bytearray(raw + bytes(ROOM)), np.uint8)
    return bool(read_frame(text, len(raw), decoder._feeds, decoder._rows, 0)[1] != BAD)


decimals = st.builds(
    lambda whole, part: f"{whole}.{part}" if part else str(whole),
    st.integers(0, 70_000),
    st.text("0123456789", max_size=12),
)
level_lists = st.lists(st.tuples(decimals, decimals).map(list), max_size=5)
names = st.sampled_from([*NAMES, NAMES[0], "XYZUSDT"])
books = st.builds(
    book, st.sampled_from(["snapshot", "delta", "delta", "other"]), st.integers(0, 6), level_lists, level_lists, names,
    cts=st.sampled_from([0, MS, MS + 5, 10**13]),
)  # fmt: skip
print_items = st.builds(
    a_print, T=st.integers(MS - 9, MS + 9), S=st.sampled_from(["Buy", "Sell", ""]), v=decimals, p=decimals,
    i=st.sampled_from(["", "a", "b", "20f43950-d8dd-5b31-9112-a178eb6023af", "é", "x" * 41, "x" * 42]),
    BT=st.booleans(), RPI=st.booleans(),
)  # fmt: skip
print_frames = st.builds(
    lambda items, symbol: prints(*items, symbol=symbol), st.lists(print_items, max_size=4), names
)
tickers = st.builds(ticker, decimals)
valid_frames = st.one_of(books, books, print_frames, print_frames, tickers)


ODD = (b"", b" ", b'"', b",", b"0", b"-", b"}", b"]", b"\\", b"\xc3", b"\n", b"null", b"1e5")


@st.composite
def broken_frames(draw: st.DrawFn) -> bytes:
    """A frame with some of its bytes lost, changed, said twice or in another order."""
    raw = draw(valid_frames)
    for _ in range(draw(st.integers(0, 3))):
        at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 12))
        put = draw(
            st.sampled_from(
                [
                    b"",
                    b" ",
                    b'"',
                    b",",
                    b"0",
                    b"-",
                    b"}",
                    b"]",
                    b"\\",
                    b"\xc3",
                    b"\n",
                    b"null",
                    b"1e5",
                    raw[at : at + length],
                ]
            )
        )
        raw = raw[:at] + put + raw[at + length * draw(st.integers(0, 1)) :]
    return raw


@settings(max_examples=150, deadline=None)
@given(st.lists(valid_frames, max_size=12))
def test_kernel_and_any_json_make_the_same_rows(raws: list[bytes]) -> None:
    assert_alike(raws)


@pytest.mark.long
@settings(max_examples=250, deadline=None)
@given(st.lists(st.one_of(valid_frames, broken_frames(), broken_frames()), max_size=8))
def test_broken_frames_are_read_or_refused_alike(raws: list[bytes]) -> None:
    assert_alike([book("snapshot", 3, [["1.5", "2"]], [["1.6", "2"]]), *raws])


@pytest.mark.skipif(not RECORDING.exists(), reason="needs the recorded session in ../shared/data")
def test_every_recorded_frame_is_read_alike_and_book_and_prints_by_the_kernel() -> None:
    raws = [raw for _, raw in frames(RECORDING)]
    assert_alike(raws)
    known = [raw for raw in raws if b'"topic":"orderbook' in raw or b'"topic":"publicTrade' in raw]
    assert len(known) > 100
    assert all(map(taken, known))


@pytest.mark.parametrize(
    "raw",
    [
        book("snapshot", 3, [["1.5", "2"]], [["1.6", "0.25"]]), book("delta", 3, [], []), prints(a_print(), a_print(i="b")),
        json.dumps(json.loads(prints(a_print()))).encode(),  # with spaces
        compact({"cts": MS, "type": "snapshot", "topic": f"orderbook.1.{NAMES[1]}", "data": {"u": 1, "b": [], "a": [["2", "1"]]}}),
    ],
)  # fmt: skip
def test_the_kernel_reads_frames_as_the_venue_writes_them(raw: bytes) -> None:
    assert taken(raw)


@pytest.mark.parametrize(
    "raw",
    [
        book("delta", 3, [], [], more=1), book("delta", 3, [["1", "2", "0"]], []), book("delta", 10**16, [], []),
        book("delta", -1, [], []), prints(a_print(more=1)), prints(), prints(a_print(v="1e3")), prints(a_print(i="é")),
        prints(a_print(i=None)), prints(a_print(T="1")),
        prints(*[a_print(i=f"{n}") for n in range(PRINTS + 1)]), ticker("60000"), b"", b"{}", b"[]", b"null", b'{"op":"pong"}',
        book("delta", 3, [], []) + b"x", book("delta", 3, [], [])[:-1], b" " + book("delta", 3, [], []) + b" ",
    ],
)  # fmt: skip
def test_what_the_kernel_does_not_know_it_leaves_as_it_was(raw: bytes) -> None:
    decoder = FrameDecoder(INSTRUMENTS)
    before = remembered(decoder)
    assert not taken(raw)
    assert remembered(decoder) == before
    assert_alike([raw])


def test_half_a_frame_is_not_ended_by_the_frame_before_it() -> None:
    decoder = FrameDecoder(INSTRUMENTS)
    whole = book("snapshot", 3, [["1.5", "2"]], [["1.6", "0.25"]])
    assert decoder.decode(whole) is not None
    for cut in range(1, len(whole)):
        with pytest.raises(ValueError, match=r".+"):
            decoder.decode(whole[:cut])


def test_prints_left_out_are_counted_by_the_kernel_with_their_reasons() -> None:
    decoder = FrameDecoder(INSTRUMENTS)
    decoder.decode(ticker("60000"))
    found = decoder.decode(prints(a_print(), a_print(i="b", BT=True), a_print(i="c", p="90000")))
    assert found is not None
    assert len(found[1]) == 1
    assert decoder.decode(prints(a_print())) is None
    assert decoder.left_out == {BLOCK_TRADES: 1, OUTSIDE: 1, REPEATED: 1}


def test_rows_of_earlier_frames_stay_as_they_were() -> None:
    decoder = FrameDecoder(INSTRUMENTS)
    found = [decoder.decode(prints(a_print(i=f"{n}", v=f"{n + 1}"))) for n in range(6_000)]
    lot = INSTRUMENTS[0].step
    assert [int(one[1]["lots"][0] * lot) for one in found if one is not None] == list(range(1, 6_001))


def test_compiled_and_plain_python_read_frames_alike() -> None:
    plain = getattr(read_frame, "py_func", read_frame)
    for raw in (
        book("snapshot", 3, [["1.5", "2"]], [["1.6", "2"]]),
        prints(a_print(), a_print(i="b", BT=True)),
        b'{"topic":"orderbook.',
    ):
        text = np.frombuffer(bytearray(raw + bytes(ROOM)), np.uint8)
        results = []
        for function in (read_frame, plain):
            decoder = FrameDecoder(INSTRUMENTS)
            rows = np.zeros(64, decoder._rows.dtype)
            results.append(
                (function(text, len(raw), decoder._feeds, rows, 0), rows.tobytes(), decoder._feeds.tobytes())
            )
        assert results[0] == results[1]


FRAMES = [
    book("delta", 2, [["1.5", "2"]], []),  # of a void book
    book("snapshot", 3, [["1.5", "2"]], [["1.6", "0.25"]]),
    book("delta", 4, [["1.4", "2"]], []),
    book("delta", 5, [], []),
    book("snapshot", 1, [["2.5", "2"]], [["2.6", "2"]], symbol=NAMES[1]),
    book("delta", 1, [["1.3", "2"]], [["1.7", "1"]]),  # the service restarted
    book("delta", 9, [["1.2", "2"]], []),  # a gap
    prints(a_print(), a_print(i="b", BT=True)),
    prints(a_print()),
    prints(a_print(i="c"), symbol=NAMES[1]),
    ticker("60000"),
    prints(a_print(i="d", p="90000"), a_print(i="e")),
    b'{"success":true}',
    b'{"topic":"orderbook.',
    b"",
]


@given(st.lists(st.sampled_from(FRAMES), max_size=200))
@settings(max_examples=150)
def test_frames_that_come_together_make_the_rows_that_they_make_one_by_one(raws: list[bytes]) -> None:
    one, all_ = FrameDecoder(INSTRUMENTS), FrameDecoder(INSTRUMENTS)
    refused: list[list[Exception]] = [[], []]
    alone = list(one_by_one(one.decode, raws, refused[0].append))
    together = list(all_.decode_all(raws, refused[1].append))
    for s in range(len(INSTRUMENTS)):
        rows = [[rows.tobytes() for n, rows in found if n == s] for found in (alone, together)]
        assert b"".join(rows[0]) == b"".join(rows[1])
    assert [len({bool(kind & KIND_MASK == TRADE) for kind in rows["kind"]}) for _, rows in together] == [
        1
    ] * len(together)
    assert remembered(one) == remembered(all_)
    assert one.left_out == all_.left_out
    assert [str(each) for each in refused[0]] == [str(each) for each in refused[1]]


def test_neighbours_of_one_topic_are_one() -> None:
    decoder = FrameDecoder(INSTRUMENTS)
    raws = [
        book("snapshot", 3, [["1.5", "2"]], []),
        *(book("delta", n, [["1.5", f"{n}"]], []) for n in range(4, 40)),
    ]
    found = decoder.decode_all([*raws, prints(a_print()), prints(a_print(i="b"))], lambda error: None)
    assert [(symbol, len(rows)) for symbol, rows in found] == [(0, 38), (0, 2)]


def test_names_and_ids_of_a_feed_fit_the_venues() -> None:
    assert max(len(name) for name in NAMES) < FEED["name"].shape[0]
    assert FEED["ids"].shape[2] * 8 >= len("20f43950-d8dd-5b31-9112-a178eb6023af")

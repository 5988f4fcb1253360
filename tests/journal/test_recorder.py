"""The recorder writes what it is given, waits for nobody, and says what it left out."""

from __future__ import annotations

import errno
import os
import queue
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from tests.sent_orders import entry

from turbo_trader.journal import segments as writing
from turbo_trader.journal.codec import pack, unpack, unpack_command, unpack_event
from turbo_trader.journal.recorded import recorded_lives
from turbo_trader.journal.recorder import Life, Recorder, begin_of
from turbo_trader.journal.recording_format import FOLDER, Steps, Torn, framed, read_blocks, segments
from turbo_trader.journal.segments import Keep, Segments
from turbo_trader.market.errors import InputError
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import BAR, ROW
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.noise import Noise
from turbo_trader.trader import events
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.events import Clock, MarketRows
from turbo_trader.trader.persisted import OUTCOMES

LIFE = Life(instruments=universe()[:2], policy=Policy(), boot="abcd1234", start_ts=1, restored=None)
ORDER = entry("a", qty=Decimal("0.0010"), price=None, stop_loss=None)  # fmt: skip


def rows(count: int) -> Any:
    found = np.zeros(count, ROW)
    found["ts"] = np.cumsum(np.arange(count)) + 10**18
    found["price"], found["lots"], found["kind"], found["side"] = -7, 2**40, 35, -1
    return found


def recorder(folder: Path, **keep: Any) -> Recorder:
    made = Recorder(folder / FOLDER, Keep(**{"free": 0, **keep}))
    made.begin(LIFE)
    return made


def steps(folder: Path) -> list[Any]:
    return [step for life in recorded_lives(folder) for step in life.steps()]


def sample(kind: type) -> Any:
    """An event of this kind with something in every field that has no default."""
    report = {
        "ts": 5, "symbol": "BTCUSDT", "order_id": "o", "link_id": "tt-x", "parent_link_id": "", "side": Side.SELL,
        "qty": Decimal("0.10"),
        "filled": Decimal("0E-8"), "price": None, "avg_price": Decimal("1E+3"), "status": "New", "reduce_only": True,
    }  # fmt: skip
    given: dict[type, Any] = {
        events.OrderReport: report,
        events.Fill: {
            **{name: report[name] for name in ("ts", "symbol", "order_id", "link_id", "side", "qty")}, "exec_id": "e",
            "price": Decimal("1.50"), "fee": Decimal("-0.001"), "kind": "Trade", "closed_qty": Decimal(0), "is_maker": False,
            "seq": 2**53 + 1, "coin_fees": (("BIT", Decimal("0.10")),),
        },
        events.PositionReport: dict.fromkeys(
            ("entry_price", "leverage", "stop_loss", "take_profit", "liq_price", "mark_price", "margin"), Decimal("2.0")
        ) | {"ts": 1, "symbol": "BTCUSDT", "size": Decimal("-1"), "seq": 3},
        events.WalletReport: dict.fromkeys(
            ("balance", "available", "position_margin", "order_margin", "unrealised"), Decimal("18.00")
        ) | {"ts": 1, "coins": {"BTC": Decimal("0.1")}},
        events.CommandResult: {"ts": 1, "id": "a", "outcome": events.Outcome.UNKNOWN, "later": True},
        events.Unread: {"ts": 1, "symbol": ""},
        events.StreamStatus: {"ts": 1, "stream": events.StreamKind.PRIVATE, "up": True},
        events.InstrumentUpdate: {"ts": 1, "instrument": universe()[0]},
        events.KeyExpiry: {"ts": 1, "at": 2**62},
        events.Maintenance: {"ts": 1, "begin": None, "end": 0},
        events.FeeRates: {"ts": 1, "symbol": "BTCUSDT", "taker": Decimal("0.00055"), "maker": Decimal("0.0002")},
        events.ClockOffset: {"ts": 1, "offset": -3},
        events.NoiseFitted: {"ts": 1, "symbol": 0, "noise": Noise(0.1, 1 / 3, 1e-300, True, 0.5, 0.0, 3.0, 2.0, 120)},
        events.Control: {"ts": 1, "verb": "stop", "by": "me", "args": {"leave": True}},
        events.Woken: {"ts": 1, "epoch": 2, "boots": ("a", "b")},
        events.Scored: {
            "ts": 1, "bar_end": 2, "interval": 3, "directions": (1, 0), "expected": (1e-3, -0.0), "horizons": (5, 0),
        },
        events.Transferred: {"ts": 1, "transfer": events.Transfer(1, "t", "USDT", Decimal("-0.10"), "TRANSFER_OUT")},
        events.Watched: {"ts": 1, "symbol": 1},
        events.Clock: {"ts": 1},
    }  # fmt: skip
    if kind is events.ReadResult:
        parts: dict[str, Any] = {
            name: (sample(each),) for name, each in (("orders", events.OrderReport), ("fills", events.Fill))
        }
        return kind(
            ts=1,
            id="r",
            outcome=events.Outcome.CONFIRMED,
            asked_ts=0,
            wallet=sample(events.WalletReport),
            **parts,
        )
    return kind(**given[kind])


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in get_args(events.Event)
        if kind not in (MarketRows, events.MarketAhead, events.Backfill)
    ],
)
def test_an_event_comes_back_equal_digit_for_digit(kind: type) -> None:
    event = sample(kind)
    back = unpack_event(pack(event))
    assert back == event
    assert repr(back) == repr(event)


def test_bars_and_rows_come_back_byte_for_byte(tmp_path: Path) -> None:
    bars = np.ones(3, BAR)
    made = recorder(tmp_path)
    made.step(events.Backfill(1, 0, bars), ())
    made.step(MarketRows(2, 1, rows(5)), ())
    made.step(MarketRows(3, 0, rows(1)), ())
    made.close()
    found = [step.event for step in steps(tmp_path)]
    assert found[0].bars.tobytes() == bars.tobytes()
    assert [(event.ts, event.symbol, event.rows.tobytes()) for event in found[1:]] == [
        (2, 1, rows(5).tobytes()),
        (3, 0, rows(1).tobytes()),
    ]


def test_commands_are_recorded_as_they_are_at_their_step(tmp_path: Path) -> None:
    live = {"stop": Decimal("1.10")}
    made = recorder(tmp_path)
    made.step(Clock(1), [Persist(1, "k", live), ORDER, Note(1, "n", fields={"figure": np.float64(0.1)})])
    live["stop"] = Decimal(2)
    made.step(Clock(2), (), "ValueError: no")
    made.close()
    one, two = steps(tmp_path)
    persisted, placed, noted = (unpack_command(packed) for packed in one.commands)
    assert persisted == ("Persist", {"ts": 1, "key": "k", "value": {"stop": "1.10"}})
    assert (placed[0], placed[1]["qty"]) == ("PlaceOrder", "0.0010")
    assert noted[1]["fields"] == {"figure": 0.1}
    assert (two.commands, two.error) == ([], "ValueError: no")


def test_the_policy_of_a_life_can_be_made_again() -> None:
    policy = Policy(belief=Belief.MEASURED, target_assets=("BTC", "SOL"), turbo_max_hold=1801)
    life = Life(
        instruments=universe(), policy=policy, boot="b", start_ts=1, restored={"counts": {"trades": 1}}
    )
    begin = begin_of(life, full=False)
    assert Policy.from_env(begin.policy) == policy
    assert begin.restored is not None
    assert unpack(begin.restored) == {"counts": {"trades": 1}}
    assert begin.instruments == universe()


def test_an_order_is_on_its_way_to_the_disk_at_once(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.step(Clock(1), [ORDER])
    until = time.monotonic() + 10
    while not segments(tmp_path / FOLDER) or not steps(tmp_path):
        assert time.monotonic() < until
        time.sleep(0.01)
    made.close()


def test_files_belong_to_the_user_alone(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.step(Clock(1), [ORDER])
    made.close()
    (path,) = segments(tmp_path / FOLDER)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def block(first: int, size: int = 2_000) -> Steps:
    return Steps(first, 1, os.urandom(size), b"", b"")


def test_segments_rotate_by_size_and_by_age(tmp_path: Path) -> None:
    now = [0.0]
    keep = Keep(free=0, segment=5_000, segment_s=60)
    restored = {OUTCOMES: {"rows": np.zeros(1, OUTCOME)}}
    begin = begin_of(replace(LIFE, restored=restored), full=False)
    made = Segments(tmp_path, begin, keep, lambda: now[0])
    for first in range(4):
        made.append(block(first))
    by_size = len(segments(tmp_path))
    now[0] = 61.0
    made.append(block(4))
    made.close()
    assert by_size >= 2
    assert len(segments(tmp_path)) == by_size + 1
    begins = [next(read_blocks(path, Torn())) for path in segments(tmp_path)]
    assert [begin.segment for begin in begins] == list(range(by_size + 1))  # type: ignore[union-attr]
    assert begins[-1].first == 4
    kept = [bool(begin.restored) or bool(begin.outcomes) for begin in begins]  # type: ignore[union-attr]
    assert kept == [True] + [False] * by_size  # what the life was restored from is of the first alone


def test_the_oldest_segments_go_by_age_and_by_size(tmp_path: Path) -> None:
    keep = Keep(free=0, segment=5_000, size=20_000, days=1)
    made = Segments(tmp_path, begin_of(LIFE, full=False), keep)
    for first in range(20):
        made.append(block(first))
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 20_000 + 5_000
    newest = segments(tmp_path)[-1]
    for path in segments(tmp_path):
        os.utime(path, (0, 0))
    for first in range(20, 23):
        made.append(block(first))
    made.close()
    assert newest not in segments(tmp_path)


def test_a_full_disk_is_said_counted_and_over_when_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, full, usual = [0.0], [False], os.write

    def write(file: int, data: Any) -> int:
        if full[0]:
            usual(file, bytes(data)[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return usual(file, data)

    monkeypatch.setattr(os, "write", write)
    made = Segments(tmp_path, begin_of(LIFE, full=False), Keep(free=0), lambda: now[0])
    made.append(block(0))
    full[0] = True
    made.append(block(1))
    assert "No space left" in made.failed
    full[0] = False
    made.append(block(2))  # not tried again so soon
    assert made.left_out == 2
    now[0] = 6.0
    made.append(block(3))
    made.close()
    assert not made.failed
    torn = [Torn(), Torn()]
    found = [
        read for path, each in zip(segments(tmp_path), torn, strict=True) for read in read_blocks(path, each)
    ]
    assert [read.first for read in found if isinstance(read, Steps)] == [0, 3]
    assert not any(each.why for each in torn)


def test_the_room_that_the_journal_needs_is_left_free(tmp_path: Path) -> None:
    made = Segments(tmp_path, begin_of(LIFE, full=False), Keep(free=10**18))
    made.append(block(0))
    assert "are free" in made.failed
    assert not segments(tmp_path)


def test_an_error_of_its_own_ends_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> bytes:
        raise ValueError("odd")

    monkeypatch.setattr(writing, "framed", broken)
    made = Recorder(tmp_path / FOLDER, Keep(free=0), patient=True)
    made.begin(LIFE)
    for n in range(600):
        made.step(Clock(n), [ORDER])
    made.close()
    assert "ValueError: odd" in made.failed
    assert made.left_out == 600


def test_a_disk_that_stands_still_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate: queue.Queue[None] = queue.Queue()
    monkeypatch.setattr(writing, "framed", lambda block: gate.get() or framed(block))
    made = recorder(tmp_path)
    began = time.monotonic()
    for n in range(2_000):
        made.step(Clock(n), [ORDER])
    assert time.monotonic() - began < 5
    assert made.left_out > 1_000
    for _ in range(2_000):
        gate.put(None)
    made.close()
    (life,) = recorded_lives(tmp_path)
    kept = len(list(life.steps()))
    assert kept < 1_000
    assert life.hole is not None
    assert life.hole.step == kept


def test_what_never_began_is_closed_like_any_other(tmp_path: Path) -> None:
    Recorder(tmp_path / FOLDER, Keep(free=0)).close()
    assert not (tmp_path / FOLDER).exists()


def test_outcomes_of_forecasts_that_a_life_began_with_come_back(tmp_path: Path) -> None:
    outcomes = np.zeros(3, OUTCOME)
    outcomes["ts"] = (1, 2, 3)
    restored = {"counts": {"trades": 1}, OUTCOMES: {"rows": outcomes}}
    made = Recorder(tmp_path / FOLDER, Keep(free=0))
    made.begin(replace(LIFE, restored=restored))
    made.step(Clock(1), ())
    made.close()
    (life,) = recorded_lives(tmp_path)
    found = life.restored()
    assert found is not None
    assert found["counts"] == {"trades": 1}
    assert found[OUTCOMES]["rows"].tobytes() == outcomes.tobytes()
    life.begin = msgspec.structs.replace(life.begin, outcome=[["another", "<f8"]])
    with pytest.raises(
        InputError, match=f"{life.paths[0].name}: outcomes of forecasts in the fields of version"
    ):
        life.restored()


def test_steps_carry_their_frames_and_only_rows_come_from_them(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    found = rows(2)
    made.frame(7, b"raw", found)
    made.step(MarketRows(2, 1, found), ())
    made.step(MarketRows(3, 1, rows(1)), ())
    made.step(Clock(4), ())
    made.close()
    assert [(step.number, len(step.frames), step.from_wire) for step in steps(tmp_path)] == [
        (0, 1, True), (1, 0, False), (2, 0, False),
    ]  # fmt: skip


def test_a_folder_without_a_recording_says_how_to_have_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recording; RECORD="):
        recorded_lives(tmp_path)


def test_a_segment_whose_process_died_in_its_first_block_hides_no_other(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.step(Clock(1), ())
    made.close()
    (whole,) = segments(tmp_path / FOLDER)
    torn = whole.with_name("00000002-abcd1235.rec")
    torn.write_bytes(whole.read_bytes()[:12])
    assert [life.paths for life in recorded_lives(tmp_path)] == [[whole]]
    damaged = bytearray(whole.read_bytes())
    damaged[20] ^= 255
    torn.write_bytes(damaged)
    with pytest.raises(InputError, match=torn.name):
        recorded_lives(tmp_path)

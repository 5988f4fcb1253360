"""A recorded session gives the same commands when it is replayed, and the first event at which anything differs is shown."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.recorded_session import OFTEN, run

from turbo_trader.journal.codec import pack, unpack_command
from turbo_trader.journal.recorded import RecordedLife, recorded_lives
from turbo_trader.journal.recording_format import (
    FOLDER,
    HEAD,
    SUFFIX,
    End,
    Steps,
    Torn,
    framed,
    read_blocks,
    segments,
)
from turbo_trader.journal.segments import Keep
from turbo_trader.live.daemon_settings import Record
from turbo_trader.market import frame_json
from turbo_trader.market.errors import InputError
from turbo_trader.rules import entry
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.replay import verify
from turbo_trader.trader import entries
from turbo_trader.trader.commands import Note


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("session")
    for _ in range(2):
        summary = run(folder)
        assert not summary.failed
        assert summary.trader["trades"] > 0
    return folder


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(recorded / FOLDER, tmp_path / FOLDER)
    return tmp_path


def first(folder: Path) -> RecordedLife:
    return recorded_lives(folder)[0]


def commands(life: RecordedLife) -> list[str]:
    return [unpack_command(packed)[0] for step in life.steps() for packed in step.commands]


def rewrite(path: Path, change: Any) -> None:
    """The segment with each block of steps as `change` makes it."""
    blocks = [change(block) if isinstance(block, Steps) else block for block in read_blocks(path, Torn())]
    path.write_bytes(HEAD + b"".join(framed(block) for block in blocks if block is not None))


@pytest.mark.long
def test_every_life_of_a_session_is_decided_again_the_same(recorded: Path) -> None:
    lives = recorded_lives(recorded)
    assert len(lives) == 2
    for life in lives:
        found = verify(life)
        assert found.difference is None
        assert not found.missing
        assert found.ended
        assert found.steps > 300
        assert found.commands == len(commands(life)) > 50
    assert {"PlaceOrder", "Scanned", "Persist", "Note", "Read", "SetLeverage"} <= set(commands(lives[0]))


def test_a_second_start_is_restored_from_what_the_first_one_kept(recorded: Path) -> None:
    before, after = (life.restored() for life in recorded_lives(recorded))
    assert before is not None
    assert after is not None
    assert "session" not in before
    assert after["session"]


@pytest.mark.parametrize(("name", "value"), [("ENTRY_SLIP_MAX", "0.0001"), ("TURBO_MAX_HOLD", "90")])
def test_one_other_number_of_the_policy_shows_its_first_event(recorded: Path, name: str, value: str) -> None:
    found = verify(first(recorded), Policy.from_env({**OFTEN, name: value}))
    assert found.difference is not None
    assert found.difference.recorded != found.difference.replayed
    assert found.difference.step == found.steps


def test_one_other_number_in_the_code_shows_the_event_and_both_sides(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = entry.entry_limit
    tick = first(recorded).begin.instruments[0].tick
    monkeypatch.setattr(entries, "entry_limit", lambda *given: usual(*given) - tick)
    found = verify(first(recorded)).difference
    assert found is not None
    step = next(step for step in first(recorded).steps() if step.number == found.step)
    assert step.event.ts == found.ts
    assert type(step.event).__name__ in found.event
    assert (found.event, found.recorded.split("=")[0]) == ("Clock", "leverage symbol")
    assert found.recorded != found.replayed


def test_the_rows_come_from_the_wire_where_frames_are_recorded(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = first(recorded)
    assert any(step.from_wire for step in life.steps())
    monkeypatch.setattr(frame_json, "RPI", 1)
    assert verify(life).difference is None
    monkeypatch.setattr(frame_json, "FINE", 9_999)  # another unit of mark prices
    found = verify(life).difference
    assert found is not None
    assert found.recorded.startswith("row 0 ")


@pytest.mark.long
def test_decisions_alone_need_no_frames(tmp_path: Path) -> None:
    run(tmp_path, Record.DECISIONS, seconds=30)
    life = first(tmp_path)
    assert not any(step.frames for step in life.steps())
    assert verify(life).difference is None


def test_nothing_is_recorded_unless_asked_for(tmp_path: Path) -> None:
    run(tmp_path, Record.OFF, seconds=5)
    assert not (tmp_path / FOLDER).exists()
    with pytest.raises(InputError, match="no recording"):
        recorded_lives(tmp_path)


@pytest.mark.long
def test_a_recording_changes_no_decision(recorded: Path, tmp_path: Path) -> None:
    summary = run(tmp_path, Record.OFF)
    life = first(recorded)
    trades = [
        fields["fields"]["net"]
        for step in life.steps()
        for name, fields in map(unpack_command, step.commands)
        if name == "Note" and fields["name"] == "trade"
    ]
    assert summary.trader["trades"] == len(trades)


def test_a_torn_tail_is_passed_over_and_said(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    whole = path.read_bytes()
    for cut in (1, 9, 200):
        path.write_bytes(whole[:-cut])
        found = verify(first(session))
        assert found.difference is None
        assert not found.missing
        assert not found.ended
        assert path.name in found.torn


def test_damage_in_the_middle_ends_what_can_be_verified(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    data = bytearray(path.read_bytes())
    whole = verify(first(session)).steps
    data[len(data) * 9 // 10] ^= 1
    path.write_bytes(data)
    found = verify(first(session))
    assert found.difference is None
    assert "checksum" in found.missing
    assert 0 < found.steps < whole


def test_steps_that_were_left_out_are_a_hole_and_no_difference(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    blocks = [block for block in read_blocks(path, Torn()) if isinstance(block, Steps)]
    lost = blocks[len(blocks) // 2]
    rewrite(path, lambda block: None if block == lost else block)
    found = verify(first(session))
    assert found.difference is None
    assert found.missing == f"{lost.count:,} steps were left out"
    assert found.steps == lost.first


def test_steps_left_out_at_the_end_are_a_hole_too(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    last = [block for block in read_blocks(path, Torn()) if isinstance(block, Steps)][-1]
    rewrite(path, lambda block: None if block == last else block)
    assert "left out" in verify(first(session)).missing


def test_a_recorded_command_that_the_code_does_not_give_is_a_difference(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    note = pack(Note(1, "trade", fields={"net": "1"}))
    at = next(step for step in first(session).steps() if step.commands)

    def change(block: Steps) -> Steps:
        packed = at.commands[0]
        if packed not in block.records:
            return block
        longer = block.records.replace(
            len(packed).to_bytes(4, "little") + packed, len(note).to_bytes(4, "little") + note, 1
        )
        return Steps(block.first, block.count, longer, block.rows, block.frames)

    rewrite(path, change)
    found = verify(first(session)).difference
    assert found is not None
    assert found.step == at.number
    assert found.recorded.startswith("Note")


@pytest.mark.long
def test_segments_of_a_life_are_read_as_one(tmp_path: Path) -> None:
    run(tmp_path, seconds=60, keep=Keep(segment=5_000, free=0))
    assert len(segments(tmp_path / FOLDER)) > 1
    found = verify(first(tmp_path))
    assert found.difference is None
    assert not found.missing
    assert found.ended


def test_a_life_whose_beginning_is_gone_cannot_be_verified(tmp_path: Path) -> None:
    run(tmp_path, seconds=60, keep=Keep(segment=5_000, free=0))
    segments(tmp_path / FOLDER)[0].unlink()
    with pytest.raises(InputError, match="is not there any more"):
        verify(first(tmp_path))


def test_other_files_and_formats_are_refused_by_name(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    whole = path.read_bytes()
    path.write_bytes(HEAD[:-1] + bytes([9]) + whole[len(HEAD) :])
    with pytest.raises(InputError, match="recorded in format 9; this version reads format 1"):
        recorded_lives(session)
    path.write_bytes(b"something else" + whole)
    with pytest.raises(InputError, match="not a recording"):
        recorded_lives(session)


def test_a_segment_that_a_death_left_empty_is_passed_over(session: Path) -> None:
    for length in (0, 5):
        (session / FOLDER / f"00000009-dead{SUFFIX}").write_bytes(HEAD[:length])
        assert len(recorded_lives(session)) == 2


def test_a_block_of_a_kind_from_the_future_is_refused(session: Path) -> None:
    path = segments(session / FOLDER)[0]
    unknown = framed(End(1)).replace(b"\xa3end", b"\xa3new")
    body = unknown[8:]
    path.write_bytes(
        path.read_bytes() + len(body).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little") + body
    )
    with pytest.raises(InputError, match="this version cannot read"):
        verify(first(session))

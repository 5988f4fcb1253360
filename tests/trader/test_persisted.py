"""What survives a restart is a value with a schema; rows of the version before are brought to this one, with all they knew."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.journal import readers
from turbo_trader.journal.encoding import encode
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.rules.fingerprint import fingerprint
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Persist, Read
from turbo_trader.trader.guard_interventions import damaged, guard_rules, interventions
from turbo_trader.trader.pending_entry import EntryState
from turbo_trader.trader.persisted import SCHEMA, TYPES, WORLD, UnreadableState, decode, plain, upgraded
from turbo_trader.trader.state_keys import Key, parted

D = Decimal
#: Written by the commit before the schema had a version, under SIZE=earned as `paper:7`: a position of AAAUSDT in zone 1, an entry
#: of BBBUSDT of unknown outcome and one given up, a trade stopped out, a person's halt, two drawdown pauses, a warning.
VERSION_1 = (Path(__file__).parent / "journal_version_1.sql").read_text()
WRITTEN_AT = 1_728_046_866_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.executescript(VERSION_1)
    return tmp_path


def rows_of(folder: Path) -> dict[str, Any]:
    return readers.state(folder)


@pytest.fixture
def resumed(folder: Path, staged: Any) -> Any:
    """A Trader that opens that journal five seconds later."""
    journal = Journal(folder, ("AAAUSDT", "BBBUSDT"), now=lambda: WRITTEN_AT)
    restored = {**(journal.restored() or {}), WORLD: {"name": "paper:7"}, "boots": {"nonces": ["b1"]}}
    policy = Policy.from_env({"SIZE": "earned"})
    written = next(key for key in restored if parted(key)[0] is Key.STAGES)
    restored[Key.STAGES.of("paper:7", fingerprint(policy))] = restored.pop(
        written
    )  # rules of the same name since then
    made = staged(boot="b2", restored=restored, policy=policy, now=WRITTEN_AT + 5 * 10**9)
    made.journal = journal
    return made


def test_a_position_of_version_one_goes_on_behind_its_stop(resumed: Any) -> None:
    state = resumed.state()
    assert (state.held, state.bracket.zone, state.bracket.stop) == (D("0.1"), 1, D("100.19"))
    assert (state.trade.entry, state.trade.stage, state.trade.fees) == (D("100.03"), "scout", D("0.01"))
    resumed.recover("999.917", positions=(resumed.position("0.1", "100.19", "101.54"),))
    assert (resumed.state().blocks.frozen, resumed.stops, resumed.closes) == ("", [], [])


def test_halts_pauses_and_warnings_of_version_one_hold(resumed: Any) -> None:
    session = resumed.inside._state.session
    assert session.halts == {"halt": "halted by command"}
    assert (session.pauses, session.losses, session.warned) == (2, 1, ["drawdown"])
    assert session.paused(resumed.now)
    assert (session.start_equity, session.realised) == (D(1005), D("-0.086"))
    assert resumed.trader.refusal == "halted: halted by command"


def test_books_counts_and_evidence_of_version_one_go_on(resumed: Any) -> None:
    state = resumed.inside._state
    ledger = state.ledger
    assert (ledger.start, ledger.results, ledger.fees, ledger.funding) == (
        1000,
        D("-0.053"),
        D("0.03"),
        D("-0.003"),
    )
    assert list(ledger.seen) == ["e1", "e2", "e3", "e4"]
    assert (state.counts["trades"], state.counts["losses"], state.counts["A"], state.evidence.trades) == (
        1,
        1,
        1,
        1,
    )
    assert resumed.state(1).stopped_out == {1: 1_728_043_261_000_000_000}
    stages = resumed.inside._staging._stages
    assert (stages.tiers["A"].evidence.real, stages.tiers["A"].fills) == (1, 1)
    assert (stages.budget.base, stages.budget.net) == (D(1000), D("-0.073"))


def test_entries_of_version_one_are_looked_up_and_their_fills_ours(resumed: Any) -> None:
    state = resumed.state(1)
    assert (state.entry.id, state.entry.state) == ("tt-b1-7-entry", EntryState.UNKNOWN)
    assert state.unresolved == "an entry of unknown outcome"
    assert [each.state for each in state.ended.values()] == [EntryState.ENDED]
    resumed.clock(1)
    assert resumed.all(Read, link_id="tt-b1-7-entry")
    resumed.deliver(resumed.fill("tt-b1-5-entry", 1, "0.1", "100.03", s=1, exec_id="late"))
    assert (resumed.state(1).held, resumed.state(1).blocks.frozen) == (D("0.1"), "")


def test_the_first_step_writes_every_row_in_the_new_layout(resumed: Any, folder: Path) -> None:
    before = rows_of(folder)
    for command in resumed.clock():
        if isinstance(command, Persist):
            resumed.journal.persist(command)
    resumed.journal.commit()
    resumed.journal.close(resumed.now, "test")
    after = rows_of(folder)
    assert after.keys() >= before.keys() | {Key.SCHEMA}
    assert after[Key.SCHEMA] == {"version": SCHEMA}
    assert upgraded(after) == after
    assert decode(after).current
    assert after["entry:BBBUSDT"]["state"] == "sent"
    assert (folder / f"{FILE}.v1").exists()


def test_the_guard_protects_by_rows_of_either_version(resumed: Any, folder: Path) -> None:
    bare = resumed.position("0.1", None)
    for rows in (rows_of(folder), upgraded(rows_of(folder))):
        assert damaged(rows) == []
        found = interventions(
            [bare], [], rows, ["b1"], WRITTEN_AT, gone_ns=10**9, rules=guard_rules(Policy())
        )
        assert [(each.what, each.stop) for each in found] == [("protect", D("100.19"))]


def test_a_journal_without_state_gets_the_version_at_its_first_step(staged: Any) -> None:
    made = staged()
    made.clock()
    assert made.kept[Key.SCHEMA] == {"version": SCHEMA}
    again = made.restart()
    again.clock()
    assert not again.all(Persist, key=Key.SCHEMA.value)


def test_rows_of_a_newer_version_are_refused() -> None:
    with pytest.raises(UnreadableState, match=r"schema: version 99 of a newer turbo-trader, this one reads"):
        decode({"schema": {"version": 99}, "session": {"day": "no number there"}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("session", {"halts": "all of them"}),
        ("ledger", {"start": "a lot"}),
        ("counts", {"counts": {"trades": "7 or so"}}),
        ("position:BTCUSDT", {"held": "0.1"}),
        ("entry:BTCUSDT", {"id": "x", "state": "sleeping"}),
        ("ended:BTCUSDT", {"entries": [{}]}),
        ("stopped-out:BTCUSDT", {"times": {"up": 5}}),
        ("budget:paper:7", {"day": 1}),
        ("stages:paper:7:beef", {"tiers": {"A": {"stage": "champion"}}}),
        ("schema", {"version": "two"}),
    ],
)
def test_a_row_that_does_not_fit_is_one_line_that_names_it(key: str, value: Any) -> None:
    with pytest.raises(UnreadableState, match=f"^{key}: ") as error:
        decode({"schema": {"version": SCHEMA}, key: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["entry:BTCUSDT", "ended:BTCUSDT", "counts", "stopped-out:BTCUSDT"])
def test_a_row_of_version_one_that_makes_no_sense_is_named_too(key: str) -> None:
    with pytest.raises(UnreadableState, match=f"^{key}: "):
        decode({key: [1, 2]})  # type: ignore[dict-item]


def test_what_is_persisted_is_a_value(stage: Any) -> None:
    """Changing the position, the session or the books afterwards changes no command that was given before."""
    stage.hold()
    commands = [each for each in stage.given if isinstance(each, Persist)]
    before = [encode(each.value) for each in commands]
    state = stage.inside._state
    state.session.halts["test"] = "afterwards"
    state.session.history.append({})
    state.ledger.seen["afterwards"] = None
    state.counts["trades"] += 1
    stage.state().bracket.stop = D(1)
    stage.state().trade.fees = D(1)
    assert [encode(each.value) for each in commands] == before
    assert {type(each.value) for each in commands} == {dict}


def test_every_row_that_is_persisted_is_in_the_schema(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -sent.side, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    kinds = {parted(each.key)[0] for each in stage.given if isinstance(each, Persist)}
    assert None not in kinds
    assert {
        Key.SCHEMA,
        Key.SESSION,
        Key.LEDGER,
        Key.TOTALS,
        Key.POSITION,
        Key.ENTRY,
        Key.STOPPED_OUT,
    } <= kinds
    assert TYPES.keys() == set(Key)


@given(st.dictionaries(st.sampled_from([1, -1]), st.integers(0, 2**60)), st.integers(0, 10**6))
def test_records_survive_a_journal(times: dict[int, int], trades: int) -> None:
    rows = {
        "stopped-out:BTCUSDT": {"times": times},
        "counts": {"counts": {"trades": trades}},
        "schema": {"version": SCHEMA},
    }
    kept = decode(json.loads(encode(rows)))
    assert kept.stopped_out["BTCUSDT"].times == times
    assert kept.totals.counts == {"trades": trades}
    assert plain(kept.totals) == json.loads(encode(kept.totals))


def test_every_row_is_plain_json_when_it_is_persisted(stage: Any) -> None:
    """What is compared with the rows of the journal is what stands in them."""
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    rows = {row.key: row.value for row in stage.all(Persist)}
    assert rows["stopped-out:AAAUSDT"] == {"times": {"1": stage.now}}
    assert json.loads(json.dumps(rows)) == rows


def test_only_rows_of_the_state_are_taken_for_such() -> None:
    assert decode({"boots": {"nonces": ["b1"]}}).rows.keys() <= {Key.SCHEMA}

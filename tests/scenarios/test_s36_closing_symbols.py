"""S36, S37: a symbol that closes, is renamed, or gets other limits, a new tick or step, while the daemon runs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.journal import readers
from turbo_trader.market.instruments import resolve
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.account_gates import LimitFacts
from turbo_trader.rules.gate import BLOCK, Verdict
from turbo_trader.trader import events
from turbo_trader.trader.commands import Read, Regridded

D = Decimal


def changed(stage: Any, s: int = 0, **fields: Any) -> Any:
    """The venue's instrument becomes this."""
    known = stage.state(s).next_instrument or stage.state(s).instrument
    stage.deliver(events.InstrumentUpdate(stage.now, replace(known, **fields)))
    return stage.state(s)


def _pass_all(*given: Any) -> bool:
    given[7]["blocker"] = -1
    return True


@pytest.mark.parametrize("fields", [{"status": "Closed"}, {"status": "Delivering"}, {"delivery_ns": 1 << 61}])
def test_s36_a_closing_symbol_gets_no_entries_and_its_position_is_managed_on(
    stage: Any, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = stage.hold()
    for _ in range(3):
        state = changed(stage, **fields)
    assert not state.instrument.open_for_entries
    assert len(stage.notes("not-trading")) == 1
    assert state.bracket is not None
    assert state.held == sent.qty
    stage.quote("100.60", "100.61", mark="100.60")
    assert stage.stops  # its stop is still moved
    seen: list[LimitFacts] = []

    def look(tier: Any, facts: LimitFacts, *rest: Any) -> Verdict:
        seen.append(facts)
        return Verdict(BLOCK)

    monkeypatch.setattr("turbo_trader.trader.scanning.limits_gate", look)
    monkeypatch.setattr("turbo_trader.trader.scanning.assess_all", _pass_all)
    stage.clock(301)
    assert [facts.tradable for facts in seen] == [False, True]


def test_s36_a_barred_symbol_gets_no_entry_until_its_instrument_is_read_again(
    stage: Any,
) -> None:
    sent = stage.enter()
    reads = len(stage.all(Read))
    stage.deliver(
        events.CommandResult(
            ts=stage.now,
            id=sent.id,
            outcome=events.Outcome.REJECTED,
            code=30228,
            message="delisting",
            barred=True,
        )
    )
    assert stage.state().unresolved == "the venue takes no entries: 30228 delisting"
    stage.clock(1)
    assert len(stage.all(Read)) == reads + 1  # what we knew did not hold: the snapshot is read at once
    changed(stage)
    assert stage.state().unresolved == ""


def test_s36_a_position_is_closed_before_the_symbol_is_delivered(stage: Any) -> None:
    stage.hold()
    changed(stage, delivery_ns=stage.now + 1_000 * SECOND)
    stage.clock(99)
    assert not stage.closes
    stage.clock(2)
    (close,) = stage.closes
    assert close.reduce_only
    assert stage.state().close.reason == "delisting"


async def test_s36_an_old_name_starts_with_one_notice(shells: Any, tmp_path: Path) -> None:
    assert (resolve("maticusdt"), resolve("RNDRUSDT")) == ("POLUSDT", "RENDERUSDT")
    from turbo_trader.live.startup import read_instruments

    class Gateway:
        async def read(self, call: Any) -> Any:
            from turbo_trader.bybit.answers import Answer
            from turbo_trader.bybit.venue_errors import classify

            rows = [{**shells.INFO, "symbol": call.params["symbol"]}] if "instruments" in call.method else []
            return Answer(classify(0), 0, "", 0, {"list": rows})

    reported_of: list[Any] = []
    gateway: Any = Gateway()
    found = await read_instruments(
        gateway,
        ["MATICUSDT", "POLUSDT", "RNDRUSDT"],
        lambda name, level, fields: reported_of.append((name, fields)),
    )
    assert [item.symbol for item in found] == ["POLUSDT", "RENDERUSDT"]
    assert reported_of == [
        ("renamed", {"configured": "MATICUSDT", "symbol": "POLUSDT"}),
        ("renamed", {"configured": "RNDRUSDT", "symbol": "RENDERUSDT"}),
    ]


async def test_s36_a_symbol_that_vanishes_while_running_is_closed_to_entries(
    shells: Any, make_venue: Any, tmp_path: Path
) -> None:
    venue = shells.Simulated(make_venue(("BTCUSDT",)))

    def script(trader: Any, event: Any) -> list[Any]:
        if len(trader.events) == 1:
            venue.relist(status="Closed")  # reads of tradable instruments have it no more
        return []

    trader = shells.Scripted(script)
    summary = await shells.run(venue, trader, tmp_path, refresh_s=0.2, duration_s=0.7)
    assert not summary.failed
    updates = trader.of(events.InstrumentUpdate)
    assert {update.instrument.status for update in updates} == {"Closed"}
    assert not readers.notes(tmp_path, "failed")


def test_s37_limits_and_tiers_are_taken_up_at_once(stage: Any) -> None:
    stage.hold()
    state = changed(stage, max_qty=D(7), min_notional=D(6), max_leverage=D(20))
    instrument = state.instrument
    assert (instrument.max_qty, instrument.min_notional, instrument.max_leverage) == (7, 6, 20)
    assert state.next_instrument is None


def test_s37_a_new_tick_waits_until_the_symbol_is_flat(stage: Any) -> None:
    sent = stage.hold()
    state = changed(stage, tick=D("0.05"), max_qty=D(7))
    assert (state.instrument.tick, state.instrument.max_qty) == (D("0.01"), 7)
    assert state.unresolved == "its tick or step changed"
    assert not stage.all(Regridded)
    stage.deliver(stage.fill("", -1, sent.qty, "100", closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))
    assert state.instrument.tick == D("0.05")
    assert state.unresolved == ""
    (regridded,) = stage.all(Regridded)
    assert (regridded.symbol, regridded.instrument.tick) == (0, D("0.05"))
    assert float(stage.trader.states["tick"][0]) == 0.05
    assert stage.trader.states["book_valid"][0] == 0  # the book was in the old units
    assert stage.trader.states["book_valid"][1] == 1
    assert len(stage.notes("grid-changed")) == len(stage.notes("grid-taken-up")) == 1


def test_s37_a_new_step_on_a_flat_symbol_is_taken_up_at_once(stage: Any) -> None:
    state = changed(stage, step=D("1"))
    assert state.instrument.step == 1
    stage.wait(3)
    assert len(stage.all(Regridded)) == 1


def test_s37_stops_go_by_a_coarser_tick_while_the_position_stands(stage: Any) -> None:
    stage.hold()
    changed(stage, tick=D("0.05"))
    stage.quote("100.60", "100.61", mark="100.60")
    assert stage.stops
    assert all(change.stop_loss % D("0.05") == 0 for change in stage.stops)


def test_s37_a_stop_that_was_refused_for_its_tick_is_sent_on_the_new_one(stage: Any) -> None:
    sent = stage.hold()
    stage.quote("100.60", "100.61", mark="100.60")
    refused = stage.stops[-1]
    assert refused.stop_loss % D("0.05")
    stage.answer(refused, "rejected", 10001)
    changed(stage, tick=D("0.05"))
    standing = stage.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit))
    stage.read(stage.last(Read), positions=(standing,))
    again = stage.stops[-1]
    assert again.stop_loss % D("0.05") == 0
    assert 0 < again.stop_loss - refused.stop_loss < D("0.05")
    assert not stage.closes


def test_s37_a_price_between_two_old_ticks_is_watched_from_beyond(stage: Any) -> None:
    stage.hold()
    state = changed(stage, tick=D("0.025"))
    level = state.bracket.next_level
    watched = int(stage.trader.states["watch_high"][0]) * state.instrument.tick
    assert level <= watched < level + state.instrument.tick


def test_s37_a_tick_that_changes_back_needs_nothing(stage: Any) -> None:
    stage.hold()
    changed(stage, tick=D("0.05"))
    state = changed(stage, tick=D("0.01"))
    assert state.next_instrument is None
    assert state.unresolved == ""
    stage.clock(1)
    assert not stage.all(Regridded)


async def test_s37_the_daemon_reads_rows_in_the_new_units(
    shells: Any, make_venue: Any, tmp_path: Path
) -> None:
    venue = shells.Simulated(make_venue(("BTCUSDT",)))
    made: list[Decimal] = []

    def script(trader: Any, event: Any) -> list[Any]:
        if len(trader.events) == 1:
            venue.relist(tick=D("0.05"))
        if isinstance(event, events.InstrumentUpdate) and not trader.of(events.InstrumentUpdate)[1:]:
            return [Regridded(event.ts, 0, event.instrument)]
        return []

    def decoder(instruments: Any) -> Any:
        made.append(instruments[0].tick)
        return shells.OneTrade()

    trader = shells.Scripted(script)
    await shells.run(venue, trader, tmp_path, refresh_s=0.4, duration_s=2.5, decoder=decoder)
    assert (made[0], made[-1]) == (D("0.1"), D("0.05"))
    backfills = [event for event in trader.events if isinstance(event, events.Backfill)]
    assert len(backfills) == 2
    assert [status.up for status in trader.of(events.StreamStatus) if status.stream == "public"] == [
        True,
        False,
        True,
    ]

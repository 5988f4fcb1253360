"""What the oracle makes of the journal's rows and notes by themselves."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from turbo_trader.chaos.notes_check import Made, Notes
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.session_rows_check import SessionRows
from turbo_trader.chaos.violations import Violated
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control

NOON = 20_000 * DAY + DAY // 2
BEGUN: dict[str, Any] = {
    "day": 20_000, "started_ns": NOON, "start_equity": "100", "peak": "100", "equity": "100", "realised": "0",
    "paused_until_ns": 0, "halts": {}, "flattening": False, "losses": 0,
}  # fmt: skip


def world() -> Any:
    """An empty account of 100 USDT, at noon; a journal with nothing in it."""
    made = World(Policy())
    process = SimpleNamespace(journal=SimpleNamespace(kept=lambda _: None), clock_error=0)
    exchange = SimpleNamespace(wallet=lambda _: Decimal(100))
    simulation: Any = SimpleNamespace(now=NOON, uid="test", exchange=exchange, process=process)
    made.simulation = simulation
    return made


@pytest.fixture
def rows() -> SessionRows:
    """A session that has begun."""
    seen = world()
    made = SessionRows(seen, Requests(seen, lambda _: True))
    written(made)
    return made


def written(rows: SessionRows, seconds: int = 0, **changes: Any) -> None:
    """A row of the session so many seconds after noon."""
    rows.command(Persist(NOON + seconds * SECOND, "session", {**BEGUN, **changes}))


def asked(rows: SessionRows, verb: ControlVerb) -> None:
    rows.event(Control(NOON, verb, "owner"))


def note(rows: SessionRows, name: str, **fields: Any) -> None:
    rows.command(Note(NOON, name, "info", fields))


def test_a_persons_halt_goes_by_resume_alone(rows: SessionRows) -> None:
    asked(rows, ControlVerb.HALT)
    written(rows, halts={"halt": "owner"})
    asked(rows, ControlVerb.SESSION_NEW)
    with pytest.raises(Violated, match="does not lift it"):
        written(rows, started_ns=NOON + 1)


def test_what_was_lifted_is_gone(rows: SessionRows) -> None:
    written(rows, halts={"halt": "owner", "session loss": "lost"})
    asked(rows, ControlVerb.RESUME)
    written(rows, halts={"session loss": "lost"})
    asked(rows, ControlVerb.RESUME)
    with pytest.raises(Violated, match="does not lift it"):
        written(rows)


def test_a_halt_that_was_asked_for_is_in_the_next_row(rows: SessionRows) -> None:
    asked(rows, ControlVerb.HALT)
    with pytest.raises(Violated, match="halts nothing"):
        written(rows)


def test_a_pause_lasts_its_time(rows: SessionRows) -> None:
    until = NOON + 1_800 * SECOND
    written(rows, paused_until_ns=until)
    with pytest.raises(Violated, match="before its time"):
        written(rows, seconds=1_000)
    written(rows, seconds=1_801)


def test_a_pause_of_half_its_time_is_seen(rows: SessionRows) -> None:
    with pytest.raises(Violated, match="another length"):
        written(rows, paused_until_ns=NOON + 900 * SECOND)


def test_the_start_moves_with_transfers_alone(rows: SessionRows) -> None:
    note(rows, "transfer", coin="USDT", amount=Decimal(7))
    written(rows, start_equity="107", peak="107")
    with pytest.raises(Violated, match="moves without a transfer"):
        written(rows, start_equity="108", peak="108")


def test_a_session_begins_at_midnight_where_nothing_holds_the_old_one(rows: SessionRows) -> None:
    begun = {"day": 20_001, "started_ns": NOON + DAY // 2}
    written(rows, halts={"session loss": "lost"})
    with pytest.raises(Violated, match="without a reason"):
        written(rows, DAY // 2 // SECOND, halts={"session loss": "lost"}, **begun)


def test_what_the_session_has_realised_is_what_its_fills_made(rows: SessionRows) -> None:
    written(rows, realised="-1.5")
    note(rows, "fill", result=Decimal(-1), fee=Decimal("0.5"))
    written(rows, realised="-2.5")
    with pytest.raises(Violated, match="not that of its fills"):
        note(rows, "fill", result=Decimal(-1), fee=Decimal("0.5"))


def test_a_losing_streak_is_that_of_the_trades(rows: SessionRows) -> None:
    note(rows, "trade", id="e", qty=Decimal(1), net=Decimal(-1))
    written(rows, losses=1)
    note(rows, "trade", id="e", qty=Decimal(1), net=Decimal(0))
    with pytest.raises(Violated, match="losing streak"):
        written(rows, losses=0)


def test_a_reached_session_loss_halts(rows: SessionRows) -> None:
    with pytest.raises(Violated, match="nothing is halted"):
        written(rows, equity="80")


NOTED: dict[str, Any] = {
    "id": "e", "direction": 1, "qty": Decimal(2), "entry": Decimal(100), "exit": Decimal(99), "tier": "A", "result": Decimal(-2),
    "fees": Decimal("0.2"), "funding": Decimal(0), "net": Decimal("-2.2"), "net_fraction": -0.011, "reason": "stop",
    "seconds": 60, "honest_ev": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": -1}, {"exit": Decimal(100)}, {"tier": "B"}, {"net": Decimal(-2)}, {"reason": "backstop"}, {"seconds": 1},
        {"funding": Decimal("-0.1"), "net": Decimal("-2.3"), "net_fraction": -0.0115}, {"net_fraction": -0.01}, {"honest_ev": 0.1},
    ],
)  # fmt: skip
def test_a_trade_is_noted_as_the_venue_has_it(wrong: dict[str, Any]) -> None:
    seen = world()
    notes = Notes(seen, Requests(seen, lambda _: True))
    notes._rows["e"] = {"tier": 2, "ev": 0.0}
    notes._made["e"] = [
        Made(
            "e", 1, NOON, NOON + 60 * SECOND, qty=Decimal(2), opened=Decimal(200), closed_qty=Decimal(2), closed=Decimal(198),
            ends={"stop"},
        )
    ]  # fmt: skip
    notes.command(Note(NOON, "trade", "info", NOTED))
    with pytest.raises(Violated, match="noted otherwise"):
        notes.command(Note(NOON, "trade", "info", {**NOTED, **wrong}))

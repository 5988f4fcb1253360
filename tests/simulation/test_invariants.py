"""The judge finds planted bugs: each is put into the Trader, and a short chaos run must end with the violation it leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.chaos import OFTEN, Chaos
from turbo_trader.simulation.faults import parse_faults
from turbo_trader.trader.booking import Booking
from turbo_trader.trader.commands import PlaceOrder
from turbo_trader.trader.desk import Desk
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.events import Outcome
from turbo_trader.trader.guarding import Guarding
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.resting import Resting
from turbo_trader.trader.scanning import Scanner


def found(
    faults: str, seeds: int = 4, hours: float = 1.0, rules: dict[str, str] | None = None
) -> dict[str, Any]:
    """The first violation of some seeds."""
    play = Chaos(universe()[:3], Policy.from_env({**OFTEN, **(rules or {})}), parse_faults(faults), hours)
    for seed in range(1, 1 + seeds):
        violation = play.play(seed)["violation"]
        if violation is not None:
            assert violation["seed"] == seed
            assert violation["last"]
            return dict(violation)
    return {"name": "nothing", "what": ""}


def test_a_stop_that_is_not_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guarding, "require_stop", lambda self, desk: None)
    violation = found("stop_removed=20")
    assert violation["name"] == "must not last"
    assert violation["what"].startswith("stop of")


def test_an_entry_sent_again_when_its_outcome_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Entries._send

    def on_result(self: Entries, desk: Any, result: Any) -> None:
        if desk.entry is not None and result.outcome is Outcome.UNKNOWN:
            send(self, desk, desk.entry)

    monkeypatch.setattr(Entries, "on_result", on_result)
    assert found("lost=0.4")["name"] == "sent twice"


def test_an_entry_sent_again_under_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    give = Desk.give

    def twice(self: Desk, command: Any) -> None:
        give(self, command)
        if isinstance(command, PlaceOrder) and not command.reduce_only:
            give(self, replace(command, id=command.id.replace("-entry", "-again")))

    monkeypatch.setattr(Desk, "give", twice)
    assert found("none")["name"] == "two opens"


def test_fills_booked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Ledger.add

    def blind(self: Ledger, fill: Any, result: Any) -> bool:
        self.seen.pop(fill.exec_id, None)
        return add(self, fill, result)

    monkeypatch.setattr(Ledger, "add", blind)
    assert found("duplicate=0.5")["name"] != "nothing"


def test_positions_forgotten_at_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    restore = Recovery.restore

    def forgetful(self: Recovery, kept: dict[str, Any]) -> None:
        restore(self, {key: value for key, value in kept.items() if not key.startswith("position:")})

    monkeypatch.setattr(Recovery, "restore", forgetful)
    violation = found("crash=6")
    assert violation["name"] == "must not last"
    assert violation["what"].endswith("frozen") or violation["what"].startswith("size of")


def test_entries_forgotten_at_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entries, "save", lambda self, desk: None)
    assert found("crash_at_send=0.5", hours=0.5)["name"] in ("must not last", "trades not told")


def test_a_position_left_open_past_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guarding, "close", lambda self, desk, reason: None)
    assert found("none")["name"] in ("must not last", "spinning", "not flat at the end")


def test_entries_while_halted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "_limits", lambda self, desk, tier: not desk.unresolved and not desk.open)
    assert found("person=10")["name"] in ("entry refused", "too many positions")


def test_a_trade_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Booking.end

    def again(self: Booking, desk: Any, ts: int) -> None:
        trade = desk.trade
        end(self, desk, ts)
        desk.trade = trade
        end(self, desk, ts)

    monkeypatch.setattr(Booking, "end", again)
    assert found("none")["name"] == "trade told twice"


def test_an_order_that_nobody_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Resting, "withdraw", lambda self, desk, why: None)
    violation = found("none", rules={"ENTRY_STYLE": "maker"})
    assert violation["name"] == "must not last"
    assert violation["what"].startswith("order tt-")


def test_an_exception_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Recovery, result: Any) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(Recovery, "on_read", broken)
    violation = found("none", seeds=1, hours=0.1)
    assert violation["name"] == "exception"
    assert "planted" in violation["error"]
    assert "broken" in violation["trace"]


def test_nothing_planted_nothing_found() -> None:
    assert found("light", seeds=1, hours=0.5)["name"] == "nothing"

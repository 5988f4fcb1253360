"""SIZE=earned as real processes: stages come and go with the market's edge alone, outlive SIGKILL, and sizes keep to section 7.

Fills of the two days before are in the journal, as an earlier life leaves them. The suite has the first step; the whole arc, for
hours of the venue's time: `scripts/test tests/process/test_daemon_stages.py -m slow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.journal.store import Journal
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.rules.fingerprint import fingerprint
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import Stage, Stages, stage_rules, to_dict
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Persist
from turbo_trader.trader.state_keys import Key

MIDNIGHT = 20_459 * DAY
HOUR = 60 * MINUTE
SPEED = 30.0
EDGE = 4.0
CHEAP = {
    i.symbol: i for i in universe() if i.symbol in ("XRPUSDT", "DOGEUSDT", "ADAUSDT", "POLUSDT", "ARBUSDT")
}
#: Every number of sections 7 and 7a by default; trades short and many, so that hours have what else takes days. Books and entries
#: may be older: venue time runs fast.
SHORT = {
    "SIZE": "earned", "TURBO_HORIZON": "60", "TURBO_MAX_HOLD": "60", "HOLD_FACTOR": "1", "COOLDOWN_HORIZONS": "0",
    "MICRO_TURBO_SIGNAL_INTERVAL": "5", "OU_THRESHOLD": "0", "OFI_THRESHOLD": "0", "KALMAN_WARMUP": "5",
    "STALE_BOOK": "30", "ENTRY_RECV_WINDOW": "10000",
}  # fmt: skip

LiveOn = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def lives(live_on: LiveOn) -> Iterator[Any]:
    """An account of 14 USDT on a market with an edge, half an hour before midnight."""
    market = SyntheticMarket([*CHEAP.values()], 1, MIDNIGHT - 30 * MINUTE, EDGE)
    with live_on(market, Decimal(14), SPEED, rules=SHORT) as found:
        yield found


def begin(lives: Any) -> Any:
    """A life that has taken over."""
    known = len(lives.notes("recovered"))
    life = lives.begin(36_000)
    lives.wait(lambda: len(lives.notes("recovered")) > known)
    return life


def killed(lives: Any, life: Any) -> None:
    """SIGKILL."""
    life.kill()
    assert lives.end(life) is None


def stages(lives: Any) -> dict[str, str]:
    found: dict[str, str] = lives.ask("status")["view"]["stages"]
    return found


def changes(lives: Any) -> list[tuple[str, str, str]]:
    """(tier, before, after) of every change of a stage."""
    return [(note["tier"], note["before"], note["stage"]) for note in lives.notes("stage")]


def leave_fills(journal: Path, ts: int, count: int) -> None:
    """What an earlier life leaves that had so many good fills of tier A on the two days before."""
    policy = Policy.from_env({**SHORT, "TARGET_ASSETS": ",".join(CHEAP)})
    found = Stages(stage_rules(policy))
    for fill in range(count):
        began = ts - 2 * DAY + fill * HOUR
        found.on_real("A", Stage.SCOUT, began, began + MINUTE, 0.003, Decimal("0.015"))
    key = Key.STAGES.of(f"testnet:1:{fingerprint(policy)}")  # of the account and the rules
    writer = Journal(journal, tuple(CHEAP), "testnet", now=lambda: ts)
    writer.persist(Persist(ts, key, to_dict(found)))
    writer.commit()
    writer.close(ts, "the earlier life is over")


def check_sizes(lives: Any) -> None:
    """Every entry so far against the rows of section 7 and what its stage allows, in arithmetic of its own."""

    def richest(venue: Venue) -> Decimal:
        account = next(iter(venue.exchange.accounts.values()))
        wallet = highest = Decimal(0)
        for entry in account.log:
            wallet += entry.change
            highest = max(highest, wallet)
        return highest * Decimal("1.02")  # and what was unrealised

    equity: Decimal = lives.served.call(richest)
    earned_on = [note["ts"] // DAY for note in lives.notes("stage") if note["stage"] == "earned"]
    for note in lives.notes("entry"):
        item, qty, price = CHEAP[note["symbol"]], Decimal(note["qty"]), Decimal(note["limit"])
        notional, leverage = qty * price, Decimal(note["leverage"])
        loss = notional * (Decimal(note["stop_loss_pct"]) / 100 + Decimal("0.0011"))
        assert loss <= equity * (Decimal("0.10") if note["tier"] == "A" else Decimal("0.05"))
        assert notional / leverage <= equity * (Decimal("0.4") if equity < 20 else Decimal("0.5"))
        assert 1 <= leverage <= 50
        if note["stage"] == "scout":
            assert qty == item.min_qty or (qty - item.step) * price <= Decimal("5.1")
        else:
            assert note["stage"] == "earned"
            assert notional <= 5 * 2 ** (1 + note["ts"] // DAY - earned_on[0])
    assert lives.served.call(most_at_once) <= 3


def most_at_once(venue: Venue) -> int:
    """How many positions were ever open together."""
    account = next(iter(venue.exchange.accounts.values()))
    held: dict[str, Decimal] = {}
    most = 0
    for execution in account.executions:
        if execution.kind != "Funding":
            held[execution.symbol] = held.get(execution.symbol, Decimal(0)) + execution.side * execution.qty
            most = max(most, sum(1 for size in held.values() if size))
    return most


def entered(lives: Any, stage: str, since: int = 0) -> bool:
    """Has an entry been sent at this stage, after the first `since` entries?"""
    return any(note["stage"] == stage for note in lives.notes("entry")[since:])


@pytest.mark.process
def test_an_earned_stage_outlives_kill_nine_and_its_sizes_keep_to_section_seven(lives: Any) -> None:
    leave_fills(lives.journal, lives.now(), 40)
    first = begin(lives)
    lives.wait(lambda: changes(lives))
    assert changes(lives) == [("A", "scout", "earned")]
    lives.wait(lambda: entered(lives, "earned"), 300)
    killed(lives, first)
    known = len(lives.notes("entry"))
    second = begin(lives)
    assert stages(lives) == {"A": "earned", "B": "scout"}
    lives.wait(lambda: entered(lives, "earned", known), 300)
    assert len(changes(lives)) == 1
    assert not lives.unguarded()
    check_sizes(lives)
    killed(lives, second)


@pytest.mark.slow
def test_with_the_edge_alone_switched_the_stages_come_and_go(lives: Any) -> None:
    # slow: hours of the venue's time
    leave_fills(lives.journal, lives.now(), 25)  # thirty it takes
    life = begin(lives)
    lives.wait(lambda: entered(lives, "scout"))
    assert stages(lives)["A"] == "scout"
    killed(lives, life)
    life = begin(lives)
    lives.wait(lambda: ("A", "scout", "earned") in changes(lives), 1_800)
    lives.wait(lambda: entered(lives, "earned"), 600)
    killed(lives, life)
    life = begin(lives)
    assert stages(lives)["A"] == "earned"
    lives.served.call(lambda venue: venue.source.set_edge(0.0))
    lives.wait(lambda: ("A", "earned", "scout") in changes(lives), 3_600)
    killed(lives, life)
    life = begin(lives)
    assert stages(lives)["A"] != "earned"
    lives.wait(lambda: stages(lives)["A"] == "shadow", 3_600)
    killed(lives, life)
    known = len(lives.notes("entry"))
    life = begin(lives)
    assert stages(lives)["A"] == "shadow"
    then = lives.now()
    lives.wait(lambda: lives.now() > then + 10 * MINUTE)
    assert all(note["tier"] != "A" for note in lives.notes("entry")[known:])
    assert not lives.unguarded()
    check_sizes(lives)
    killed(lives, life)

"""Checks of the oracle by themselves: what they allow, so that nothing right is taken for a violation."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from turbo_trader.chaos.money import Money
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.rhythm_check import Rhythm
from turbo_trader.chaos.session_check import SessionLimits
from turbo_trader.chaos.size_check import Sizes
from turbo_trader.chaos.violations import Violated
from turbo_trader.chaos.wire_requests import Order
from turbo_trader.chaos.world import World
from turbo_trader.exchange.messages import ExecutionMessage
from turbo_trader.market.order_terms import ExecKind, Side
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Note, Scanned
from turbo_trader.trader.events import CommandResult, Outcome

ZERO = Decimal(0)
ENTRY = Order(
    link_id="e", symbol="BTCUSDT", side=1, qty=Decimal(1), kind="Limit", time_in_force="IOC", price=Decimal(1),
    reduce_only=False, stop=Decimal(1), take_profit=Decimal(1), triggers=(), window_ms=1000,
)  # fmt: skip


def world(*, quiet: bool) -> Any:
    """A world with an empty venue, at time 0."""
    made = World(Policy(), quiet=quiet)
    exchange = SimpleNamespace(wallet=lambda _: Decimal(100))
    simulation: Any = SimpleNamespace(now=0, uid="test", exchange=exchange)
    made.simulation = simulation
    return made


def execution(ts: int, symbol: str, side: int, pnl: str, closed: int) -> ExecutionMessage:
    return ExecutionMessage(
        ts=ts, symbol=symbol, exec_id="e", order_id="o", link_id="l", side=Side(side), price=Decimal(100), qty=Decimal(1), fee=ZERO,
        fee_rate=ZERO, kind=ExecKind.TRADE, is_maker=False, closed_qty=Decimal(closed), pnl=Decimal(pnl), order_price=None,
        order_qty=Decimal(1), leaves=ZERO, order_type="Market", stop_type="", create_type="", mark_price=ZERO,
        index_price=ZERO, seq=1,
    )  # fmt: skip


def fewest_and_most(results: list[tuple[int, str]], *, quiet: bool) -> tuple[int, int]:
    """Losses in a row after trades that ended at these seconds with these results, a minute after the last."""
    seen = world(quiet=quiet)
    sizes = Sizes(seen, SessionLimits(seen))
    for number, (at, pnl) in enumerate(results):
        for side, closed in ((1, 0), (-1, 1)):
            seen.simulation.now = at * SECOND
            message = execution(at * SECOND, f"S{number}", side, pnl if closed else "0", closed)
            seen.message(message)
            sizes.message(message)
    seen.simulation.now += 60 * SECOND
    return sizes.known_losses()


def test_a_win_and_a_loss_of_one_moment_may_be_heard_in_any_order() -> None:
    assert fewest_and_most([(100, "-1"), (200, "2"), (200, "-1"), (300, "-1")], quiet=False) == (1, 2)
    assert fewest_and_most([(100, "-1"), (200, "-1"), (200, "2"), (300, "-1")], quiet=False) == (1, 2)


def test_losses_far_from_a_win_are_counted_exactly() -> None:
    assert fewest_and_most([(100, "2"), (200, "-1"), (300, "-1"), (400, "-1")], quiet=False) == (3, 3)


def test_where_every_message_comes_at_once_the_order_is_the_venues() -> None:
    assert fewest_and_most([(100, "-1"), (200, "2"), (203, "-1"), (300, "-1")], quiet=True) == (2, 2)


def scanned(rhythm: Rhythm, at: int, tier: int) -> None:
    rows: Any = np.zeros(1, [("capital_tier", "i8")])
    rows["capital_tier"] = tier
    simulation: Any = rhythm.world.simulation
    simulation.now = at * SECOND
    rhythm.command(Scanned(at * SECOND, rows))


def test_the_first_scan_of_a_capital_tier_comes_when_the_last_tier_said() -> None:
    seen = world(quiet=True)
    rhythm = Rhythm(seen, Requests(seen, lambda _: True), None)
    scanned(rhythm, 60, 0)
    scanned(rhythm, 90, 1)  # every 30 s until now, every 60 s from here on
    scanned(rhythm, 120, 1)
    with pytest.raises(Violated, match="long after its boundary"):
        scanned(rhythm, 150, 1)


@pytest.mark.parametrize(
    ("cancel_type", "reason", "allowed"),
    [
        ("CancelAllBeforeAdl", "EC_NoError", True),
        ("UNKNOWN", "EC_Others", True),  # the balance does not carry it any more
        ("CancelByUser", "EC_PerCancelRequest", False),
    ],
)
def test_an_order_of_others_may_go_only_by_the_venues_own_hand(
    cancel_type: str, reason: str, allowed: bool
) -> None:
    seen = world(quiet=True)
    seen.simulation.exchange.open_orders = lambda _: []
    seen.foreign["by-hand-1"] = "BTCUSDT"
    gone = SimpleNamespace(link_id="by-hand-1", cancel_type=cancel_type, reject_reason=reason)
    seen.simulation.exchange.accounts = {seen.simulation.uid: SimpleNamespace(orders={"o": gone})}
    requests = Requests(seen, lambda _: True)
    if allowed:
        requests.finish()
    else:
        with pytest.raises(Violated, match="orders of others are gone"):
            requests.finish()


def sent_entry(requests: Requests) -> None:
    """An entry of BTCUSDT leaves now."""
    simulation: Any = requests.world.simulation
    simulation.process = SimpleNamespace(journal=SimpleNamespace(failed=""), skew=0)
    requests.sent(ENTRY)


def given_up(requests: Requests, at: int) -> None:
    simulation: Any = requests.world.simulation
    simulation.now = at * SECOND
    requests.command(Note(at * SECOND, "entry-ended", "info", {"id": "e", "why": "not found"}))


def test_an_entry_without_an_answer_is_given_up_only_after_its_window() -> None:
    seen = world(quiet=False)
    requests = Requests(seen, lambda _: True)
    sent_entry(requests)
    with pytest.raises(Violated, match="while it may yet fill"):
        given_up(requests, 7)
    given_up(requests, 12)


def test_an_entry_that_the_venue_refused_may_be_given_up_at_once() -> None:
    seen = world(quiet=False)
    requests = Requests(seen, lambda _: True)
    sent_entry(requests)
    requests.event(CommandResult(ts=SECOND, id="e", outcome=Outcome.REJECTED, code=10002, message=""))
    given_up(requests, 1)


@pytest.mark.parametrize(
    ("side", "book", "highest"),
    [
        (1, ("99.96", "100.5"), "100.00"),  # since the last note the bid may have stood at the mark
        (-1, ("99.5", "100.04"), "100.00"),
        (1, ("99.70", "100.5"), "99.70"),  # so far from it the closable price counts
        (1, ("100.20", "100.5"), "100.00"),  # and never more than the mark
    ],
)
def test_a_book_near_the_mark_may_have_stood_at_it_between_two_notes(
    side: int, book: tuple[str, str], highest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = world(quiet=True)
    position = SimpleNamespace(symbol="BTCUSDT", size=Decimal(side), entry_price=Decimal(100))
    monkeypatch.setattr(World, "held", lambda _: iter([position]))
    monkeypatch.setattr(World, "touch", lambda *_: (Decimal(book[0]), Decimal(book[1])))
    monkeypatch.setattr(World, "mark", lambda *_: Decimal(100))
    money = Money(seen)
    fee = seen.policy.taker_fee
    price = min(Decimal(100), Decimal(book[0])) if side > 0 else max(Decimal(100), Decimal(book[1]))
    low, high = money.equities(1)
    assert low == seen.balance + side * (price - 100) - price * fee
    assert high == seen.balance + side * (Decimal(highest) - 100) - price * fee

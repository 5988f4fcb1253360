"""The judge of a chaos run: sees both machines, and says at once when something that must never be is so.

Times of grace count only while the process lives, does not stand still and hears the private stream: before that it cannot know.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.mortal import Mortal
from turbo_trader.simulation.weather import Weather
from turbo_trader.trader.commands import Command, Note, Persist, PlaceOrder, Resolved, Scanned
from turbo_trader.trader.events import Backfill, Clock, Event, Fill, MarketRows, PositionReport, Report
from turbo_trader.trader.ids import ours
from turbo_trader.trader.view import View

#: A lost message is made good by the next whole picture (30 s), the stop's change may go unanswered (7 s) a few times.
UNPROTECTED: Final = 90 * SECOND
#: Two agreeing pictures, each of which may fail for a while.
DISAGREEING: Final = 4 * MINUTE
LOOK: Final = 5 * SECOND
KEPT: Final = 60  # events and commands told with a violation


class Violated(Exception):
    """An invariant does not hold; `fields` say where and when."""

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(f"{name}: {fields}")
        self.name = name
        self.fields = fields


@dataclass(slots=True)
class Held:
    """A position as the venue has it."""

    size: Decimal = Decimal(0)
    opener: str = ""  # link id of the order that opened it
    bare_since: int = 0  # without a stop since; 0: it has one, or there is nothing


class Judge:
    """A sink that watches. `weather` is set once it exists."""

    weather: Weather

    def __init__(self, policy: Policy) -> None:
        self.last: deque[tuple[int, Event | Command | Report]] = deque(maxlen=KEPT)
        self.trades = 0
        self.entries = 0
        self.notes: dict[str, int] = {}
        self._policy = policy
        self._sent: set[str] = set()
        self._held: dict[str, Held] = {}
        self._odd: dict[str, int] = {}  # what disagrees -> since when
        self._due = 0
        self._heard_since = 0

    # -- the Trader's side

    def event(self, event: Event) -> None:
        """The Trader was told."""
        if not isinstance(event, Clock | MarketRows | Backfill):
            self.last.append((event.ts, event))

    def command(self, command: Command) -> None:
        """The Trader has asked for something, and it was done."""
        if isinstance(command, Scanned | Resolved | Persist):
            return
        self.last.append((getattr(command, "ts", 0), command))
        if isinstance(command, Note):
            self.notes[command.name] = self.notes.get(command.name, 0) + 1
            self.trades += command.name == "trade"
        elif isinstance(command, PlaceOrder):
            if command.id in self._sent:
                raise Violated("sent twice", id=command.id, symbol=command.symbol)
            self._sent.add(command.id)
            self.entries += not command.reduce_only

    # -- the venue's side

    def report(self, report: Report) -> None:
        """The venue says so, whether or not anybody hears it."""
        if isinstance(report, Fill) and report.kind == "Trade":
            self._on_fill(report)
        elif isinstance(report, PositionReport):
            held = self._held.setdefault(report.symbol, Held())
            held.size = report.size
            if not report.size or report.stop_loss is not None:
                held.bare_since = 0
            elif not held.bare_since:
                held.bare_since = report.ts

    def _on_fill(self, fill: Fill) -> None:
        if fill.qty <= fill.closed_qty:
            return
        held = self._held.setdefault(fill.symbol, Held())
        if held.size and held.opener != fill.link_id:
            raise Violated("two opens", symbol=fill.symbol, first=held.opener, second=fill.link_id)
        held.opener = fill.link_id
        held.size += fill.side * (fill.qty - fill.closed_qty)

    # -- both

    def look(self, simulation: Mortal) -> None:
        """Compare, every few simulated seconds."""
        now = simulation.now
        if now < self._due:
            return
        self._due = now + LOOK
        since, living = simulation.private_since, simulation.living
        if living is None or since is None or simulation.venue_down:
            self._heard_since = 0
            self._odd.clear()
            return
        self._heard_since = self._heard_since or now
        known = max(self._heard_since, since)
        for symbol, held in self._held.items():
            if held.bare_since and now - max(held.bare_since, known) > UNPROTECTED:
                raise Violated("no stop", symbol=symbol, size=held.size, since=held.bare_since)
        self._compare(simulation, living.view(), known)

    def _compare(self, simulation: Mortal, view: View, known: int) -> None:
        now = simulation.now
        ours_held = {each.symbol: each.direction * each.qty for each in view.positions}
        odd: dict[str, str] = {}
        for symbol, held in self._held.items():
            size = ours_held.get(symbol, Decimal(0))
            if size != held.size:
                odd[f"size of {symbol}"] = f"venue {held.size}, trader {size}"
        for order in simulation.exchange.open_orders(simulation.uid):
            if ours(order.link_id):
                odd[f"order {order.link_id}"] = f"open on {order.symbol}"
        for symbol, why in view.frozen.items():
            odd[f"frozen {symbol}"] = why
        self._odd = {name: self._odd.get(name, now) for name in odd}
        for name, began in self._odd.items():
            if now - max(began, known) > DISAGREEING:
                raise Violated("disagreement", what=name, found=odd[name], since=began)

    def finish(self, simulation: Mortal) -> None:
        """At the end, with everything quiet: flat, nothing open, the books exact."""
        trader, exchange, uid = simulation.living, simulation.exchange, simulation.uid
        if trader is None:
            raise Violated("not alive at the end")
        held = {p.symbol: p.size for p in exchange.accounts[uid].positions.values() if p.size}
        if held:
            raise Violated("not flat at the end", held=held)
        orders = [order.link_id for order in exchange.open_orders(uid)]
        if orders:
            raise Violated("orders at the end", orders=orders)
        summary = trader.summary()
        if summary["open_positions"] or trader.view().frozen:
            raise Violated(
                "not quiet at the end", open=summary["open_positions"], frozen=trader.view().frozen
            )
        wallet = exchange.wallet(uid)
        if summary["wallet"] != wallet or summary["transfers"] != self.weather.transferred:
            raise Violated(
                "books",
                wallet=wallet,
                ledger=summary["wallet"],
                transfers=summary["transfers"],
                transferred=self.weather.transferred,
            )

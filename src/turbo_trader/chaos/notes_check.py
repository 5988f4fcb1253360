"""I5: what the journal tells of entries and trades, for `explain` and the report: each figure is the order's and the venue's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.bracket_check import passed_row
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.gates_check import A_TIER
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import ExecutionMessage, Message
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Command, Note

BY_VENUE: Final[Mapping[str, str]] = {"StopLoss": "stop", "TakeProfit": "backstop"}
NOT_OURS: Final = frozenset({"stop", "backstop", "outside", "liquidation", "adl", "delivery"})
JUST: Final = 3  # s: a report dated in the future is taken as of now
EXACT: Final = 1e-9
FIGURES: Final = ("used_p_tp", "used_ev", "p_tp", "ev", "snr", "confidence", "forecast")  # of its scan


@dataclass(slots=True)
class Made:
    """One trade, by the venue's executions."""

    opener: str
    direction: int
    opened_ts: int
    closed_ts: int = 0
    qty: Decimal = ZERO
    opened: Decimal = ZERO  # value
    closed_qty: Decimal = ZERO
    closed: Decimal = ZERO
    ends: set[str] = field(
        default_factory=set
    )  # what has closed it: "ours", or why the venue did; "?" = something else
    funding: list[Decimal] = field(default_factory=lambda: [ZERO])  # after each charge


class Notes(Check):
    """Notes of entries and of trades."""

    def __init__(self, world: World, requests: Requests) -> None:
        super().__init__(world)
        self._requests = requests
        self._rows: dict[str, Row] = {}  # by entry: its scan
        self._noted: dict[str, Mapping[str, Any]] = {}  # by entry: its note
        self._open: dict[str, Made] = {}  # by symbol
        self._made: dict[str, list[Made]] = {}  # by entry
        self._clock = 0  # the largest error of the process's clock, ns

    # -- the venue

    def message(self, message: Message) -> None:
        """What each trade is made of."""
        if not isinstance(message, ExecutionMessage):
            return
        made = self._open.get(message.symbol)
        if message.kind == ExecKind.FUNDING:
            if made is not None:
                made.funding.append(made.funding[-1] - message.fee)
            return
        opening = message.qty - message.closed_qty
        if message.closed_qty and made is not None:
            made.closed_qty += message.closed_qty
            made.closed += message.closed_qty * message.price
            made.closed_ts = message.ts
            made.ends.add(self._ended_by(message))
        if self.world.ends(message):
            self._open.pop(message.symbol, None)
        if opening > 0 and message.link_id in self._requests.entries:
            made = self._open.get(message.symbol)
            if made is None:
                made = self._open[message.symbol] = Made(message.link_id, int(message.side), message.ts)
                self._made.setdefault(message.link_id, []).append(made)
            made.qty += opening
            made.opened += opening * message.price

    def _ended_by(self, fill: ExecutionMessage) -> str:
        if fill.kind == ExecKind.TRADE and fill.stop_type in BY_VENUE:
            return BY_VENUE[fill.stop_type]
        return "ours" if fill.link_id in self._requests.sent_ids else "?"

    # -- entries

    def sent(self, sent: Sent) -> None:
        """An entry leaves: its note says the same."""
        self._clock = max(self._clock, abs(self.world.simulation.process.clock_error))
        if not isinstance(sent, Order) or sent.reduce_only:
            return
        row = self._rows[sent.link_id] = passed_row(self.world, sent)
        noted = self._noted.pop(sent.link_id, None)
        assert sent.price is not None
        assert sent.stop is not None
        wanted: dict[str, Any] = {
            "symbol": sent.symbol, "direction": sent.side, "qty": sent.qty, "limit": sent.price, "stop": sent.stop,
            "backstop": sent.take_profit, "tier": "A" if int(row["tier"]) == A_TIER else "B", "price": sent.price,
            "side": "long" if sent.side > 0 else "short", "leverage": self._leverage(sent.symbol),
            "size_usdt": round(sent.qty * sent.price, 2), **{name: row[name] for name in FIGURES},
            "take_profit_pct": round(100 * Decimal(repr(row["take_profit"])), 3),
            "stop_loss_pct": round(100 * Decimal(repr(row["stop_loss"])), 3),
        }  # fmt: skip
        self._agree("an entry is noted otherwise than it was sent", noted, wanted)

    def _leverage(self, symbol: str) -> Decimal:
        simulation = self.world.simulation
        return simulation.exchange.accounts[simulation.uid].position(symbol).leverage

    def _agree(self, what: str, noted: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> None:
        known = noted or {}
        wrong = {name: (known.get(name), value) for name, value in wanted.items() if known.get(name) != value}
        if wrong:
            raise Violated(Invariant.BOOKS, what, wrong=wrong, noted=noted)

    # -- trades

    def command(self, command: Command) -> None:
        """An entry is about to leave, or a trade has ended."""
        if not isinstance(command, Note):
            return
        if command.name == "entry":
            self._noted[str(command.fields["id"])] = command.fields
        elif command.name == "trade":
            self._trade(command.fields)

    def _trade(self, noted: Mapping[str, Any]) -> None:
        """Whatever the venue has executed of it by now is in it."""
        row, made = self._rows.get(noted["id"]), self._made.get(noted["id"], [])
        made = [each for each in made if each.closed_qty == each.qty]
        if row is None or not made:
            return  # that it is reported too early is seen in the books
        fits = [each for each in made if not self._wrong(noted, row, each)]
        if not fits:
            raise Violated(
                Invariant.BOOKS, "a trade is noted otherwise than it was", wrong=self._wrong(noted, row, made[-1]), noted=noted
            )  # fmt: skip

    def _wrong(self, noted: Mapping[str, Any], row: Row, made: Made) -> dict[str, Any]:
        seconds = (made.closed_ts - made.opened_ts) // SECOND
        wrong: dict[str, Any] = {}
        wanted: dict[str, Any] = {
            "direction": made.direction, "qty": made.qty, "entry": made.opened / made.qty,
            "tier": "A" if int(row["tier"]) == A_TIER else "B", "net": noted["result"] - noted["fees"] + noted["funding"],
        }  # fmt: skip
        outside = noted["reason"] == "outside"
        if not outside:
            wanted["exit"] = made.closed / made.closed_qty
        wrong = {name: (noted[name], value) for name, value in wanted.items() if noted[name] != value}
        if not outside and abs(noted["seconds"] - seconds) > JUST + self._clock / SECOND:
            wrong["seconds"] = noted["seconds"], seconds
        if noted["funding"] not in made.funding:
            wrong["funding"] = noted["funding"], made.funding
        if abs(noted["net_fraction"] - float(noted["net"] / made.opened)) > 1e-7:
            wrong["net_fraction"] = noted["net_fraction"], float(noted["net"] / made.opened)
        if made.ends <= set(BY_VENUE.values()) and not outside and noted["reason"] not in made.ends:
            wrong["reason"] = noted["reason"], made.ends
        if made.ends == {"ours"} and noted["reason"] in NOT_OURS:
            wrong["reason"] = noted["reason"], made.ends
        if noted["honest_ev"] is not None and abs(noted["honest_ev"] - row["ev"]) > EXACT:
            wrong["honest_ev"] = noted["honest_ev"], row["ev"]
        return wrong

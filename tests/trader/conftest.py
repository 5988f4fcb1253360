"""A Trader on a stage: events given by hand, the venue's answers scripted, entries forced by a scan row of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from turbo_trader.bybit.venue_errors import Kind, classify
from turbo_trader.journal.encoding import encode
from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import (
    FINE,
    FIRST,
    LAST,
    LEVEL,
    MARK,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.gate import TIER_A
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader import events
from turbo_trader.trader.commands import Command, Note, Persist, PlaceOrder, Read, SetLeverage, SetStops
from turbo_trader.trader.machine import Trader

NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND
D = Decimal
ZERO = D(0)
ROW_OF_A_LONG: dict[str, Any] = {
    "direction": 1, "warm": 1, "fresh": 1, "candidate": 1, "tier": TIER_A, "blocker": -1, "bid": 100.0, "ask": 100.01,
    "mid": 100.005, "spread": 0.0001, "range_tail": 0.004, "sigma": 0.0002, "hold_sigma": 0.0002,
    "forecast": 0.012, "se": 0.001, "snr": 12.0,
    "forecasts": 0.012, "errors": 0.001, "snrs": 12.0, "confidences": 0.95, "p_targets": 0.6, "evs": 0.004,
    "confidence": 0.95, "used_edge": 0.012, "used_confidence": 0.95, "horizon_s": 900.0, "hold_s": 900.0, "take_profit": 0.01,
    "stop_loss": 0.005, "cost": 0.0012, "p_tp": 0.6, "used_p_tp": 0.6, "ev": 0.004, "used_ev": 0.004, "min_ev": 0.001,
}  # fmt: skip


def instrument(symbol: str) -> Instrument:
    """Tick 0.01, step 0.1."""
    return Instrument(
        symbol, "Trading", D("0.01"), D("0.1"), D("0.1"), D(10_000), D(5_000), D(5), D("0.01"), D(100_000), D(50), D("0.01"),
        480, D("0.005"), D("0.05"), D("0.05"), tiers=simulated_tiers(D(50)),
    )  # fmt: skip


class Stage:
    """Tells events, keeps every command, and remembers what was persisted, as a shell would."""

    def __init__(
        self,
        *,
        boot: str = "b1",
        restored: dict[str, dict[str, Any]] | None = None,
        now: int = NOON,
        policy: Policy | None = None,
        symbols: tuple[str, ...] = ("AAAUSDT", "BBBUSDT"),
    ) -> None:
        # the averaged forecast, and every limit on: stages of the defaults give their own policy
        self.policy = policy or Policy(belief=Belief.WEIGHED, same_direction=D("0.30"), min_size_share=ZERO)
        self.boot = boot
        self.now = now
        self.kept: dict[str, dict[str, Any]] = dict(restored or {})
        self.given: list[Command] = []
        self.trader = Trader([instrument(name) for name in symbols], self.policy, boot, now, restored)
        self.inside: Any = self.trader
        self.rows: Any = None  # the scan rows of the last `decide`
        self._execs = 0
        self._seq = 0

    # -- telling

    def deliver(self, event: events.Event) -> list[Command]:
        """Handle one event; keeps the commands."""
        return self._keep(self.trader.handle(event))

    def _keep(self, commands: list[Command]) -> list[Command]:
        for command in commands:
            if isinstance(command, Persist):
                self.kept[command.key] = json.loads(encode(command.value))
        self.given += commands
        return commands

    def clock(self, seconds: float = 0) -> list[Command]:
        """Time passes by so much, then one Clock."""
        self.now += int(seconds * SECOND)
        return self.deliver(events.Clock(self.now))

    def wait(self, seconds: int) -> None:
        """Clock after clock, a second apart."""
        for _ in range(seconds):
            self.clock(1)

    def quote(self, bid: str, ask: str, s: int = 0, mark: str = "", lots: int = 100_000) -> list[Command]:
        """A new book of one level a side (and a mark)."""
        rows = np.zeros(4 if mark else 3, ROW)
        for row, (kind, side, price, size) in zip(
            rows,
            [(SNAPSHOT | FIRST, 0, ZERO, 0), (LEVEL, 1, D(bid), lots), (LEVEL | LAST, -1, D(ask), lots)],
            strict=False,
        ):
            row["kind"], row["side"], row["price"], row["lots"] = kind, side, int(price * 100), size
        if mark:
            rows[3]["kind"], rows[3]["price"] = MARK | WHOLE, int(D(mark) * 100)
            rows[3]["lots"] = int(D(mark) * 100 * FINE)
        rows["ts"] = self.now
        return self.deliver(events.MarketRows(self.now, s, cast("Rows", rows)))

    def trade(self, price: str, s: int = 0) -> list[Command]:
        """A print."""
        rows = np.zeros(1, ROW)
        rows["kind"], rows["side"], rows["lots"], rows["price"] = TRADE | WHOLE, 1, 1, int(D(price) * 100)
        rows["ts"] = self.now
        return self.deliver(events.MarketRows(self.now, s, cast("Rows", rows)))

    def wallet(self, balance: str) -> events.WalletReport:
        """A wallet without margin in use."""
        return events.WalletReport(self.now, D(balance), D(balance), ZERO, ZERO, ZERO)

    def position(
        self, size: str, stop: str | None = None, backstop: str | None = None, s: int = 0, **more: Any
    ) -> events.PositionReport:
        """The venue's report on a position, newer than all before it."""
        self._seq += 1
        given: dict[str, Any] = {"leverage": D(10), "liq_price": None, "seq": self._seq, **more}
        held = D(size)
        return events.PositionReport(
            ts=self.now, symbol=self.trader.symbols[s], size=held, entry_price=D(100) if held else None,
            stop_loss=D(stop) if stop else None, take_profit=D(backstop) if backstop else None, mark_price=None,
            margin=D(10), **given,
        )  # fmt: skip

    def fill(
        self,
        link: str,
        side: int,
        qty: str | Decimal,
        price: str,
        *,
        closed: str = "0",
        s: int = 0,
        **more: Any,
    ) -> events.Fill:
        """One execution with a new execution id."""
        self._execs += 1
        given: dict[str, Any] = {"exec_id": f"e{self._execs}", "fee": D("0.01"), "kind": "Trade", **more}
        return events.Fill(
            ts=given.pop("ts", self.now), symbol=self.trader.symbols[s], order_id="o", link_id=link, side=Side(side), qty=D(qty),
            price=D(price), closed_qty=D(closed), is_maker=False, seq=self._execs, **given,
        )  # fmt: skip

    def order(self, sent: PlaceOrder, status: str, filled: str | Decimal = "0") -> events.OrderReport:
        """The venue's report on an order of ours."""
        return events.OrderReport(
            ts=self.now,
            symbol=sent.symbol,
            order_id="o",
            link_id=sent.id,
            parent_link_id="",
            side=sent.side,
            qty=sent.qty,
            filled=D(filled),
            price=sent.price,
            avg_price=None,
            status=status,
            reduce_only=sent.reduce_only,
        )

    def answer(
        self, command: Any, outcome: str = "confirmed", code: int = 0, later: bool | None = None
    ) -> list[Command]:
        """The outcome of a wire command; `later` as the venue's client says of the code, unless given."""
        wait = classify(code).kind is Kind.TEMPORARY if later is None else later
        return self.deliver(
            events.CommandResult(
                ts=self.now,
                id=command.id,
                outcome=events.Outcome(outcome),
                code=code,
                message=outcome,
                later=wait,
            )
        )

    def read(
        self, read: Read, outcome: str = "confirmed", asked: int | None = None, **lists: Any
    ) -> list[Command]:
        """The answer to a read."""
        when = self.now if asked is None else asked
        return self.deliver(
            events.ReadResult(
                ts=self.now, id=read.id, outcome=events.Outcome(outcome), asked_ts=when, **lists
            )
        )

    # -- finding

    def all(self, kind: type[Any], **fields: Any) -> list[Any]:
        """Every command given so far of a kind, with these fields."""
        return [
            command for command in self.given
            if isinstance(command, kind) and all(getattr(command, name) == value for name, value in fields.items())
        ]  # fmt: skip

    def last(self, kind: type[Any], **fields: Any) -> Any:
        """The newest of them."""
        return self.all(kind, **fields)[-1]

    def notes(self, name: str) -> list[Note]:
        """Notes of a name."""
        return self.all(Note, name=name)

    @property
    def entries(self) -> list[PlaceOrder]:
        """Entries sent."""
        return self.all(PlaceOrder, purpose="entry")

    @property
    def closes(self) -> list[PlaceOrder]:
        """Closes sent."""
        return self.all(PlaceOrder, purpose="close")

    @property
    def stops(self) -> list[SetStops]:
        """Stop changes sent."""
        return self.all(SetStops)

    def state(self, s: int = 0) -> Any:
        """What the Trader knows of a symbol."""
        return self.inside._state.per_symbol[s]

    # -- playing

    def snapshot(
        self, balance: str = "1000", coins: dict[str, Decimal] | None = None, **lists: Any
    ) -> list[Command]:
        """Answer the newest read of the whole snapshot; `coins`: balances of other coins."""
        read = [each for each in self.all(Read) if "wallet" in each.what][-1]
        return self.read(read, wallet=replace(self.wallet(balance), coins=coins or {}), **lists)

    def log(self, *moves: events.Transfer) -> list[Command]:
        """Answer the newest read of the transaction log."""
        return self.read(self.last(Read, what=("transfers",)), transfers=moves)

    def move(self, amount: str, coin: str = "USDT", ts: int = 0, name: str = "t1") -> events.Transfer:
        """A line of the transaction log: money came or went."""
        kind = "TRANSFER_IN" if Decimal(amount) > 0 else "TRANSFER_OUT"
        return events.Transfer(ts or self.now, name, coin, Decimal(amount), kind)

    def recover(self, balance: str = "1000", **lists: Any) -> None:
        """Private stream up, the first snapshot answered, a book on every symbol."""
        self.deliver(events.StreamStatus(self.now, events.StreamKind.PRIVATE, True))
        self.clock()
        self.snapshot(balance, **lists)
        for s in range(len(self.trader.symbols)):
            self.quote("100.00", "100.01", s, mark="100.00")
        self.clock(1)

    def decide(
        self, s: int = 0, equity: str = "1000", gate: dict[str, float] | None = None, **figures: Any
    ) -> Any:
        """Force an entry through gate 9 by a hand-made scan row and gate figures; the verdict."""
        tier = self.policy.capital_tier(D(equity))
        rows = np.zeros(len(self.trader.symbols), SCAN)
        for name, value in {**ROW_OF_A_LONG, **figures}.items():
            rows[name] = value
        rows["forecasts"] = (rows["direction"] * np.abs(rows["forecast"]))[
            :, None
        ]  # every belief says the same
        rows["errors"] = rows["se"][:, None]
        gates = self.policy.gate_parameters(tier, D(equity), len(rows))
        for name, value in (gate or {}).items():
            gates[name] = value
        inside = self.inside
        verdict = inside._entries.decide(inside._state.per_symbol[s], rows, gates, tier, D(equity), D("0.5"))
        self._keep(inside._state.take())
        self.rows = rows
        return verdict

    def enter(self, s: int = 0, **figures: Any) -> PlaceOrder:
        """Decide, have the leverage confirmed; the entry as sent."""
        verdict = self.decide(s, **figures)
        assert self.state(s).entry is not None, verdict
        if self.state(s).entry is not None and not self.state(s).entry.sent_ts:
            self.answer(self.last(SetLeverage, symbol=self.trader.symbols[s]))
        return self.entries[-1]

    def hold(self, s: int = 0, **figures: Any) -> PlaceOrder:
        """Enter and be filled at the limit, with the attached stop on the venue."""
        sent = self.enter(s, **figures)
        self.answer(sent)
        self.deliver(self.fill(sent.id, sent.side, sent.qty, str(sent.price), s=s))
        size = str(sent.side * sent.qty)
        self.deliver(self.position(size, str(sent.stop_loss), str(sent.take_profit), s))
        return sent

    def restart(self, boot: str = "b2", seconds: float = 5) -> Stage:
        """Killed, and started again with what was persisted."""
        known = [*self.kept.get("boots", {}).get("nonces", []), self.boot]
        return Stage(
            boot=boot, restored={**self.kept, "boots": {"nonces": known}}, now=self.now + int(seconds * SECOND), policy=self.policy,
            symbols=self.trader.symbols,
        )  # fmt: skip


@pytest.fixture
def staged() -> Callable[..., Stage]:
    """A new stage; keyword arguments of `Stage`."""
    return Stage


@pytest.fixture
def stage() -> Stage:
    """A stage recovered with 1,000 USDT and a book of 100.00 / 100.01 on both symbols."""
    made = Stage()
    made.recover()
    return made

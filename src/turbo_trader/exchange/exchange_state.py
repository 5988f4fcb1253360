"""The Exchange's state: instruments, the market so far, accounts, and the messages sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from turbo_trader.exchange.accounts import Account, Position
from turbo_trader.exchange.footprints import Footprints
from turbo_trader.exchange.messages import Message, OrderMessage
from turbo_trader.exchange.orders import FINAL, Order
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import TriggerBy
from turbo_trader.market.rows import FINE, MINUTE, RATE
from turbo_trader.market.state import new_states

#: Taker and maker fee by VIP level: Bybit's base rates for perpetuals. Regions differ.
RATES: Final = tuple(
    (Decimal(taker), Decimal(maker))
    for taker, maker in (
        ("0.00055", "0.0002"), ("0.0004", "0.00018"), ("0.000375", "0.00016"), ("0.00035", "0.00014"),
        ("0.00032", "0.00012"), ("0.00032", "0.0001"),
    )
)  # fmt: skip

Bounds: TypeAlias = tuple[int, int, float, float, int, int, int]


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """What the venue charges and allows by default. Rates are fractions."""

    taker: Decimal = Decimal("0.00055")
    maker: Decimal = Decimal("0.0002")
    market_slippage: Decimal = Decimal("0.026")  # a market order reaches this far from the touch
    footprint_ns: int | None = (
        None  # how long fills stay taken from the book; None: until the tape writes the level again
    )
    keep_ns: int | None = None  # how long what is over is remembered (`retention`); None: for ever


class State:
    """Shared by all that works on it; `s` is an instrument's place in `instruments`, `now` is ns UTC."""

    def __init__(self, instruments: Sequence[Instrument], config: ExchangeConfig) -> None:
        self.instruments = tuple(instruments)
        self.config = config
        self.index = {instrument.symbol: s for s, instrument in enumerate(self.instruments)}
        # flow and volatility figures are the Trader's: this cursor keeps prices and book only
        self.states = new_states(
            self.instruments,
            flow_window_s=1,
            vol_half_life_min=1.0,
            slow_vol_half_life_min=1.0,
            jump_sigmas=1.0,
            jump_fraction=1.0,
        )
        self.footprints = Footprints(self.states, config.footprint_ns)
        self.accounts: dict[str, Account] = {}
        self.outbox: list[tuple[str, Message]] = []  # not drained yet
        self.ended: list[tuple[Account, Order]] = []  # orders that became final; for `retention`
        self.bounds: dict[
            int, Bounds
        ] = {}  # prices that matter, by symbol; forgotten with each change (`Watching`)
        self.halted: set[str] = set()  # symbols whose market stands still: new orders are refused
        self._numbers = 0

    def new_id(self) -> str:
        """The next id, shaped like the venue's uuids; deterministic."""
        self._numbers += 1
        return f"{self._numbers:08x}-0000-4000-8000-{self._numbers:012x}"

    def say(self, uid: str, message: Message) -> None:
        """Queue a message to an account's private channel."""
        self.outbox.append((uid, message))
        self.bounds.clear()
        if isinstance(message, OrderMessage):
            account = self.accounts[uid]
            order = account.orders[message.order_id]
            order.updated_ts = message.ts
            if message.status in FINAL:
                self.ended.append((account, order))

    def held(self) -> list[tuple[Account, Position, int]]:
        """The positions that are not flat, with account and symbol."""
        accounts = self.accounts.values()
        return [(a, p, self.index[p.symbol]) for a in accounts for p in a.held()]

    # -- the market of a symbol

    def mark(self, s: int) -> Decimal:
        """The mark price; the last price where the tape has no mark (never later beyond a level than a mean of last prices)."""
        price, instrument = float(self.states["mark"][s]), self.instruments[s]
        if price > 0:
            return instrument.tick * round(price / float(instrument.tick) * FINE) / FINE
        return self.last(s)

    def index_price(self, s: int) -> Decimal:
        """The index price; the mark where the tape has none."""
        price, instrument = float(self.states["index"][s]), self.instruments[s]
        if price <= 0:
            return self.mark(s)
        return instrument.tick * round(price / float(instrument.tick) * FINE) / FINE

    def last(self, s: int) -> Decimal:
        """The last traded price; the middle of the book before the first trade."""
        states = self.states
        ticks = int(states["last"][s]) or (int(states["bid"][s]) + int(states["ask"][s])) // 2
        return self.instruments[s].price(ticks)

    def reference(self, s: int, trigger_by: str) -> Decimal:
        """The price a trigger looks at: the last price, or else the mark (for IndexPrice too)."""
        return self.last(s) if trigger_by == TriggerBy.LAST else self.mark(s)

    def funding_rate(self, s: int) -> Decimal:
        """The rate of the coming settlement, fraction per interval."""
        return Decimal(round(float(self.states["funding_rate"][s]) * RATE)) / RATE

    def interval(self, s: int) -> int:
        """Funding interval, ns."""
        return (int(self.states["funding_minutes"][s]) or self.instruments[s].funding_interval_min) * MINUTE

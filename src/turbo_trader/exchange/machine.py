"""The Exchange machine: a simulated Bybit for USDT perpetuals. Market rows and requests in, replies and messages out; pure.

Messages of one change come in the order: order, execution, position, wallet. The book is the tape's; what an account takes out of
it stays taken until the tape writes that level again, or for a set time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from turbo_trader.exchange import orders as life
from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.footprints import NEVER, Footprints
from turbo_trader.exchange.kernel import TOUCHED, run_until
from turbo_trader.exchange.listing import Listing
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import (
    LogEntry,
    Message,
    OrderMessage,
    PositionMessage,
    Reply,
    WalletMessage,
)
from turbo_trader.exchange.resting import Resting
from turbo_trader.exchange.retention import Retention
from turbo_trader.exchange.settlement import Settlement
from turbo_trader.exchange.statements import position_message, wallet_message
from turbo_trader.exchange.stops import Stops
from turbo_trader.exchange.terms import Terms
from turbo_trader.exchange.trading import Trading
from turbo_trader.exchange.watching import Watching
from turbo_trader.market.events import FINE, MINUTE, RATE, Rows
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance_book
from turbo_trader.market.state import new_states


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


class Exchange:
    """Accounts and instruments; `now` is an argument everywhere, ns UTC."""

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
        self.accounts: dict[str, Account] = {}
        self.outbox: list[tuple[str, Message]] = []  # not drained yet
        self._numbers = 0
        self.footprints = Footprints(self.states, config.footprint_ns)
        self.collateral = Collateral(self)
        self.fills = Fills(self)
        self.stops = Stops(self)
        self.resting = Resting(self)
        self.matching = Matching(self)
        self.settlement = Settlement(self)
        self.listing = Listing(self)
        self._retention = Retention(self)
        self._trading = Trading(self)
        self._terms = Terms(self)
        self._watching = Watching(self)

    # -- accounts

    def add_account(
        self, uid: str, balance: Decimal, *, hedge: bool = False, cross: bool = False, now: int = 0
    ) -> Account:
        """A new account with `balance` USDT, logged as a transfer at `now`; in hedge mode (all symbols), with cross margin where
        wanted."""
        account = Account(uid, ZERO, self.config.taker, self.config.maker, cross=cross)
        account.hedged = set(self.index) if hedge else set()
        self.accounts[uid] = account
        self._transfer(account, balance, now)
        return account

    def transfer(self, uid: str, amount: Decimal, now: int) -> Reply:
        """Bring USDT into an account, or take (negative) what is available out of it."""
        account = self.accounts[uid]
        self.settle(now)
        if -amount > max(self.collateral.available(account), ZERO):
            return Reply(110012, "Insufficient available balance.")
        self._transfer(account, amount, now)
        self.say(uid, self.wallet_message(uid, now))
        return Reply()

    def _transfer(self, account: Account, amount: Decimal, now: int) -> None:
        kind = "TRANSFER_IN" if amount >= 0 else "TRANSFER_OUT"
        account.book(
            LogEntry(
                now, self.new_id(), "", kind, 0, ZERO, ZERO, amount, ZERO, ZERO, amount, account.balance + amount, "", "", ZERO
            )
        )  # fmt: skip

    def fee_rates(self, uid: str, symbol: str) -> tuple[Decimal, Decimal]:
        """Taker and maker rate of an account; KeyError for an unknown symbol."""
        self.index[symbol]
        account = self.accounts[uid]
        return account.taker, account.maker

    # -- market

    def busy(self) -> list[int]:
        """The symbols (ascending) on which any account has an open order or a position."""
        accounts = self.accounts.values()
        names = {order.symbol for account in accounts for order in account.open_orders.values()}
        return sorted({*(s for _, _, s in self._held()), *(self.index[name] for name in names)})

    def advance(self, s: int, rows: Rows, start: int, until: int) -> int:
        """Consume the market rows of symbol `s` with ts < `until`, matching as they come; returns the next row."""
        if self.footprints.due(s) == NEVER and s not in self.busy():
            return int(advance_book(self.states, s, rows, start, until))
        at = start
        while True:
            pause = min(until, self.footprints.due(s))
            part = self.footprints.ahead(s, rows, at, pause)
            n, why = run_until(self.states, s, part, 0, pause, *self._watching.bounds(s))
            self.footprints.consumed(s, rows[at : at + n])
            at += int(n)
            if why == TOUCHED:
                self._watching.touch(s, rows[at - 1], int(self.states["ts"][s]))
            elif pause == until:
                return at
            else:
                self.footprints.expire(s, pause)

    def mark(self, s: int) -> Decimal:
        """The mark price; the last price where the tape has no mark (never later beyond a level than a mean of last prices)."""
        state = self.states[s]
        instrument = self.instruments[s]
        if state["mark"] > 0:
            return instrument.tick * round(float(state["mark"]) / float(instrument.tick) * FINE) / FINE
        return self.last(s)

    def index_price(self, s: int) -> Decimal:
        """The index price; the mark where the tape has none."""
        price, instrument = float(self.states["index"][s]), self.instruments[s]
        if price <= 0:
            return self.mark(s)
        return instrument.tick * round(price / float(instrument.tick) * FINE) / FINE

    def last(self, s: int) -> Decimal:
        """The last traded price; the middle of the book before the first trade."""
        state = self.states[s]
        ticks = int(state["last"]) or (int(state["bid"]) + int(state["ask"])) // 2
        return self.instruments[s].price(ticks)

    def reference(self, s: int, trigger_by: str) -> Decimal:
        """The price a trigger looks at: the last price, or else the mark (for IndexPrice too)."""
        return self.last(s) if trigger_by == "LastPrice" else self.mark(s)

    def funding_rate(self, s: int) -> Decimal:
        """The rate of the coming settlement, fraction per interval."""
        return Decimal(round(float(self.states["funding_rate"][s]) * RATE)) / RATE

    def interval(self, s: int) -> int:
        """Funding interval, ns."""
        return (int(self.states["funding_minutes"][s]) or self.instruments[s].funding_interval_min) * MINUTE

    # -- time

    def next_time(self) -> int:
        """When `settle` must next be called (ns): the next funding of a symbol someone holds, or a delivery."""
        due = self.listing.next_time()
        for _, position, s in self._held():
            interval = self.interval(s)
            due = min(due, (position.funded_ts // interval + 1) * interval)
        return due

    def settle(self, now: int) -> None:
        """Charge funding of every settlement up to `now` not charged yet, end the contracts whose time has come, forget what is too
        old."""
        for account, position, s in self._held():
            self.settlement.charge(account, position, s, now)
        self.listing.deliver(now)
        self._retention.forget(now)

    def _held(self) -> list[tuple[Account, Position, int]]:
        """The positions that are not flat, with account and symbol."""
        accounts = self.accounts.values()
        return [(a, p, self.index[p.symbol]) for a in accounts for p in a.held()]

    def deleverage(
        self,
        now: int,
        uid: str,
        symbol: str,
        idx: int = 0,
        qty: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Decimal:
        """Close a position, or `qty` of it, by automatic deleveraging: at `price`, or else the mark. Returns what was closed;
        KeyError for an unknown account or symbol."""
        account = self.accounts[uid]
        self.index[symbol]
        self.settle(now)
        if idx not in account.indices(symbol):
            return ZERO
        return self.settlement.deleverage(account, account.position(symbol, idx), now, qty, price)

    # -- requests and messages

    def handle(self, now: int, uid: str, request: ask.Request) -> Reply:
        """Carry out a request of an account at `now`; the reply says accepted or why not, messages follow in `drain`."""
        if isinstance(request, ask.SetMarginMode):
            self.settle(now)
            return self._terms.set_margin_mode(self.accounts[uid], request, now)
        symbol = request.symbol
        if symbol not in self.index and not (
            isinstance(request, ask.CancelAll | ask.SwitchMode) and symbol == ""
        ):
            return Reply(10001, "Not supported symbols")
        account = self.accounts[uid]
        self.settle(now)
        if symbol:
            self.footprints.expire(self.index[symbol], now)
        match request:
            case ask.CreateOrder() | ask.AmendOrder() | ask.CancelOrder() | ask.CancelAll():
                return self._trading.act(account, request, now)
            case ask.SetTradingStop():
                return self.stops.set(account, request, now)
            case ask.SetLeverage():
                return self._terms.set_leverage(account, request, now)
            case ask.AddMargin():
                return self._terms.add_margin(account, request, now)
            case ask.SetAutoMargin():
                return self._terms.set_auto_margin(account, request, now)
            case ask.SwitchMode():
                return self._terms.switch_mode(account, request)

    def say(self, uid: str, message: Message) -> None:
        """Queue a message to an account's private channel."""
        self.outbox.append((uid, message))
        if isinstance(message, OrderMessage):
            account = self.accounts[uid]
            order = account.orders[message.order_id]
            order.updated_ts = message.ts
            if message.status in life.FINAL:
                self._retention.ended(account, order)

    def drain(self) -> list[tuple[str, Message]]:
        """The messages since the last call, in order."""
        messages, self.outbox = self.outbox, []
        return messages

    def new_id(self) -> str:
        """The next id, shaped like the venue's uuids; deterministic."""
        self._numbers += 1
        return f"{self._numbers:08x}-0000-4000-8000-{self._numbers:012x}"

    # -- the venue's word, for reads

    def open_orders(self, uid: str, symbol: str = "") -> list[life.Order]:
        """Open orders, oldest first."""
        return [order for order in self.accounts[uid].open_orders.values() if symbol in ("", order.symbol)]

    def positions(self, uid: str, symbol: str, now: int) -> list[PositionMessage]:
        """The positions of a symbol, also when flat: one, in hedge mode the long and the short side."""
        account = self.accounts[uid]
        return [position_message(self, account, position, now) for position in account.sides(symbol)]

    def position(self, uid: str, symbol: str, now: int) -> PositionMessage:
        """The position of a symbol, also when flat; in hedge mode its long side."""
        return self.positions(uid, symbol, now)[0]

    def wallet_message(self, uid: str, now: int) -> WalletMessage:
        """The wallet with its margins."""
        return wallet_message(self, self.accounts[uid], now)

    def wallet(self, uid: str) -> Decimal:
        """Wallet balance, USDT, without unrealised results."""
        return self.accounts[uid].balance

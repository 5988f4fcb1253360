"""The Exchange machine: a simulated Bybit for USDT perpetuals. Market rows and requests in, replies and messages out; pure.

Messages of one change come in the order: order, execution, position, wallet. The book is the tape's; what an account takes out of
it stays taken until the tape writes that level again, or for a set time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, cast

import numpy as np

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.accounts import ZERO, Account, FeeCoin
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.cursor_kernel import TOUCHED, run_until
from turbo_trader.exchange.exchange_state import ExchangeConfig, State
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.funding_charges import Funding
from turbo_trader.exchange.instrument_changes import Listing
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import (
    SETTLED_IN,
    ExecutionMessage,
    LogEntry,
    Message,
    PositionMessage,
    Reply,
    WalletMessage,
)
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.precheck import PreCheck
from turbo_trader.exchange.price_watch import Watching
from turbo_trader.exchange.request_checks import Checks
from turbo_trader.exchange.resting_orders import Resting
from turbo_trader.exchange.retention import Retention
from turbo_trader.exchange.settlement import Settlement
from turbo_trader.exchange.statements import Statements
from turbo_trader.exchange.stops import Stops
from turbo_trader.exchange.terms import Terms
from turbo_trader.exchange.trading import Trading
from turbo_trader.exchange.triggers import Triggers
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance_book
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import NEVER, Rows
from turbo_trader.market.state import STATE

__all__ = ["Exchange", "ExchangeConfig"]
#: Bytes of a market state before its order flow: all that `run_until` looks at and moves.
_MOVED: Final = cast("Any", STATE.fields)["ofi"][1]


class Exchange(State):
    """The state, and all that works on it; `now` is an argument everywhere, ns UTC."""

    def __init__(self, instruments: Sequence[Instrument], config: ExchangeConfig) -> None:
        super().__init__(instruments, config)
        self.collateral = Collateral(self)
        statements = Statements(self, self.collateral)
        open_orders = OpenOrders(self, self.collateral)
        stops = Stops(self, open_orders, statements)
        funding = Funding(self, self.collateral, statements)
        fills = Fills(self, funding, stops, open_orders, statements)
        self.resting = Resting(self, fills)
        matching = Matching(self, fills, open_orders, self.resting)
        self.settlement = Settlement(self, self.collateral, statements, open_orders, fills, matching)
        self.listing = Listing(self, open_orders, fills, self.resting)
        checks = Checks(self, self.collateral, matching)
        self._triggers = Triggers(self, checks, matching, open_orders, statements, stops)
        self._watching = Watching(self, self.collateral, self.resting, self._triggers, self.settlement)
        self._trading = Trading(self, checks, matching, open_orders, statements)
        self._pre_check = PreCheck(self, self.collateral, checks, matching)
        self._terms = Terms(self, self.collateral, open_orders, statements)
        self._retention = Retention(self)
        self._statements, self._open_orders = statements, open_orders
        self._stops, self._funding = stops, funding
        self._sketch = np.zeros(1, STATE)  # a market state to look ahead with

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

    def pay_fees_in(self, uid: str, coin: FeeCoin | None, balance: Decimal, now: int) -> None:
        """From now on the account pays fees in `coin`, of which it is given as much as makes `balance`; None: in USDT again."""
        account = self.accounts[uid]
        account.fee_coin = coin
        if coin is not None:
            self._transfer(account, balance - account.coins.get(coin.name, ZERO), now, coin.name)
        self.say(uid, self.wallet_message(uid, now))

    def _transfer(self, account: Account, amount: Decimal, now: int, coin: str = SETTLED_IN) -> None:
        kind = "TRANSFER_IN" if amount >= 0 else "TRANSFER_OUT"
        before = account.balance if coin == SETTLED_IN else account.coins.get(coin, ZERO)
        account.book(
            LogEntry(
                ts=now,
                id=self.new_id(),
                symbol="",
                kind=kind,
                side=Side.NONE,
                qty=ZERO,
                price=ZERO,
                cash_flow=amount,
                funding=ZERO,
                fee=ZERO,
                change=amount,
                balance=before + amount,
                order_id="",
                link_id="",
                size=ZERO,
                coin=coin,
            )
        )

    def fee_rates(self, uid: str, symbol: str) -> tuple[Decimal, Decimal]:
        """Taker and maker rate of an account; KeyError for an unknown symbol."""
        self.index[symbol]
        account = self.accounts[uid]
        return account.taker, account.maker

    # -- market

    def busy(self) -> list[int]:
        """The symbols (ascending) on which any account has an open order, a triggered one or a position."""
        found = set(self._triggers.waiting)
        for account in self.accounts.values():
            found.update(self.index[order.symbol] for order in account.open_orders.values())
            found.update(self.index[position.symbol] for position in account.held())
        return sorted(found)

    def advance(self, s: int, rows: Rows, start: int, until: int) -> int:
        """Consume the market rows of symbol `s` with ts < `until`, matching as they come; returns the next row."""
        if s not in self.bounds and self.footprints.due(s) == NEVER and s not in self.busy():
            return int(advance_book(self.states, s, rows, start, until))
        at = start
        while True:
            pause = min(until, self.footprints.due(s), self._triggers.deadline(s))
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
                if self._triggers.deadline(s) <= pause:
                    self._triggers.touch(s, pause)
                    self.bounds.clear()

    def untouched(self, s: int, rows: Rows, start: int, until: int) -> int:
        """Up to which time (ns, at most `until`) the rows of symbol `s` from `start` on leave every account as it is.

        Nothing is moved.
        """
        pause = min(until, self.footprints.due(s), self._triggers.deadline(s))
        part = self.footprints.ahead(s, rows, start, pause)
        self._sketch.view(np.uint8)[:_MOVED] = self.states[s : s + 1].view(np.uint8)[:_MOVED]
        n, why = run_until(self._sketch, 0, part, 0, pause, *self._watching.bounds(s))
        return int(part[n - 1]["ts"]) if why == TOUCHED else pause

    # -- time

    def next_time(self) -> int:
        """When `settle` must next be called (ns): the next funding of a symbol someone holds, or a delivery."""
        due = self.listing.next_time()
        for _, position, s in self.held():
            interval = self.interval(s)
            due = min(due, (position.funded_ts // interval + 1) * interval)
        return due

    def settle(self, now: int) -> None:
        """Charge funding of every settlement up to `now` not charged yet, end the contracts whose time has come, forget what is too
        old."""
        charged = [
            s for account, position, s in self.held() if self._funding.charge(account, position, s, now)
        ]
        if charged:
            self.bounds.clear()
        for s in dict.fromkeys(charged):
            self.settlement.liquidate(s, now)
        self.listing.deliver(now)
        self._retention.forget(now)

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

    def liquidate(self, now: int, uid: str, symbol: str, idx: int = 0) -> Decimal:
        """Liquidate a position as if the mark had reached its liquidation price. Returns what was closed; KeyError for an unknown
        account or symbol."""
        account = self.accounts[uid]
        self.index[symbol]
        self.settle(now)
        self.bounds.clear()
        if idx not in account.indices(symbol):
            return ZERO
        return self.settlement.take(account, account.position(symbol, idx), now)

    # -- requests and messages

    def pre_check(self, now: int, uid: str, request: ask.CreateOrder) -> Reply:
        """What an order would do to an account's margin rates; it is not placed."""
        self.settle(now)
        return self._pre_check.check(self.accounts[uid], request, now)

    def handle(self, now: int, uid: str, request: ask.Request) -> Reply:
        """Carry out a request of an account at `now`; the reply says accepted or why not, messages follow in `drain`."""
        if isinstance(request, ask.SetMarginMode):
            self.settle(now)
            self.bounds.clear()
            return self._terms.set_margin_mode(self.accounts[uid], request, now)
        symbol = request.symbol
        if symbol not in self.index and not (
            isinstance(request, ask.CancelAll | ask.SwitchMode) and symbol == ""
        ):
            return Reply(10001, "Not supported symbols")
        account = self.accounts[uid]
        self.settle(now)
        self.bounds.clear()
        if symbol:
            self.footprints.expire(self.index[symbol], now)
        match request:
            case ask.CreateOrder() | ask.AmendOrder() | ask.CancelOrder() | ask.CancelAll():
                before = len(self.outbox)
                reply = self._trading.act(account, request, now)
                if any(isinstance(message, ExecutionMessage) for _, message in self.outbox[before:]):
                    self.settlement.liquidate(
                        self.index[symbol], now
                    )  # the mark may be beyond what was opened
                return reply
            case ask.SetTradingStop():
                return self._stops.set(account, request, now)
            case ask.SetLeverage():
                return self._terms.set_leverage(account, request, now)
            case ask.AddMargin():
                return self._terms.add_margin(account, request, now)
            case ask.SetAutoMargin():
                return self._terms.set_auto_margin(account, request, now)
            case ask.SwitchMode():
                return self._terms.switch_mode(account, request)

    def cancel_resting(self, uid: str, cancel_type: str, now: int) -> None:
        """End an account's resting orders, saying why; what waits for a trigger stays."""
        account = self.accounts[uid]
        resting = [order for order in account.open_orders.values() if order.resting]
        for order in resting:
            self._open_orders.end(account, order, cancel_type, now)
        for key in dict.fromkeys(order.key for order in resting):
            self._open_orders.hold(account, account.position(*key))

    def drain(self) -> list[tuple[str, Message]]:
        """The messages since the last call, in order."""
        messages, self.outbox = self.outbox, []
        return messages

    # -- the venue's report, for reads

    def open_orders(self, uid: str, symbol: str = "") -> list[Order]:
        """Open orders, oldest first."""
        return [order for order in self.accounts[uid].open_orders.values() if symbol in ("", order.symbol)]

    def positions(self, uid: str, symbol: str, now: int) -> list[PositionMessage]:
        """The positions of a symbol, also when flat: one, in hedge mode the long and the short side."""
        account = self.accounts[uid]
        return [self._statements.position(account, position, now) for position in account.sides(symbol)]

    def position(self, uid: str, symbol: str, now: int) -> PositionMessage:
        """The position of a symbol, also when flat; in hedge mode its long side."""
        return self.positions(uid, symbol, now)[0]

    def wallet_message(self, uid: str, now: int) -> WalletMessage:
        """The wallet with its margins."""
        return self._statements.wallet(self.accounts[uid], now)

    def wallet(self, uid: str) -> Decimal:
        """Wallet balance, USDT, without unrealised results."""
        return self.accounts[uid].balance

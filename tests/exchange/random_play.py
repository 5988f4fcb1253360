"""Accounts at one Exchange that ask whatever may be asked, and what must be true of them after every step."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.exchange_machine import ExchangeConfig
from turbo_trader.exchange.messages import OPEN, UNIT, OrderMessage, PositionMessage
from turbo_trader.exchange.orders import FINAL, STOP_TYPES, Order
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND

BTC = universe()[0]  # tick 0.1, step 0.001
D = Decimal
UIDS: Final = ("u", "u2", "u3")  # isolated margin; cross; hedge mode
HOUR: Final = 3_600 * SECOND
SIDES: Final = (1, -1)


#: What can be done, with the ranges of its numbers. `who`: account; shifts are ticks from the middle of the book.
WHO, SIDE, LOTS, SHIFT, DISTANCE = (0, 2), (0, 1), (1, 60), (-40, 40), (-5, 60)


ACTIONS: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "create": (WHO, SIDE, (0, 8), LOTS, SHIFT, (0, 5)),
    "amend": (WHO, (0, 30), (0, 6), LOTS, SHIFT),
    "cancel": (WHO, (0, 30)),
    "cancel_all": (WHO, (0, 2)),
    "full_stops": (WHO, DISTANCE, DISTANCE, (0, 3)),
    "partial_stops": (WHO, DISTANCE, DISTANCE, (1, 20), (0, 1)),
    "trailing_stop": (WHO, (0, 30), DISTANCE),
    "leverage": (WHO, (1, 100)),
    "quote": (SHIFT, LOTS),
    "trade": (SHIFT, LOTS, SIDE),
    "mark": (SHIFT,),
    "level": (SIDE, (0, 40), (0, 60)),
    "hours": ((0, 10), (-30, 30)),
}


class Invariants:
    """What must be true of the accounts after every step, and of what was reported of them."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig
        self.orders: dict[str, OrderMessage] = {}  # as last reported
        self.positions: dict[tuple[str, int], PositionMessage] = {}

    def alive(self) -> None:
        """No margin is above the equity that carries it: what is not carried was liquidated."""
        for account in self.rig.x.accounts.values():
            assert not any(self.rig.x.collateral.exhausted(account, position) for position in account.held())

    def check(self) -> None:
        for uid, message in self.rig.x.drain():
            if isinstance(message, OrderMessage):
                before = self.orders.get(message.order_id)
                assert before is None or before.status not in FINAL, "a final order was reported again"
                assert before is None or message.filled >= before.filled
                self.orders[message.order_id] = message
            elif isinstance(message, PositionMessage):
                self.positions[uid, message.position_idx] = message
        for uid in UIDS:
            self.check_money(uid)
            self.check_orders(uid)
            self.check_children(uid)
        self.check_book()
        self.alive()

    def check_money(self, uid: str) -> None:
        account = self.rig.x.accounts[uid]
        assert account.balance == sum((entry.change for entry in account.log), D(0))
        available = self.rig.x.collateral.available(account)
        assert account.cross or available >= -UNIT or not account.order_margin, (
            "orders stand that nothing carries"
        )
        fills = [e for e in account.executions if e.kind != "Funding"]
        assert all(e.qty > 0 for e in fills)
        for position in account.sides("BTCUSDT"):
            booked = (e.side * e.qty for e in fills if account.orders[e.order_id].key == position.key)
            assert position.size == sum(booked, D(0))
            reported = self.positions.get((uid, position.idx))
            shown = self.rig.position(uid, position.idx)
            for name in ("size", "take_profit", "stop_loss", "trailing_stop", "leverage"):
                assert reported is None or getattr(reported, name) == getattr(shown, name), (
                    f"{name} was not reported"
                )

    def check_orders(self, uid: str) -> None:
        account = self.rig.x.accounts[uid]
        for order in account.orders.values():
            assert 0 <= order.filled <= order.qty
            assert order.qty > 0
            assert (order.status in OPEN) == (order.order_id in account.open_orders)
            assert order.status in OPEN | FINAL or (order.status == "Triggered" and not self.whole_book)
            reported = self.orders[order.order_id]
            assert order.message(reported.ts) == reported, "something of it was not reported"
        for position in account.sides("BTCUSDT"):
            reducing = [
                o
                for o in account.open_orders.values()
                if o.key == position.key and o.reduce_only and o.resting
            ]
            assert all(order.side * position.size < 0 for order in reducing)
            assert sum((order.leaves for order in reducing), D(0)) <= abs(position.size)

    def check_children(self, uid: str) -> None:
        account = self.rig.x.accounts[uid]
        children = [
            o for o in account.open_orders.values() if o.stop_type in STOP_TYPES and o.status == "Untriggered"
        ]
        for position in account.sides("BTCUSDT"):
            waiting = [child for child in children if child.key == position.key]
            assert waiting == [c for c in position.stops.values() if c.status != "Triggered"]
            for child in waiting:
                assert (child.link_id, child.reduce_only, child.close_on_trigger) == ("", True, True)
                assert child.side * position.size < 0
                part = child.tpsl_mode == "Partial"
                assert child.qty == abs(position.size) or (part and child.qty < abs(position.size))
                assert child.partner is None or (child.partner in waiting and child.partner.partner is child)
            full = [child.stop_type for child in waiting if child.tpsl_mode == "Full"]
            assert len(full) == len(set(full))

    @property
    def whole_book(self) -> bool:
        """Has it both sides? An order that is triggered while it has not waits for one that has."""
        return bool(self.rig.x.states[0]["book_valid"])

    def check_book(self) -> None:
        state = self.rig.x.states[0]
        assert not state["book_valid"] or 0 < state["bid"] < state["ask"]
        for i in (0, 1):
            assert (state["lots"][i, : state["levels"][i]] > 0).all()
        resting = [order for _, order in self.rig.x.resting.of(0)]
        buys = [order.limit for order in resting if order.side > 0]
        sells = [order.limit for order in resting if order.side < 0]
        assert not buys or not sells or max(buys) < min(sells)


class Play:
    """Three accounts at one Exchange that do what is drawn."""

    def __init__(self, rigs: Any, config: ExchangeConfig | None = None) -> None:
        self.rig = rigs("500", "20000", "5000", config=config)
        self.rig.x.accounts["u2"].cross = True
        self.rig.x.accounts["u3"].switch("BTCUSDT", hedge=True)
        self.mid = 500_005
        self.invariants = Invariants(self.rig)
        self.codes: dict[int, int] = {}

    # -- requests

    def ask(self, uid: str, request: ask.Request) -> None:
        code = self.rig.do(request, uid)
        self.codes[code] = self.codes.get(code, 0) + 1

    def price(self, shift: int) -> Decimal:
        return BTC.price(self.mid + shift)

    def create(self, who: int, side: int, kind: int, lots: int, shift: int, exits: int) -> None:
        d = SIDES[side]
        limit = kind not in (0, 5, 7)
        more: dict[str, Any] = {}
        if kind >= 7:
            more = {"trigger_price": self.price(shift), "trigger_direction": 1 if shift > 0 else 2}
        if exits and kind not in (5, 6, 8):
            more |= {"stop_loss": self.price(shift - d * 30), "tpsl_mode": "Partial" if exits > 2 else "Full"}
        if exits in (2, 4, 5) and "stop_loss" in more:
            more["take_profit"] = self.price(shift + d * 30)
        if exits == 5 and "stop_loss" in more:
            more |= {"tp_limit": self.price(shift + d * 29), "sl_limit": self.price(shift - d * 31)}
        tif = {2: "IOC", 3: "FOK", 4: "PostOnly"}.get(kind, "GTC")
        self.ask(
            UIDS[who],
            ask.CreateOrder(
                symbol="BTCUSDT",
                side=Side(d),
                order_type="Limit" if limit else "Market",
                qty=BTC.qty(lots),
                price=self.price(shift) if limit else None,
                time_in_force=tif,
                reduce_only=kind in (5, 6, 8),
                position_idx=self.idx(who, lots),
                **more,
            ),
        )

    def amend(self, who: int, which: int, what: int, lots: int, shift: int) -> None:
        order = self.open(who, which)
        figures: list[dict[str, Any]] = [
            {"qty": BTC.qty(lots)}, {"price": self.price(shift)}, {"trigger_price": self.price(shift)},
            {"stop_loss": self.price(shift)}, {"take_profit": D(0), "stop_loss": D(0)}, {"trigger_by": "MarkPrice"},
            {"qty": BTC.qty(lots), "price": self.price(shift)},
        ]  # fmt: skip
        if order is not None:
            self.ask(UIDS[who], ask.AmendOrder("BTCUSDT", order.order_id, **figures[what]))

    def cancel(self, who: int, which: int) -> None:
        order = self.open(who, which)
        if order is not None:
            self.ask(UIDS[who], ask.CancelOrder("BTCUSDT", order.order_id))

    def cancel_all(self, who: int, which: int) -> None:
        self.ask(UIDS[who], ask.CancelAll("BTCUSDT", ("", "Order", "StopOrder")[which]))

    def full_stops(self, who: int, stop: int, target: int, which: int) -> None:
        removed, d = D(0) if which == 3 else None, self.direction(who, stop)
        self.ask(
            UIDS[who],
            ask.SetTradingStop(
                symbol="BTCUSDT",
                take_profit=removed if which else self.price(d * target),
                stop_loss=self.price(-d * stop) if which < 2 else None,
                sl_trigger_by="MarkPrice" if which == 1 else "LastPrice",
                position_idx=self.idx(who, stop),
            ),
        )

    def partial_stops(self, who: int, stop: int, target: int, lots: int, limit: int) -> None:
        d = self.direction(who, lots)
        self.ask(
            UIDS[who],
            ask.SetTradingStop(
                symbol="BTCUSDT",
                take_profit=self.price(d * target),
                stop_loss=self.price(-d * stop),
                tpsl_mode="Partial",
                position_idx=self.idx(who, lots),
                tp_size=BTC.qty(lots),
                sl_size=BTC.qty(lots),
                tp_limit=self.price(d * target) if limit else None,
            ),
        )

    def trailing_stop(self, who: int, distance: int, active: int) -> None:
        idx = self.idx(who, distance)
        price = self.price(self.direction(who, distance) * active) if active % 2 else None
        stop = ask.SetTradingStop(
            symbol="BTCUSDT", position_idx=idx, trailing_stop=BTC.price(distance), active_price=price
        )
        self.ask(UIDS[who], stop)

    def leverage(self, who: int, leverage: int) -> None:
        self.ask(UIDS[who], ask.SetLeverage("BTCUSDT", D(leverage)))

    def idx(self, who: int, number: int) -> int:
        """The position meant: of hedge mode the long or the short one."""
        return 1 + number % 2 if UIDS[who] == "u3" else 0

    def direction(self, who: int, number: int) -> int:
        """Of the position: where its take profit lies. Negative distances then ask for what is refused."""
        return -1 if self.rig.size(UIDS[who], self.idx(who, number)) < 0 else 1

    def open(self, who: int, which: int) -> Order | None:
        orders = self.rig.x.open_orders(UIDS[who])
        return orders[which % len(orders)] if orders else None

    # -- the market

    def quote(self, shift: int, lots: int) -> None:
        """The book moves, and a print with it."""
        self.mid += 5 * shift
        self.rig.book(self.mid - 5, self.mid + 5, lots)
        self.rig.trade(self.mid, lots, 1 if shift > 0 else -1)
        self.invariants.alive()

    def trade(self, shift: int, lots: int, side: int) -> None:
        self.rig.trade(self.mid + shift, lots, SIDES[side])
        self.invariants.alive()

    def mark(self, shift: int) -> None:
        self.rig.mark(
            self.mid + (20 if abs(shift) < 36 else 500) * shift
        )  # at times so far that someone is liquidated
        self.invariants.alive()

    def level(self, side: int, behind: int, lots: int) -> None:
        self.rig.level(SIDES[side], self.mid - SIDES[side] * (5 + behind), lots)
        self.invariants.alive()

    def hours(self, hours: int, rate: int) -> None:
        """Time passes, and funding with it."""
        self.rig.funding(str(D(rate) / 10_000))
        self.rig.now += hours * HOUR
        self.rig.x.settle(self.rig.now)

    def finish(self) -> None:
        """Everything is cancelled and closed: every order has ended."""
        self.quote(0, 10_000)
        for uid in UIDS:
            self.rig.do(ask.CancelAll("BTCUSDT"), uid)
            for position in self.rig.x.accounts[uid].held():
                side, qty = -1 if position.size > 0 else 1, str(abs(position.size))
                assert self.rig.market(side, qty, uid, reduce_only=True, position_idx=position.idx) == 0
        self.invariants.check()
        for uid in UIDS:
            assert not self.rig.x.accounts[uid].held()
            assert all(order.status in FINAL for order in self.rig.x.accounts[uid].orders.values())

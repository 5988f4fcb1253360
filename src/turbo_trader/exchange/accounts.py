"""An account: wallet, positions, orders, and a transaction log that explains every change of the wallet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from turbo_trader.exchange.messages import SETTLED_IN, UNIT, ExecutionMessage, LogEntry
from turbo_trader.exchange.orders import Order

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class FeeCoin:
    """Another coin that fees are paid in, while there is enough of it: its name, and what one is worth in USDT."""

    name: str
    price: Decimal


@dataclass(slots=True)
class Position:
    """A position of one symbol: one-way (`idx` 0), or the long (1) or short (2) of hedge mode. `size` is signed base coin."""

    symbol: str
    idx: int
    leverage: Decimal
    size: Decimal = ZERO
    cost: Decimal = ZERO  # |size| x average entry: kept as a product, so that the average loses no digit
    extra: Decimal = (
        ZERO  # margin added by request less what funding took; leaves in proportion to what is closed
    )
    fees: Decimal = ZERO  # paid for opening what is held
    realised_now: Decimal = ZERO
    realised_ever: Decimal = ZERO
    opened_ts: int = 0
    created_ts: int = 0  # when it was opened for the first time
    funded_ts: int = 0  # settlements up to here are charged or were before its time
    seq: int = -1
    auto_margin: bool = False  # add margin instead of liquidating, while there is some
    status: str = "Normal"  # Liq, Adl: while the venue takes it
    stops: dict[str, Order] = field(default_factory=dict)  # untriggered children, by order id

    @property
    def key(self) -> tuple[str, int]:
        """(symbol, positionIdx): what orders and positions go by."""
        return self.symbol, self.idx

    @property
    def entry(self) -> Decimal:
        """Average entry price; 0 when flat."""
        return self.cost / abs(self.size) if self.size else ZERO

    def stop(self, kind: str) -> Order | None:
        """Its TakeProfit, StopLoss or TrailingStop: there is one of each at most."""
        return next((child for child in self.stops.values() if child.stop_type == kind), None)

    def forget(self, order: Order) -> None:
        """`order` is not one of its stops any more."""
        self.stops.pop(order.order_id, None)

    def apply(self, side: int, qty: Decimal, price: Decimal, ts: int) -> tuple[Decimal, Decimal]:
        """Book a trade; returns (closed quantity, realised result before fees). A flip closes, then opens again."""
        closed = min(qty, abs(self.size)) if self.size * side < 0 else ZERO
        result = ZERO
        if closed:
            d = 1 if self.size > 0 else -1
            share, freed = self._part(self.cost, closed), self._part(self.extra, closed)
            result = (d * (closed * price - share)).quantize(UNIT)
            self.cost -= share
            self.extra -= freed
            self.size += side * closed
        opened = qty - closed
        if opened:
            if not self.size:
                self.realised_now = ZERO
                self.opened_ts = ts
                self.created_ts = self.created_ts or ts
                self.funded_ts = max(self.funded_ts, ts)
            self.size += side * opened
            self.cost += opened * price
        return closed, result

    def share_fee(self, side: int, qty: Decimal, fee: Decimal) -> Decimal:
        """Note the fee of a trade about to be booked; returns the opening fees of what it will close."""
        closed = min(qty, abs(self.size)) if self.size * side < 0 else ZERO
        share = self._part(self.fees, closed) if closed else ZERO
        self.fees += (fee * (qty - closed) / qty).quantize(UNIT) - share
        return share

    def _part(self, whole: Decimal, closed: Decimal) -> Decimal:
        """The part of `whole` that belongs to a closed quantity."""
        return whole if closed == abs(self.size) else (whole * closed / abs(self.size)).quantize(UNIT)


@dataclass(slots=True)
class Account:
    """One account in USDT, with isolated or cross margin."""

    uid: str
    balance: Decimal
    taker: Decimal
    maker: Decimal
    positions: dict[tuple[str, int], Position] = field(default_factory=dict)
    coins: dict[str, Decimal] = field(default_factory=dict)  # balances of other coins
    fee_coin: FeeCoin | None = None
    cross: bool = False  # margin mode: isolated, or all positions carried by all there is
    moves_prices: bool = True  # a limit price out of the band is moved to its edge; else the order is refused
    hedged: set[str] = field(default_factory=set)  # symbols in hedge mode
    orders: dict[str, Order] = field(default_factory=dict)  # open or remembered, by order id, oldest first
    open_orders: dict[str, Order] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)  # link id -> order id, of these orders
    executions: deque[ExecutionMessage] = field(default_factory=deque)
    log: deque[LogEntry] = field(default_factory=deque)

    def position(self, symbol: str, idx: int = 0) -> Position:
        """A position of a symbol, made flat at 10x on first use."""
        found = self.positions.get((symbol, idx))
        if found is None:
            found = self.positions[symbol, idx] = Position(symbol, idx, leverage=Decimal(10))
        return found

    def indices(self, symbol: str) -> tuple[int, ...]:
        """The positionIdx values of the symbol's mode: 0 one-way, 1 and 2 hedge."""
        return (1, 2) if symbol in self.hedged else (0,)

    def sides(self, symbol: str) -> list[Position]:
        """The positions of the symbol's mode."""
        return [self.position(symbol, idx) for idx in self.indices(symbol)]

    def held(self) -> list[Position]:
        """The positions that are not flat."""
        return [position for position in self.positions.values() if position.size]

    def switch(self, symbol: str, *, hedge: bool) -> None:
        """Set the position mode of a symbol without positions and orders; leverage is kept."""
        leverage = self.sides(symbol)[0].leverage
        (self.hedged.add if hedge else self.hedged.discard)(symbol)
        for position in self.sides(symbol):
            position.leverage = leverage

    @property
    def order_margin(self) -> Decimal:
        """Held by open orders."""
        return sum((order.margin for order in self.open_orders.values()), ZERO)

    def resting(self, position: Position, side: int, besides: object = None) -> Decimal:
        """What a position's resting orders of a side, `besides` one, would close or open; not the reduce-only ones."""
        return sum(
            (
                order.leaves
                for order in self.open_orders.values()
                if order.key == position.key and order.side == side and order.resting and not order.reduce_only
                and getattr(besides, "order_id", None) != order.order_id
            ),
            ZERO,
        )  # fmt: skip

    def exposure(self, position: Position, side: int) -> Decimal:
        """What a position is in the direction `side` once its resting orders are filled; not below 0."""
        return max(side * position.size + self.resting(position, side), ZERO)

    def find(self, symbol: str, order_id: str, link_id: str) -> Order | None:
        """An order by id, or else by link id; None where the symbol has none such."""
        order = self.orders.get(order_id or self.links.get(link_id, ""))
        return order if order is not None and order.symbol == symbol else None

    def forget(self, order: Order) -> None:
        """A final order is remembered no more; its link id may be used again."""
        self.orders.pop(order.order_id, None)
        if self.links.get(order.link_id) == order.order_id:
            del self.links[order.link_id]

    def book(self, entry: LogEntry) -> None:
        """Add a log entry; the balance of its coin is the entry's."""
        if entry.coin == SETTLED_IN:
            self.balance = entry.balance
        else:
            self.coins[entry.coin] = entry.balance
        self.log.append(entry)

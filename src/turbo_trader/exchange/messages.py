"""The Exchange's output: replies to requests, and messages on the private channels. Times ns UTC, money Decimal."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias

from turbo_trader.exchange.requests import Slippage
from turbo_trader.market.order_terms import ExecKind, OrderStatus, Side

SETTLED_IN: Final = "USDT"
UNIT: Final = Decimal(
    "0.00000001"
)  # the wallet's smallest unit: what is shared out is rounded to it, so that sums stay exact

OPEN: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNTRIGGERED})


@dataclass(frozen=True, slots=True)
class Reply:
    """The synchronous answer: retCode, retMsg and result of the V5 envelope. Code 0 means accepted, not filled."""

    code: int = 0
    message: str = "OK"
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True, frozen=True, slots=True)
class OrderMessage:
    """An order after a change."""

    ts: int
    symbol: str
    order_id: str
    link_id: str
    parent_link_id: str
    side: Side
    order_type: str
    time_in_force: str
    qty: Decimal
    price: Decimal | None  # of a market order the worst it may trade at
    filled: Decimal
    filled_value: Decimal
    fee: Decimal  # USDT
    status: OrderStatus
    reduce_only: bool
    close_on_trigger: bool
    position_idx: int
    create_type: str
    cancel_type: str
    reject_reason: str
    stop_type: str
    trigger_price: Decimal | None
    trigger_direction: int
    trigger_by: str
    take_profit: Decimal | None
    stop_loss: Decimal | None
    created_ts: int
    tpsl_mode: str  # Full, Partial, "" where it has no part in TP/SL
    tp_trigger_by: str
    sl_trigger_by: str
    tp_limit: Decimal | None
    sl_limit: Decimal | None
    smp: str
    smp_order_id: str
    slippage: Slippage | None
    last_price: Decimal | None  # when it was made
    closed_pnl: Decimal  # of what it closed so far, with both fees in USDT
    coin_fees: tuple[tuple[str, Decimal], ...] = ()  # paid in other coins

    @property
    def leaves(self) -> Decimal:
        """What is not filled yet; 0 of an order that has ended."""
        return self.qty - self.filled if self.status in OPEN else Decimal(0)

    @property
    def avg_price(self) -> Decimal | None:
        """Average fill price, None where nothing is filled."""
        return self.filled_value / self.filled if self.filled else None


@dataclass(kw_only=True, frozen=True, slots=True)
class ExecutionMessage:
    """One execution: a trade, funding, or a forced close. `fee` > 0 is paid."""

    ts: int
    symbol: str
    exec_id: str
    order_id: str
    link_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    fee_rate: Decimal
    kind: ExecKind
    is_maker: bool
    closed_qty: Decimal
    pnl: Decimal
    order_price: Decimal | None
    order_qty: Decimal
    leaves: Decimal
    order_type: str
    stop_type: str
    create_type: str
    mark_price: Decimal
    index_price: Decimal
    seq: int
    open_fee: Decimal = Decimal(0)  # paid earlier for opening what it closed
    leverage: Decimal = Decimal(0)
    fee_coin: str = SETTLED_IN  # what `fee` is paid in
    tick: Decimal = UNIT  # to which mark and index price are shown


@dataclass(kw_only=True, frozen=True, slots=True)
class PositionMessage:
    """A position after a change; `size` is signed, 0 is flat."""

    ts: int
    symbol: str
    position_idx: int
    size: Decimal
    entry_price: Decimal
    leverage: Decimal
    mark_price: Decimal
    liq_price: Decimal | None
    bust_price: Decimal | None
    margin: Decimal
    maintenance: Decimal
    tier: int  # of the risk table, from 1
    tier_limit: Decimal
    take_profit: Decimal | None
    stop_loss: Decimal | None
    trailing_stop: Decimal | None  # the distance
    unrealised: Decimal
    realised_now: Decimal  # of this position, fees and funding included
    realised_ever: Decimal
    status: str  # Normal, Liq, Adl
    seq: int
    created_ts: int  # when the symbol was opened for the first time
    opened_ts: int
    adl_rank: int
    break_even: Decimal | None
    auto_margin: bool
    tick: Decimal = UNIT  # to which mark, liquidation and bankruptcy price are shown


@dataclass(kw_only=True, frozen=True, slots=True)
class WalletMessage:
    """The USDT wallet after a change."""

    ts: int
    balance: Decimal
    position_margin: Decimal
    maintenance: Decimal
    order_margin: Decimal
    unrealised: Decimal
    realised_ever: Decimal
    cross: bool = False
    coins: tuple[tuple[str, Decimal, Decimal], ...] = ()  # other coins: name, balance, worth in USDT

    @property
    def margin_balance(self) -> Decimal:
        """What margins are taken from: the balance; cross with unrealised results."""
        return self.balance + self.unrealised if self.cross else self.balance

    @property
    def available(self) -> Decimal:
        """What new positions can use: margin balance less the margins in use."""
        return self.margin_balance - self.position_margin - self.order_margin


Message: TypeAlias = OrderMessage | ExecutionMessage | PositionMessage | WalletMessage


@dataclass(kw_only=True, frozen=True, slots=True)
class LogEntry:
    """One line of the transaction log: `change` = cash flow + funding - fee; the balances add up exactly."""

    ts: int
    id: str
    symbol: str
    kind: str  # TRADE, SETTLEMENT (funding), LIQUIDATION, ADL, DELIVERY, TRANSFER_IN
    side: Side
    qty: Decimal
    price: Decimal
    cash_flow: Decimal
    funding: Decimal
    fee: Decimal
    change: Decimal
    balance: Decimal
    order_id: str
    link_id: str
    size: Decimal  # of the position after it, signed
    coin: str = SETTLED_IN

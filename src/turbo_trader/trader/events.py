"""The Trader's events. Every event carries `ts`: the time it is true for, ns UTC.

Reports come from the venue, whichever channel brought it; they may come late, twice, or in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import Rows
from turbo_trader.signals.noise import Noise


class Source(StrEnum):
    """The channel that brought a report."""

    STREAM = "stream"
    REST = "rest"


SETTLED_IN: Final = "USDT"  # the coin of results, margins and funding


class StreamKind(StrEnum):
    """Of the venue's streams: the account's own, or the market's."""

    PRIVATE = "private"
    PUBLIC = "public"


class Outcome(StrEnum):
    """What is known of a command after it was sent. Unknown is not failed."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time has come: at the latest when `Trader.next_time()` is due."""

    ts: int


@dataclass(frozen=True, slots=True)
class MarketRows:
    """Whole frames of one symbol, in order; `symbol` is the index into `Trader.symbols`. `ts` = when they were received."""

    ts: int
    symbol: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class Watched:
    """The market state of `symbol` was advanced by the shell and stopped because its price left the watched range."""

    ts: int
    symbol: int


@dataclass(frozen=True, slots=True)
class MarketAhead:
    """A simulated market is known ahead: scans due before `until` (ns) may be taken in one go, see `Trader.quiet_until`.

    `tape` has the rows of all symbols, `cursors` (next, end) of each symbol's, which are moved to the last scan that is taken;
    `feed`: how long market data take to the Trader, by symbol, ns. `ts` = now.
    """

    ts: int
    until: int
    tape: Rows
    cursors: NDArray[np.int64]
    feed: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Backfill:
    """One-minute bars (market.rows.BAR) of one symbol up to `ts`, oldest first, for the warm-up."""

    ts: int
    symbol: int
    bars: Rows


@dataclass(kw_only=True, frozen=True, slots=True)
class OrderReport:
    """An order as the venue sees it. Quantities in base coin; `filled` is cumExecQty, the truth about fills."""

    ts: int
    symbol: str
    order_id: str
    link_id: str  # "" for children (TP/SL) and for orders of others
    parent_link_id: str
    side: Side
    qty: Decimal
    filled: Decimal
    price: Decimal | None
    avg_price: Decimal | None
    status: str  # OrderStatus, or what the venue says
    reduce_only: bool
    stop_type: str = ""  # "", Stop, StopLoss, TakeProfit, TrailingStop, PartialStopLoss, PartialTakeProfit
    trigger_price: Decimal | None = None
    cancel_type: str = ""
    reject_reason: str = ""
    source: Source = Source.STREAM


@dataclass(kw_only=True, frozen=True, slots=True)
class Fill:
    """One execution. `fee`: USDT paid (below 0: received). `kind`: ExecKind, or what the venue says.

    `coin_fees`: what was paid in other coins, by coin; `fee_worth`: about what that is in USDT, by the venue's fee rate.
    """

    ts: int
    symbol: str
    exec_id: str
    order_id: str
    link_id: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    kind: str
    closed_qty: Decimal
    is_maker: bool
    seq: int
    pnl: Decimal | None = None  # realised result of the closing part, before fees
    stop_type: str = ""
    create_type: str = ""  # CreateByUser, CreateByStopLoss, CreateByTakeProfit, CreateByLiq, ...
    source: Source = Source.STREAM
    coin_fees: tuple[tuple[str, Decimal], ...] = ()
    fee_worth: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """All fees as USDT: what the execution cost whoever pays in whatever coin."""
        return self.fee + self.fee_worth


@dataclass(kw_only=True, frozen=True, slots=True)
class PositionReport:
    """A position. `size` is signed base coin (0: flat). `stop_loss` and `take_profit` are those on the venue, None: none."""

    ts: int
    symbol: str
    size: Decimal
    entry_price: Decimal | None
    leverage: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    liq_price: Decimal | None
    mark_price: Decimal | None
    margin: Decimal | None  # position initial margin, USDT
    seq: int
    position_idx: int = 0
    status: str = "Normal"
    source: Source = Source.STREAM


@dataclass(frozen=True, slots=True)
class WalletReport:
    """The USDT wallet: `balance` = walletBalance (without unrealised result), all in USDT."""

    ts: int
    balance: Decimal
    available: Decimal
    position_margin: Decimal
    order_margin: Decimal
    unrealised: Decimal
    bonus: Decimal = Decimal(0)
    source: Source = Source.STREAM
    coins: Mapping[str, Decimal] = field(default_factory=dict)  # wallet balances of other coins


@dataclass(frozen=True, slots=True)
class Transfer:
    """A line of the venue's transaction log by which money came (`amount` > 0) or went, neither traded nor charged."""

    ts: int
    id: str
    coin: str
    amount: Decimal
    kind: str  # TRANSFER_IN, TRANSFER_OUT, BONUS, ...


@dataclass(kw_only=True, frozen=True, slots=True)
class CommandResult:
    """The outcome of the wire command `id`. `code` is the venue's retCode, or -1 where no answer came.

    `later`: refused for now, whatever was asked (rate limit, time window, restart, ban, never left); what stood still stands.
    `barred`: the symbol takes no entries at present. `barred_key`: the key or account may do nothing, whatever is asked.
    """

    ts: int
    id: str
    outcome: Outcome
    code: int = 0
    message: str = ""
    later: bool = False
    barred: bool = False
    barred_key: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class ReadResult:
    """The answer to `commands.Read` `id`: the lists asked for, complete, or an outcome that is not CONFIRMED and nothing else."""

    ts: int
    id: str
    outcome: Outcome
    asked_ts: int  # when the request left: reports older than a command of ours decide nothing alone
    orders: tuple[OrderReport, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[PositionReport, ...] = ()
    wallet: WalletReport | None = None
    transfers: tuple[Transfer, ...] = ()
    code: int = 0
    message: str = ""
    # symbols (and coins) with rows that could not be read or believed: what is missing of them proves nothing. "": of a row
    # without a symbol that can be read
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """The private stream sent what could not be read or believed, about `symbol` ("": nobody knows): the account must be read."""

    ts: int
    symbol: str


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The private stream or a symbol's public feed went up (after its subscription was confirmed) or down."""

    ts: int
    stream: StreamKind
    up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentUpdate:
    """An instrument's limits, status or delivery time as read from the venue."""

    ts: int
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class KeyExpiry:
    """When the API key ends, `at` ns UTC."""

    ts: int
    at: int


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The next announced maintenance, ns UTC: `end` 0 = not known, `begin` None = none is announced (any more)."""

    ts: int
    begin: int | None
    end: int


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fee rates of this account for one symbol, as fractions."""

    ts: int
    symbol: str
    taker: Decimal
    maker: Decimal


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Measured offset of the venue's clock to ours, ns (venue - ours)."""

    ts: int
    offset: int


@dataclass(frozen=True, slots=True)
class NoiseFitted:
    """The answer to `commands.FitNoise`: Kalman noise parameters of one symbol, or None where no fit was had."""

    ts: int
    symbol: int
    noise: Noise | None


@dataclass(kw_only=True, frozen=True, slots=True)
class Scored:
    """What the panel signal says at the end of its bar, by the Trader's symbols; it replaces all it said before.

    `directions`: 1 long, -1 short, 0 no trade. `expected`: returns in those directions, fractions. `horizons`: ns. `bar_end`: the
    close of the newest bar it saw, `interval`: of its bars, ns.
    """

    ts: int
    bar_end: int
    interval: int
    directions: tuple[int, ...]
    expected: tuple[float, ...]
    horizons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer that is known at once, not by the venue's transaction log: a simulated account is topped up."""

    ts: int
    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Control:
    """A control command; `by` says who, for the record."""

    ts: int
    verb: str  # ControlVerb; another is reported and does nothing
    by: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Woken:
    """The daemon was away (stopped, or hung) and may write again: nothing it knew counts before the venue has been read."""

    ts: int
    epoch: int  # of its new lease
    boots: tuple[str, ...] = ()  # starts the journal knows now: a guard may have ordered meanwhile


Report: TypeAlias = OrderReport | Fill | PositionReport | WalletReport
Event: TypeAlias = (
    Clock
    | MarketRows
    | Watched
    | MarketAhead
    | Backfill
    | Report
    | CommandResult
    | ReadResult
    | Unread
    | StreamStatus
    | InstrumentUpdate
    | KeyExpiry
    | Maintenance
    | FeeRates
    | ClockOffset
    | NoiseFitted
    | Scored
    | Transferred
    | Control
    | Woken
)

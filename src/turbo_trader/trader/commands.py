"""The Trader's commands. Wire commands carry a unique `id`; each is answered by one CommandResult or ReadResult."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.market.rows import Rows


class Purpose(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    CLOSE = "close"


@dataclass(kw_only=True, frozen=True, slots=True)
class PlaceOrder:
    """Place an order; `id` is its orderLinkId. Prices in USDT, `qty` in base coin.

    `stop_loss` and `take_profit` are attached to the order itself (Full mode, market, LastPrice trigger).
    """

    id: str
    symbol: str
    side: Side
    qty: Decimal
    order_type: OrderType
    time_in_force: TimeInForce
    reduce_only: bool
    purpose: Purpose
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_idx: int = 0
    recv_window_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel one order, by our `link_id` or else by the venue's `order_id`."""

    id: str
    symbol: str
    link_id: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class SetStops:
    """Change the position's stop and/or backstop (trading-stop, Full mode, LastPrice); None leaves one as it is."""

    id: str
    symbol: str
    stop_loss: Decimal | None
    take_profit: Decimal | None
    position_idx: int = 0


@dataclass(frozen=True, slots=True)
class SetLeverage:
    """Set the symbol's leverage (both sides). "Not modified" counts as confirmed."""

    id: str
    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Read:
    """Read the venue's state. `what`: any of positions, orders, fills, wallet, transfers, order.

    `symbol` "" means all. `order` looks `link_id` up in open orders, history and executions together. `since` bounds fills and
    transfers.
    """

    id: str
    what: tuple[str, ...]
    symbol: str = ""
    link_id: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Scanned:
    """The rows (rules.scan.SCAN) of a scan of all symbols, for the journal, the log, `explain` and the funnel; of scans that were
    taken in one go (`MarketAhead`, in simulated time alone) scan after scan. `ts`: the last of them."""

    ts: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class Resolved:
    """Forecasts whose outcome is known now (rules.outcomes.OUTCOME), for the journal and the calibration report."""

    ts: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class FitNoise:
    """Fit the Kalman noise of `symbol` to these samples (signals.noise.fit_noise), off the event loop; answered by NoiseFitted."""

    ts: int
    symbol: int
    seconds: NDArray[np.int64]
    y: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line in log and journal: a stable name and its figures (plain values, Decimals as such)."""

    ts: int
    name: str
    level: str = "info"  # debug info warning error
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Persist:
    """State that must survive a restart, replacing what was under `key`; on disk before any later wire command leaves.

    A stop change alone leaves before it: see `stops_alone`.
    """

    ts: int
    key: str
    value: Any  # a mapping or a record that makes a JSON object; whoever keeps it writes it down before the next event


@dataclass(frozen=True, slots=True)
class Regridded:
    """A symbol (index) has a new tick or step from now on: its rows must be in the new units, its bars be sent again."""

    ts: int
    symbol: int
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Stopped:
    """The Trader has done what `stop` asked: the shell may end."""

    ts: int
    reason: str


WriteCommand: TypeAlias = PlaceOrder | CancelOrder | SetStops | SetLeverage
WireCommand: TypeAlias = WriteCommand | Read
Command: TypeAlias = WireCommand | Scanned | Resolved | FitNoise | Note | Persist | Regridded | Stopped


def stops_alone(writes: Sequence[WriteCommand]) -> bool:
    """Is all that a step changes at the venue stops?

    Then it leaves first and is written down after. It carries no id that must be known and can be sent again; where the process
    dies between, the venue tells the stop, and as it is tighter than the one that was kept, it stands.
    """
    return bool(writes) and all(isinstance(command, SetStops) for command in writes)

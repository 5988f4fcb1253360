"""What can be traded and in which units: ticks, steps, limits, leverage, funding interval, risk tiers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from turbo_trader.market.grid import on_grid, plain

#: Old names of the venue and what they became.
RENAMED = {"MATICUSDT": "POLUSDT", "RNDRUSDT": "RENDERUSDT"}

#: The default universe: the fifteen symbols of the rules, section 1.
_COINS = "BTC ETH SOL XRP BNB AVAX ADA LINK DOGE LTC POL ARB OP RENDER INJ"
UNIVERSE = tuple(f"{coin}USDT" for coin in _COINS.split())


class InstrumentStatus(StrEnum):
    """A contract's life at the venue. A status not known here goes by the venue's own name, and is not open for entries."""

    PRE_LAUNCH = "PreLaunch"
    TRADING = "Trading"
    DELIVERING = "Delivering"
    CLOSED = "Closed"
    ASSUMED = "Assumed"  # ours: the stand-in of a symbol whose real figures are not known, which trades


#: Contracts in these states can be bought and sold.
TRADABLE = (InstrumentStatus.TRADING, InstrumentStatus.ASSUMED)


@dataclass(frozen=True, slots=True)
class RiskTier:
    """One row of the venue's risk table: up to `limit` USDT of position value."""

    limit: Decimal
    maintenance_rate: Decimal
    initial_rate: Decimal
    max_leverage: Decimal
    deduction: Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """A linear USDT perpetual. Prices in USDT, quantities in base coin, rates as fractions."""

    symbol: str
    status: str  # InstrumentStatus, where it is known
    tick: Decimal
    step: Decimal
    min_qty: Decimal
    max_qty: Decimal  # limit orders
    max_market_qty: Decimal
    min_notional: Decimal  # entries only
    min_price: Decimal
    max_price: Decimal
    max_leverage: Decimal
    leverage_step: Decimal
    funding_interval_min: int
    funding_cap: Decimal
    price_limit_x: Decimal
    price_limit_y: Decimal
    delivery_ns: int = 0  # 0: none announced
    tiers: tuple[RiskTier, ...] = ()

    @property
    def open_for_entries(self) -> bool:
        """It trades and no end is announced."""
        return self.status in TRADABLE and not self.delivery_ns

    @property
    def closed(self) -> bool:
        """The venue has ended it: there is nothing to listen to."""
        return self.status == InstrumentStatus.CLOSED

    def price(self, ticks: int) -> Decimal:
        """The price of a number of ticks."""
        return plain(self.tick * int(ticks))

    def qty(self, lots: int) -> Decimal:
        """The quantity of a number of lots (quantity steps)."""
        return plain(self.step * int(lots))

    def ticks(self, price: Decimal) -> int:
        """A price as whole ticks; ValueError when it is not on the grid."""
        ticks = price / self.tick
        if ticks != ticks.to_integral_value():
            raise ValueError(f"{self.symbol}: price {price} is not a multiple of the tick {self.tick}")
        return int(ticks)

    def lots(self, qty: Decimal) -> int:
        """A quantity as whole lots; ValueError when it is not on the grid."""
        lots = qty / self.step
        if lots != lots.to_integral_value():
            raise ValueError(f"{self.symbol}: quantity {qty} is not a multiple of the step {self.step}")
        return int(lots)

    def floor_qty(self, qty: Decimal) -> Decimal:
        """The largest quantity on the step that is not above `qty`."""
        return on_grid(qty, self.step, up=False)

    def floor_price(self, price: Decimal) -> Decimal:
        """The highest price on the tick that is not above `price`."""
        return on_grid(price, self.tick, up=False)

    def ceil_price(self, price: Decimal) -> Decimal:
        """The lowest price on the tick that is not below `price`."""
        return on_grid(price, self.tick, up=True)

    def tier(self, position_value: Decimal) -> RiskTier:
        """The risk tier of a position value; the highest one where the value is beyond the table."""
        for tier in self.tiers:
            if position_value <= tier.limit:
                return tier
        return self.tiers[-1]


def simulated_tiers(max_leverage: Decimal, limit: Decimal = Decimal(2_000_000)) -> tuple[RiskTier, ...]:
    """A one-row risk table for simulations: maintenance rate = 1 / (2 x maximum leverage), as the venue's lowest tiers have it.

    The venue's real tables are not recorded; every use of this one is labelled as simulated.
    """
    return (
        RiskTier(
            limit=limit,
            maintenance_rate=1 / (2 * max_leverage),
            initial_rate=1 / max_leverage,
            max_leverage=max_leverage,
            deduction=Decimal(0),
        ),
    )


def resolve(symbol: str) -> str:
    """A symbol as the venue calls it today: upper case, old names replaced."""
    name = symbol.strip().upper()
    return RENAMED.get(name, name)


def perpetual(coin: str) -> str:
    """The USDT perpetual of a coin, or the symbol itself where one was given, as the venue calls it today."""
    name = resolve(coin)
    return name if name.endswith("USDT") else resolve(f"{name}USDT")

"""The size of an entry: the smallest of all limits of section 7, and which limit it is. Money is Decimal, USDT; nothing
is rounded up past a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.market.grid import on_grid
from turbo_trader.market.instruments import Instrument, RiskTier
from turbo_trader.rules.choices import LeveragePolicy, TradeSize
from turbo_trader.rules.gate import TIER_A

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

ZERO = Decimal(0)
ONE = Decimal(1)
MINIMUM = "minimum order"
BOUNDLESS = Decimal("1e12")  # the notional of a limit that bounds nothing, USDT


@dataclass(frozen=True, slots=True)
class Account:
    """What there is to risk. `balance` B = available + margin in use; `session_result` = realised since
    the session began, fees in."""

    equity: Decimal
    balance: Decimal
    available: Decimal
    session_start_equity: Decimal
    session_result: Decimal


@dataclass(kw_only=True, frozen=True, slots=True)
class OpenRisk:
    """One open position (or an entry under way): `stop_distance` is the loss at its current stop as a
    fraction of entry, < 0 = locked gain."""

    symbol: str
    direction: int
    notional: Decimal  # at entry
    margin: Decimal
    stop_distance: Decimal
    cost: Decimal  # round trip, fraction
    range_tail: Decimal  # 99.9 % one-minute range, fraction

    @property
    def loss_at_stop(self) -> Decimal:
        """Loss if the current stop is hit, costs included, >= 0."""
        return max(ZERO, self.notional * (self.stop_distance + self.cost))

    @property
    def loss_together(self) -> Decimal:
        """Its share of the same-direction row: notional x (SL + c + range tail), >= 0."""
        return max(ZERO, self.notional * (self.stop_distance + self.cost + self.range_tail))


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry to be sized. Distances are fractions of `price`, the price assumed for the fill (the
    entry's limit)."""

    instrument: Instrument
    direction: int
    trade_tier: int  # scan.TIER_A or TIER_B
    price: Decimal
    stop_loss: Decimal
    cost: Decimal
    slippage: Decimal  # beyond the stop when it is hit
    range_tail: Decimal
    mark_gap: Decimal  # usual |mark/last - 1|
    taker_fee: Decimal
    weight: Decimal  # portfolio weight
    symbols: int  # N, symbols traded


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer. `qty` 0: no trade, and `refusal` says why. `binding` names the limit that set the size."""

    qty: Decimal
    notional: Decimal
    leverage: Decimal
    margin: Decimal
    liquidation: Decimal  # estimated liquidation price
    binding: str
    refusal: str = ""
    needed: str = ""  # what would have had to differ
    limits: dict[str, Decimal] = field(default_factory=dict)  # the largest notional each limit allows
    highest: Decimal = ZERO  # leverage allowed, and by what
    highest_by: str = ""
    floor: Decimal = ZERO  # the least notional of such a trade

    @property
    def allowed(self) -> dict[str, str]:
        """`limits` as text, USDT, the smallest first; without those that bound nothing."""
        bounds = sorted((amount, name) for name, amount in self.limits.items() if amount < BOUNDLESS)
        return {name: f"{amount:.2f}" for amount, name in bounds}


@dataclass(frozen=True, slots=True)
class _Bound:
    notional: Decimal
    leverage: Decimal  # the highest allowed, and by what
    leverage_by: str
    limits: dict[str, Decimal]
    binding: str


def size_entry(
    policy: Policy, account: Account, open_risks: Sequence[OpenRisk], entry: Entry, losses: int = 0
) -> Sizing:
    """The size of an entry; `losses` = consecutive losses so far. No limit is exceeded, whatever the account.

    Per row of the risk table: the leverage allowed by its maintenance rate, the notional allowed by every
    limit; the largest wins.
    """
    tiers = entry.instrument.tiers
    if not tiers:
        why = f"{entry.instrument.symbol}: its risk tiers are not known"
        return _refused("no risk table", why, "the venue's risk tiers", {})
    fixed = _risk_limits(policy, account, open_risks, entry)
    bounds = [_bound(policy, account, open_risks, entry, tier, fixed) for tier in tiers]
    best = max(bounds, key=lambda bound: bound.notional)
    notional, binding = _at_least_the_minimum(policy, entry, best)
    floor = least_notional(policy, account, entry, best.leverage)
    if notional < floor and best.leverage >= 1:
        why = f"{entry.instrument.symbol}: {binding} allows {notional:.2f} USDT, below the least size of {floor:.2f}"
        return _refused(
            binding, why, f"{floor:.2f} USDT notional allowed by {binding} (was {notional:.2f})", best.limits
        )
    if losses >= policy.losses_to_halve and notional > 0:
        notional, floor, binding = (
            notional * policy.losses_factor,
            floor * policy.losses_factor,
            f"{binding}, halved",
        )
    return replace(_finish(policy, account, entry, best, notional, binding), floor=floor)


def _at_least_the_minimum(policy: Policy, entry: Entry, bound: _Bound) -> tuple[Decimal, str]:
    """The notional and what set it: under MINIMUM_ORDER the smallest order, where only the margin target is below it."""
    least = smallest_qty(entry.instrument, entry.price, policy.min_entry_notional) * entry.price
    others = (value for name, value in bound.limits.items() if name != "margin target")
    if policy.minimum_order and bound.notional < least <= min(others, default=ZERO):
        return least, MINIMUM
    return bound.notional, bound.binding


def least_notional(policy: Policy, account: Account, entry: Entry, leverage: Decimal) -> Decimal:
    """The least notional (USDT) of a trade: MIN_SIZE_SHARE of the low margin target at this leverage.

    A smaller one holds a slot that a trade of the size asked for could have: a crumb. Under SIZE=earned evidence says how small.
    """
    if policy.size is TradeSize.EARNED:
        return ZERO
    low = policy.a_margin_low if entry.trade_tier == TIER_A else policy.b_margin_low
    low = min(low, margin_cap(policy, account.equity))
    return policy.min_size_share * low * max(ZERO, account.balance) * leverage


def least_loss(policy: Policy, equity: Decimal) -> Decimal:
    """What the least trade of any tier may lose (USDT): a B-trade at the highest leverage, its nearest stop and the fees."""
    if policy.size is TradeSize.EARNED:
        return ZERO
    low = min(policy.a_margin_low, policy.b_margin_low)
    notional = policy.min_size_share * low * policy.max_leverage * max(ZERO, equity)
    return notional * (min(policy.sl_min, policy.b_sl_min) + policy.round_trip_fee)


def resize(
    policy: Policy, account: Account, entry: Entry, sizing: Sizing, qty: Decimal, binding: str
) -> Sizing:
    """The same limits with a smaller quantity, which `binding` says, at the lowest leverage that keeps its margin within target."""
    notional = qty * entry.price
    target = margin_target(policy, entry.trade_tier, entry.weight, entry.symbols)
    most = min(target, margin_cap(policy, account.equity)) * account.balance
    room = min(most, sizing.limits["total margin"] / sizing.highest)
    leverage = _lowest_leverage(entry, notional, room, account.available, sizing.highest)
    rate = entry.instrument.tier(notional).maintenance_rate
    liquidation = liquidation_price(entry.direction, entry.price, leverage, rate)
    return replace(
        sizing, qty=qty, notional=notional, leverage=leverage, margin=notional / leverage, liquidation=liquidation,
        binding=binding,
    )  # fmt: skip


def smallest_qty(instrument: Instrument, price: Decimal, min_notional: Decimal) -> Decimal:
    """The smallest quantity an entry may have: minimum quantity, and the minimum notional, on the step."""
    needed = max(instrument.min_notional, min_notional) / price
    return max(instrument.min_qty, on_grid(needed, instrument.step, up=True))


def margin_target(policy: Policy, trade_tier: int, weight: Decimal, symbols: int) -> Decimal:
    """The margin target as a share of B: low + (high - low) x clip(weight x N / 2, 0, 1)."""
    a_trade = trade_tier == TIER_A
    low = policy.a_margin_low if a_trade else policy.b_margin_low
    high = policy.a_margin_high if a_trade else policy.b_margin_high
    return low + (high - low) * min(ONE, max(ZERO, weight * symbols / 2))


def reference_notional(policy: Policy, equity: Decimal) -> Decimal:
    """The notional (USDT) that slippage is reckoned at before there is a size: what an A-trade may risk, at the narrowest stop.

    At the default rates no size that meets the loss row is larger: the exact size costs less, not more.
    """
    notional = policy.a_risk * max(ZERO, equity) / (policy.sl_min + policy.round_trip_fee)
    return min(notional, policy.gross_max * max(ZERO, equity)) if policy.gross_max else notional


def margin_cap(policy: Policy, equity: Decimal) -> Decimal:
    """The margin cap per trade as a share of B."""
    if equity < policy.small_below:
        return policy.small_margin_cap
    return policy.medium_margin_cap if equity < policy.medium_below else policy.large_margin_cap


def liquidation_distance(direction: int, leverage: Decimal, maintenance_rate: Decimal) -> Decimal:
    """Distance from entry to liquidation, isolated margin, no deduction, as a fraction of entry (venue
    reference 6.4)."""
    if direction > 0:
        return ONE - (ONE - ONE / leverage) / (ONE - maintenance_rate)
    return (ONE + ONE / leverage) / (ONE + maintenance_rate) - ONE


def liquidation_price(
    direction: int, price: Decimal, leverage: Decimal, maintenance_rate: Decimal
) -> Decimal:
    """The estimated liquidation price of an isolated position entered at `price`."""
    return price * (ONE - direction * liquidation_distance(direction, leverage, maintenance_rate))


def highest_leverage(policy: Policy, entry: Entry, tier: RiskTier) -> tuple[Decimal, str]:
    """The highest leverage on the symbol's step that keeps every limit on it, and that limit; below 1: there is none.

    SL + slippage <= (distance to liquidation - mark gap) / liquidation multiple, solved for the leverage.
    """
    need = (entry.stop_loss + entry.slippage) * policy.liquidation_multiple + entry.mark_gap
    most = policy.max_leverage
    limits = {
        "MAX_LEVERAGE": most,
        "symbol": entry.instrument.max_leverage,
        "risk tier": tier.max_leverage,
        "distance to liquidation": leverage_within(entry.direction, need, tier.maintenance_rate) or most,
    }
    if policy.worst_excursion:
        limits["worst excursion"] = (
            leverage_within(entry.direction, policy.worst_excursion, tier.maintenance_rate) or most
        )
    name = min(limits, key=lambda name: limits[name])
    return on_grid(limits[name], entry.instrument.leverage_step, up=False), name


def leverage_within(direction: int, distance: Decimal, maintenance_rate: Decimal) -> Decimal | None:
    """The leverage whose liquidation lies `distance` (fraction of entry) away: `liquidation_distance` the other way round; None
    where every leverage's does."""
    inverse = direction * (ONE - (ONE - direction * maintenance_rate) * (ONE - direction * distance))
    return ONE / inverse if inverse > 0 else None


def order_cost_rate(entry: Entry, leverage: Decimal) -> Decimal:
    """What the venue holds back per USDT of notional: margin, fee, closing fee at bankruptcy (venue
    reference 6.2)."""
    return ONE / leverage + entry.taker_fee * (2 - entry.direction / leverage)


def _risk_limits(
    policy: Policy, account: Account, open_risks: Sequence[OpenRisk], entry: Entry
) -> dict[str, Decimal]:
    """Notional allowed by the limits that do not depend on leverage."""
    loss_rate = entry.stop_loss + entry.cost + entry.slippage
    risk = policy.a_risk if entry.trade_tier == TIER_A else policy.b_risk
    open_losses = sum((item.loss_at_stop for item in open_risks), ZERO)
    budget = account.session_result - open_losses + policy.session_loss * account.session_start_equity
    together = sum((item.loss_together for item in open_risks if item.direction == entry.direction), ZERO)
    room = policy.same_direction * account.equity - together
    side = {"same direction": _share(room, loss_rate + entry.range_tail)} if policy.same_direction else {}
    instrument = entry.instrument
    if policy.gross_max:
        side["gross"] = policy.gross_max * account.equity - sum((item.notional for item in open_risks), ZERO)
    return {
        "loss at stop": _share(risk * account.equity, loss_rate),
        "session budget": _share(budget, loss_rate),
        **side,
        "maximum quantity": min(instrument.max_qty, instrument.max_market_qty) * entry.price,
    }


def _bound(
    policy: Policy,
    account: Account,
    open_risks: Sequence[OpenRisk],
    entry: Entry,
    tier: RiskTier,
    fixed: dict[str, Decimal],
) -> _Bound:
    leverage, leverage_by = highest_leverage(policy, entry, tier)
    if leverage < 1:
        return _Bound(ZERO, ONE, leverage_by, {**fixed, "leverage": ZERO}, "leverage")
    in_use = sum((item.margin for item in open_risks), ZERO)
    limits = {
        "margin target": margin_target(policy, entry.trade_tier, entry.weight, entry.symbols)
        * account.balance
        * leverage,
        "margin cap": margin_cap(policy, account.equity) * account.balance * leverage,
        **fixed,
        "total margin": max(ZERO, policy.total_margin * account.balance - in_use) * leverage,
        "available": max(ZERO, account.available) / order_cost_rate(entry, leverage),
        "risk tier": tier.limit,
    }
    limits = {name: max(ZERO, value) for name, value in limits.items()}
    binding = min(limits, key=lambda name: limits[name])
    return _Bound(limits[binding], leverage, leverage_by, limits, binding)


def _finish(
    policy: Policy, account: Account, entry: Entry, bound: _Bound, allowed: Decimal, binding: str
) -> Sizing:
    """The quantity on the step within the `allowed` notional, at the lowest leverage that keeps its margin within target."""
    instrument = entry.instrument
    least = smallest_qty(instrument, entry.price, policy.min_entry_notional)
    qty = on_grid(allowed / entry.price, instrument.step, up=False)
    if binding == MINIMUM:
        qty = least
    if qty < least:
        wanted = f"{least * entry.price:.2f} USDT notional"
        why = f"{instrument.symbol}: the smallest order needs {wanted}, {binding} allows {allowed:.2f}"
        return _refused(binding, why, f"{wanted} allowed by {binding} (was {allowed:.2f})", bound.limits)
    notional = qty * entry.price
    target = margin_target(policy, entry.trade_tier, entry.weight, entry.symbols)
    most = min(target, margin_cap(policy, account.equity)) * account.balance
    room = min(most, bound.limits["total margin"] / bound.leverage)
    leverage = bound.leverage
    if policy.leverage_policy is LeveragePolicy.LOWEST:
        leverage = _lowest_leverage(entry, notional, room, account.available, bound.leverage)
    rate = instrument.tier(notional).maintenance_rate
    return Sizing(
        qty=qty,
        notional=notional,
        leverage=leverage,
        margin=notional / leverage,
        liquidation=liquidation_price(entry.direction, entry.price, leverage, rate),
        binding=binding,
        limits=bound.limits,
        highest=bound.leverage,
        highest_by=bound.leverage_by,
    )


def _lowest_leverage(
    entry: Entry, notional: Decimal, margin: Decimal, available: Decimal, top: Decimal
) -> Decimal:
    """The lowest leverage on the step whose margin and order cost fit; `top` fits by construction."""
    step = entry.instrument.leverage_step
    by_margin = notional / margin
    free = available / notional - 2 * entry.taker_fee  # order cost <= available, solved for the leverage
    by_cost = (ONE - entry.taker_fee * entry.direction) / free if free > 0 else top
    wanted = on_grid(max(by_margin, by_cost, ONE), step, up=True)
    return min(wanted, top)


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    """The notional whose loss at `rate` is `amount`; 0 where nothing is left. A rate of 0 or less cannot
    lose: no bound."""
    if amount <= 0:
        return ZERO
    return amount / rate if rate > 0 else BOUNDLESS


def _refused(binding: str, why: str, needed: str, limits: dict[str, Decimal]) -> Sizing:
    return Sizing(
        qty=ZERO,
        notional=ZERO,
        leverage=ONE,
        margin=ZERO,
        liquidation=ZERO,
        binding=binding,
        refusal=why,
        needed=needed,
        limits=limits,
    )

"""I7: each entry against the instrument, the touch, and every row of section 7, in independent arithmetic."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.chaos.bracket_check import passed_row
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.distances_check import Distances
from turbo_trader.chaos.gates_check import A_TIER, TIERS
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.session_check import SessionLimits
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import ExecutionMessage, Message, PositionMessage
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import ExecKind, OrderType, TimeInForce
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import EntryStyle, LeveragePolicy, TradeSize

ONE: Final = Decimal(1)
UNHEARD: Final = 35.0  # s: what happened since the last snapshot may be unknown
SHORT: Final = 2.0  # s: what happened before is known where nothing goes wrong
LESS: Final = Decimal("0.95")  # of leverage and size: slippage and gaps that only the process reckons with
COST: Final = Decimal("0.003")  # of a round trip, at most
LARGE: Final = Decimal("1e12")
EXACT: Final = Decimal("1.004")  # rounding of floats, and prices between two notes of the equity
LOOSE: Final = Decimal("1.01")


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: the largest notional it allows, USDT."""

    name: str
    notional: Decimal


class Sizes(Check):
    """Every entry as it leaves."""

    def __init__(self, world: World, session: SessionLimits) -> None:
        super().__init__(world)
        self._session = session
        self._distances = Distances(world)
        self._net: dict[str, Decimal] = {}
        self._entry_limits: dict[str, Decimal] = {}  # price of the last entry, by symbol
        self._entry_qty: dict[str, Decimal] = {}  # and its quantity
        self._opened: dict[str, Decimal] = {}  # quantity filled of it
        # consecutive ones by the venue's executions, from which time on; at least and at most: the win of a crumb ends no streak,
        # and trades that end close together may be heard of in any order
        self._losses: list[tuple[int, int, int]] = [(0, 0, 0)]
        self._lost: deque[int] = deque(maxlen=8)  # when the last losing trades ended
        self._won = 0  # when the last winning one did

    def message(self, message: Message) -> None:
        """Count losing trades in a row."""
        if not isinstance(message, ExecutionMessage):
            return
        if message.kind == ExecKind.FUNDING:
            self._net[message.symbol] = self._net.get(message.symbol, ZERO) - message.fee
            return
        symbol, opened = message.symbol, message.qty - message.closed_qty
        self._net[symbol] = self._net.get(symbol, ZERO) + message.pnl - message.fee
        self._opened[symbol] = self._opened.get(symbol, ZERO) + opened
        if self.world.ends(message):
            self._ended(symbol, self._net.pop(symbol), self._opened.pop(symbol))

    def _ended(self, symbol: str, net: Decimal, opened: Decimal) -> None:
        _, fewest, most = self._losses[-1]
        now, window = self.world.now, self._hearing()
        if net <= 0:
            fewest, most = fewest + (now - self._won > window), most + 1
            self._lost.append(now)
        else:
            crumb = opened < self._entry_qty.get(symbol, ZERO)
            fewest, most = 0, most if crumb else sum(now - lost <= window for lost in self._lost)
            self._won = now
        self._losses.append((now, fewest, most))

    def _hearing(self) -> int:
        """Within what time the process hears of a trade's end, ns."""
        return int((1.0 if self.world.quiet else UNHEARD) * SECOND)

    def sent(self, sent: Sent) -> None:
        """An entry."""
        if not isinstance(sent, Order) or sent.reduce_only:
            return
        row, instrument = passed_row(self.world, sent), self.world.instrument(sent.symbol)
        self._on_grid(sent, instrument)
        self._near_touch(sent, row)
        self._distances.look(sent, row)
        self._positions(sent, row)
        leverage = (
            self.world.simulation.exchange.accounts[self.world.simulation.uid].position(sent.symbol).leverage
        )
        self._leverage(sent, row, instrument, leverage)
        self._rows(sent, row, instrument, leverage)
        assert sent.price is not None
        self._entry_limits[sent.symbol], self._entry_qty[sent.symbol] = sent.price, sent.qty

    # -- the instrument

    def _on_grid(self, order: Order, instrument: Instrument) -> None:
        assert order.price is not None
        prices = [order.price, order.stop, order.take_profit]
        off = [price for price in prices if price is not None and price % instrument.tick]
        notional = order.qty * order.price
        least = max(self.world.policy.min_entry_notional, instrument.min_notional)
        small = order.qty < instrument.min_qty or notional < least
        large = order.qty > min(instrument.max_qty, instrument.max_market_qty)
        if off or order.qty % instrument.step or small or large:
            raise Violated(
                Invariant.SIZE, "an order off the instrument's grid or limits", order=order, off=off
            )
        if order.triggers != ("LastPrice", "LastPrice", "Full") or order.take_profit is None:
            raise Violated(
                Invariant.SIZE, "stop and backstop do not fire by the last price, in full", order=order
            )

    def _near_touch(self, order: Order, row: Row) -> None:
        policy = self.world.policy
        bid, ask = Decimal(repr(float(row["bid"]))), Decimal(repr(float(row["ask"])))
        tick = self.world.instrument(order.symbol).tick
        assert order.price is not None
        if policy.entry_style is EntryStyle.MAKER:
            wanted, right = (bid if order.side > 0 else ask), order.time_in_force == TimeInForce.POST_ONLY
            far = abs(order.price - wanted) > tick / 2
        else:
            right = order.time_in_force == TimeInForce.IOC and order.window_ms == policy.entry_recv_window
            beyond = order.price - ask if order.side > 0 else bid - order.price
            far = not -tick / 2 <= beyond <= policy.entry_slip_max * ask + tick / 2
        if far or not right or order.kind != OrderType.LIMIT:
            raise Violated(
                Invariant.SIZE,
                "an entry away from the touch, or of the wrong kind",
                order=order,
                bid=bid,
                ask=ask,
            )

    # -- the account

    def _positions(self, order: Order, row: Row) -> None:
        most = getattr(self.world.policy, f"{TIERS[int(row['capital_tier'])]}_max_positions")
        others = sum(1 for p in self.world.held() if p.symbol != order.symbol)
        if others >= most:
            raise Violated(
                Invariant.SIZE, "more positions than the capital tier allows", order=order, open=others
            )

    def _leverage(self, order: Order, row: Row, instrument: Instrument, leverage: Decimal) -> None:
        policy = self.world.policy
        tier = instrument.tier(order.qty * (order.price or ZERO))
        d, stop, gap = (
            order.side,
            Decimal(repr(float(row["stop_loss"]))),
            Decimal(repr(float(row["mark_gap"]))),
        )
        rate = tier.maintenance_rate
        distance = d * (ONE - (ONE - d / leverage) / (ONE - d * rate))
        near = stop * policy.liquidation_multiple > (distance - gap) * LOOSE
        if leverage > min(policy.max_leverage, instrument.max_leverage, tier.max_leverage) or near:
            raise Violated(
                Invariant.SIZE, "leverage beyond its limit, or liquidation too near the stop", order=order, leverage=leverage,
                distance=distance, stop=stop,
            )  # fmt: skip

    def _lowest(self, order: Order, row: Row, leverage: Decimal) -> None:
        """Leverage is the lowest that keeps the margin within its target: so a margin below that needs no leverage."""
        policy = self.world.policy
        if (
            policy.leverage_policy is not LeveragePolicy.LOWEST
            or policy.size is not TradeSize.FULL
            or next(self.world.held(), None) is not None
        ):
            return
        simulation = self.world.simulation
        earlier = (
            each for each in self.world.scans.get(order.symbol, ()) if int(each["ts"]) < int(row["ts"])
        )
        rested = any(
            int(each["blocker"]) < 0 and self.world.now - int(each["ts"]) < 2 * int(UNHEARD * SECOND)
            for each in earlier
        )
        if (
            simulation.exchange.open_orders(simulation.uid)
            or rested
            or self._margin_may_be_promised(order.symbol)
        ):
            return  # orders hold margin, or did when the wallet was last heard of: what is available may ask for more
        part = policy.a_margin_low if int(row["tier"]) == A_TIER else policy.b_margin_low
        margin = order.qty * (order.price or ZERO) / leverage
        least = min(part, policy.small_margin_cap) * self.world.money.lowest(UNHEARD) * Decimal("0.85")
        if leverage > Decimal("1.1") and margin < least:
            raise Violated(
                Invariant.SIZE, "leverage higher than its margin target needs", order=order, leverage=leverage, margin=margin,
                target=least,
            )  # fmt: skip

    def _margin_may_be_promised(self, symbol: str) -> bool:
        """To a position whose end was not heard of, or to an entry of another symbol that is on its way."""
        world, now = self.world, self.world.now
        others = (row for name, rows in world.scans.items() if name != symbol for row in rows)
        entering = any(int(row["blocker"]) < 0 and now - int(row["ts"]) < 21 * SECOND for row in others)
        return entering or now - self._losses[-1][0] < int(UNHEARD * SECOND)

    def _rows(self, order: Order, row: Row, instrument: Instrument, leverage: Decimal) -> None:
        assert order.price is not None
        policy = self.world.policy
        notional = order.qty * order.price
        fewest, most = self.known_losses()
        factor = policy.losses_factor if fewest >= policy.losses_to_halve else ONE
        highest = self._highest(order, row, instrument)
        for limit in self._limits(row, leverage, highest, factor):
            if notional > limit.notional * EXACT:
                raise Violated(
                    Invariant.SIZE, f"an entry larger than allowed by {limit.name}", order=order, notional=notional,
                    allowed=limit.notional, factor=factor, leverage=leverage, highest=highest,
                )  # fmt: skip
        fewer = policy.losses_factor if most >= policy.losses_to_halve else ONE
        self._within_session(order, row)
        self._not_a_crumb(order, row, highest, fewer)
        self._not_too_small(order, row, highest, fewer)
        self._lowest(order, row, leverage)

    def known_losses(self) -> tuple[int, int]:
        """Consecutive losses; where messages may be lost, the fewest and the most since the last snapshot."""
        since = self.world.now - self._hearing()
        recent = [each for each in self._losses if each[0] >= since]
        known = recent + [each for each in self._losses if each[0] < since][-1:]
        return min(fewest for _, fewest, _ in known), max(most for _, _, most in known)

    def _highest(self, order: Order, row: Row, instrument: Instrument) -> Decimal:
        """The highest leverage the rules allow: the stop lies within half of the way to liquidation."""
        policy, d = self.world.policy, order.side
        tier = instrument.tier(order.qty * (order.price or ZERO))
        stop, gap = Decimal(repr(float(row["stop_loss"]))), Decimal(repr(float(row["mark_gap"])))
        inverse = d * (
            ONE - (ONE - d * tier.maintenance_rate) * (ONE - d * (stop * policy.liquidation_multiple + gap))
        )
        by_liquidation = ONE / inverse if inverse > 0 else policy.max_leverage
        return min(policy.max_leverage, instrument.max_leverage, tier.max_leverage, by_liquidation)

    def _limits(self, row: Row, leverage: Decimal, highest: Decimal, factor: Decimal) -> list[Limit]:
        """`factor`: of every row after losses; the margin itself may be whole, at a lower leverage."""
        world, policy = self.world, self.world.policy
        _, equity = world.money.equities(UNHEARD)
        a_trade = int(row["tier"]) == A_TIER
        risk = policy.a_risk if a_trade else policy.b_risk
        high = policy.a_margin_high if a_trade else policy.b_margin_high
        decided = world.decided[int(row["ts"])]
        balance = self._balance(decided)
        loss = Decimal(repr(float(row["stop_loss"]))) + self._least_cost(row)
        cap = policy.large_margin_cap
        if equity < policy.small_below:
            cap = policy.small_margin_cap
        elif equity < policy.medium_below:
            cap = policy.medium_margin_cap
        in_use = sum((self._known_margin(p, decided) for p in world.held()), ZERO)
        target = min(high, cap) * balance
        return [
            Limit("loss at the stop", risk * equity / loss * factor),
            Limit("margin target or cap, in force", target * leverage),
            Limit("margin target or cap, at the highest leverage", target * highest * factor),
            Limit("total margin", max(ZERO, policy.total_margin * balance - in_use) * leverage * LOOSE),
        ]

    # -- the session's budget

    def _within_session(self, order: Order, row: Row) -> None:
        """What this entry loses at its stop fits into what is left of the session's loss."""
        budget = self._session.left_to_lose() - sum(
            (self._least_loss(p) for p in self.world.held() if p.symbol != order.symbol), ZERO
        )
        assert order.price is not None
        loss = order.qty * order.price * (Decimal(repr(row["stop_loss"])) + self._least_cost(row))
        if loss > max(ZERO, budget) * LOOSE:
            raise Violated(
                Invariant.SIZE, "an entry larger than allowed by the session's budget", order=order, loss=loss, budget=budget
            )  # fmt: skip

    def _least_loss(self, position: PositionMessage) -> Decimal:
        """What a position loses at the tightest stop the process may know of, both fees with it; one it may not know: nothing."""
        heard = self.world.heard.get(position.symbol)
        if heard is None or heard.size != position.size or position.stop_loss is None or heard.stop is None:
            return ZERO
        d = 1 if position.size > 0 else -1
        stop = d * max(d * position.stop_loss, d * heard.stop)
        fees = 2 * self.world.policy.maker_fee * position.entry_price
        return max(ZERO, abs(position.size) * (d * (position.entry_price - stop) + fees))

    # -- not less than the rules give

    def _not_too_small(self, order: Order, row: Row, highest: Decimal, factor: Decimal) -> None:
        """Where all is known at once: the size is that of the smallest limit, but for what the process alone knows."""
        world, policy = self.world, self.world.policy
        if not world.quiet or policy.size is not TradeSize.FULL or self._margin_may_be_promised(order.symbol):
            return
        assert order.price is not None
        low = min(world.money.equities(SHORT)[0], world.balance)
        a_trade, leverage = int(row["tier"]) == A_TIER, highest * LESS
        loss = Decimal(repr(row["stop_loss"] + row["cost"] + row["slippage"]))
        part = policy.a_margin_low if a_trade else policy.b_margin_low
        in_use = sum((position.margin for position in world.held()), ZERO)
        held = [p for p in world.held() if p.symbol != order.symbol]
        budget = self._session.surely_left_to_lose() - sum((self._most_loss(p) for p in held), ZERO)
        limits = {
            "loss at the stop": (policy.a_risk if a_trade else policy.b_risk) * low / loss,
            "margin target": min(part, policy.small_margin_cap) * low * leverage,
            "total margin": (policy.total_margin * low - in_use) * leverage,
            "available": (low - in_use) / (ONE / leverage + 2 * policy.taker_fee),
            "session budget": budget / loss,
            "quantity": min(world.instrument(order.symbol).max_market_qty, LARGE) * order.price,
        }
        name = min(limits, key=lambda each: limits[each])
        least = limits[name] * factor * LESS - world.instrument(order.symbol).step * order.price
        if order.qty * order.price < least:
            raise Violated(
                Invariant.SIZE, f"an entry smaller than {name} gives", order=order, notional=order.qty * order.price, least=least
            )  # fmt: skip

    def _most_loss(self, position: PositionMessage) -> Decimal:
        d = 1 if position.size > 0 else -1
        stop = position.stop_loss if position.stop_loss is not None else position.entry_price
        return abs(position.size) * (
            max(ZERO, d * (position.entry_price - stop)) + COST * position.entry_price
        )

    def _unheard(self, position: PositionMessage, decided: int) -> Decimal:
        """The notional its entry asked for, where its fill was heard of after `decided`; else 0.

        A jump may have filled it far better.
        """
        heard, limit = self.world.heard.get(position.symbol), self._entry_limits.get(position.symbol)
        if limit is None or (heard is not None and heard.size == position.size and heard.since <= decided):
            return ZERO
        return abs(position.size) * limit

    def _known_margin(self, position: PositionMessage, decided: int) -> Decimal:
        """A position's margin as the process may have known it then: what the venue adds for fees is heard with the fill."""
        asked = self._unheard(position, decided)
        return min(position.margin, asked / position.leverage) if asked else position.margin

    def _balance(self, decided: int) -> Decimal:
        """B at most: isolated margins and what is free make the wallet; what was lost since the last snapshot may be unknown."""
        _, high = self.world.money.equities(UNHEARD)
        unknown = self.world.transferred - self.world.recognised
        fees = self.world.policy.taker_fee * sum((self._unheard(p, decided) for p in self.world.held()), ZERO)
        return max(self.world.balance - min(unknown, ZERO), high) + fees

    def _least_cost(self, row: Row) -> Decimal:
        policy = self.world.policy
        fees = policy.taker_fee + (
            policy.maker_fee if policy.entry_style is EntryStyle.MAKER else policy.taker_fee
        )
        part = Decimal("0.5") if policy.entry_style is EntryStyle.MAKER else ONE
        return fees + part * Decimal(repr(float(row["spread"])))

    def _not_a_crumb(self, order: Order, row: Row, highest: Decimal, factor: Decimal) -> None:
        """Half of the low target at the highest leverage is the least."""
        policy = self.world.policy
        if policy.size is not TradeSize.FULL:
            return
        part = policy.a_margin_low if int(row["tier"]) == A_TIER else policy.b_margin_low
        least = policy.min_size_share * part * self.world.money.lowest(UNHEARD) * highest * factor
        assert order.price is not None
        if (
            order.qty * order.price
            < least * Decimal("0.9") - self.world.instrument(order.symbol).step * order.price
        ):
            raise Violated(
                Invariant.SIZE,
                "an entry smaller than the least size",
                order=order,
                least=least,
                highest=highest,
            )

"""I7: stop, backstop and target of an entry by the ranges of its signal tier, and the signals behind that tier."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from turbo_trader.chaos.figures_check import Figures
from turbo_trader.chaos.gates_check import A_TIER, B_TIER, TIERS, Gates
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import SECOND

TICKS: Final = 2


class Distances:
    """What an entry attaches, and whether its scan allows it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._gates = Gates(world)
        self._figures = Figures(world)

    def look(self, order: Order, row: Row) -> None:
        """Raise Violated where the order or its scan is not by the rules."""
        self._attached(order, row)
        self._figures.of_an_entry(row, int(row["symbol"]))
        self._allowed(order, row)

    # -- stop and backstop

    def _attached(self, order: Order, row: Row) -> None:
        policy = self._world.policy
        assert order.price is not None
        assert order.stop is not None
        assert order.take_profit is not None
        tick = self._world.instrument(order.symbol).tick
        slack = TICKS * tick / order.price
        beyond = policy.zone_two + policy.backstop_extra
        profit = order.side * (order.take_profit / order.price - 1) / beyond
        stop = -order.side * (order.stop / order.price - 1)
        low, high = self._stops(profit, slack, int(row["tier"]))
        tp_low, tp_high = (
            (policy.tp_min, policy.tp_max)
            if int(row["tier"]) == A_TIER
            else (policy.b_tp_min, policy.b_tp_max)
        )
        if not low - slack <= stop <= high + slack or not tp_low - slack <= profit <= tp_high + slack:
            raise Violated(
                Invariant.SIZE, "stop or backstop away from the ranges of the signal tier", order=order, tier=int(row["tier"]),
                stop=stop, stops=(low, high), target=profit, targets=(tp_low, tp_high),
            )  # fmt: skip
        self._by_volatility(row, profit, slack)

    def _stops(self, profit: Decimal, slack: Decimal, tier: int) -> tuple[Decimal, Decimal]:
        """The stop distances that go with a target."""
        policy = self._world.policy

        def clamp(value: Decimal, low: Decimal, high: Decimal) -> Decimal:
            return min(max(value, low), high)

        if tier == A_TIER:
            normal = (profit - slack, profit + slack)
        else:  # before it was scaled and clamped, the target may have been any of these
            low = (
                policy.tp_min if profit <= policy.b_tp_min + slack else (profit - slack) / policy.b_tp_factor
            )
            high = (
                policy.tp_max if profit >= policy.b_tp_max - slack else (profit + slack) / policy.b_tp_factor
            )
            normal = (clamp(low, policy.tp_min, policy.tp_max), clamp(high, policy.tp_min, policy.tp_max))
        stops = [clamp(policy.sl_of_tp * each, policy.sl_min, policy.sl_max) for each in normal]
        if tier == B_TIER:
            stops = [clamp(policy.b_sl_factor * each, policy.b_sl_min, policy.b_sl_max) for each in stops]
        return stops[0], stops[1]

    def _by_volatility(self, row: Row, profit: Decimal, slack: Decimal) -> None:
        """TP = clamp(1.5 sigma sqrt(h)), from the volatility in the journal."""
        policy, name = self._world.policy, TIERS[int(row["capital_tier"])]
        horizon = getattr(policy, f"{name}_horizon")
        wanted = float(policy.tp_sigmas) * float(row["sigma"]) * horizon**0.5
        wanted = min(max(wanted, float(policy.tp_min)), float(policy.tp_max))
        if int(row["tier"]) == B_TIER:
            wanted = min(
                max(float(policy.b_tp_factor) * wanted, float(policy.b_tp_min)), float(policy.b_tp_max)
            )
        if abs(float(profit) - wanted) > float(slack):
            raise Violated(
                Invariant.SIZE,
                "the target is not 1.5 sigma sqrt(h) in its range",
                target=profit,
                wanted=wanted,
            )

    # -- the scan

    def _allowed(self, order: Order, row: Row) -> None:
        """The gates that need no account, once more."""
        refused = self._announced(row) or ("" if self._gates.skipped else self._gates.refusal(row))
        if refused:
            raise Violated(
                Invariant.LIMITS, f"an entry that {refused} does not allow", order=order, ts=row["ts"]
            )

    def _announced(self, row: Row) -> str:
        """What the venue has said of maintenance, its clock and the end of contracts."""
        policy, decided = (
            self._world.policy,
            self._world.decided[int(row["ts"])],
        )  # the row has the process's time
        if (notice := self._world.notice) is not None:
            begin, end, since = notice
            if begin - policy.maintenance_lead * SECOND < row["ts"] < end and decided > since:
                return "an announced maintenance"
        offset, since = self._world.offset
        if abs(offset) >= policy.max_clock_offset * SECOND and decided > since:
            return "the clock's offset"
        ends = self._world.ending.get(self._gates.symbol(row))
        return "the end of its contract" if ends is not None and decided > ends[1] else ""

"""I7: stop, backstop and target of an entry by the ranges of its signal tier, and the signals behind that tier."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order
from turbo_trader.chaos.world import World
from turbo_trader.numbers.number import Belief

A_TIER, B_TIER = 2, 1
TICKS: Final = 2
NAMES: Final = ("turbo", "growing", "institutional")


class Distances:
    """What an entry attaches, and whether its scan allows it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(self, order: Order, row: Any) -> None:
        """Raise Violated where the order or its scan is not by the rules."""
        self._attached(order, row)
        self._allowed(order, row)

    # -- stop and backstop

    def _attached(self, order: Order, row: Any) -> None:
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

    def _by_volatility(self, row: Any, profit: Decimal, slack: Decimal) -> None:
        """TP = clamp(1.5 sigma sqrt(h)), from the volatility in the journal."""
        policy, name = self._world.policy, NAMES[int(row["capital_tier"])]
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

    def _allowed(self, order: Order, row: Any) -> None:
        """The gates that need no account, once more."""
        refused = self._data(row) or self._signals(order, row) or self._worth(row)
        if refused:
            raise Violated(
                Invariant.LIMITS, f"an entry that {refused} does not allow", order=order, ts=int(row["ts"])
            )

    def _data(self, row: Any) -> str:
        policy = self._world.policy
        if not row["warm"] or not row["fresh"] or int(row["age"]) > float(policy.stale_book) * 1e9:
            return "its data"
        if not float(row["spread"]) < float(policy.max_spread) or float(row["mark_gap"]) > float(
            policy.max_mark_gap
        ):
            return "the spread or mark"
        if int(row["jump_age"]) < policy.violent_pause * 10**9:
            return "a violent move"
        interval = self._world.instrument(self._symbol(row)).funding_interval_min * 60 * 10**9
        phase = int(row["ts"]) % interval
        if min(phase, interval - phase) <= policy.settlement_window * 10**9:
            return "a funding settlement"
        if (notice := self._world.notice) is not None:
            begin, end, since = notice
            if max(since, begin - policy.maintenance_lead * 10**9) < int(row["ts"]) < end:
                return "an announced maintenance"
        offset, since = self._world.offset
        if abs(offset) >= policy.max_clock_offset * 10**9 and int(row["ts"]) > since:
            return "the clock's offset"
        ends = self._world.ending.get(self._symbol(row))
        return "the end of its contract" if ends is not None and int(row["ts"]) > ends[1] else ""

    def _symbol(self, row: Any) -> str:
        return self._world.simulation.exchange.instruments[int(row["symbol"])].symbol

    def _signals(self, order: Order, row: Any) -> str:
        """OFI and OU_DRIFT, with at least one other for A; by the scores themselves."""
        policy, d, valid = self._world.policy, float(order.side), int(row["valid"])
        confirmed = {
            "OFI": valid & 1 and d * float(row["score"][0]) > float(policy.ofi_threshold),
            "VWAP": valid & 2 and -d * float(row["vwap_gap"]) >= float(policy.vwap_min_gap),
            "ACCEL": valid & 4 and d * float(row["accel_z"]) > float(policy.accel_threshold),
            "FUNDING": valid & 8 and -d * float(row["funding_8h"]) > float(policy.funding_threshold),
            "OU_DRIFT": valid & 16 and d * float(row["ou_z"]) < -float(policy.ou_threshold),
        }
        name, tier = NAMES[int(row["capital_tier"])], int(row["tier"])
        if not (confirmed["OFI"] and confirmed["OU_DRIFT"]):
            return "OFI and OU_DRIFT"
        others = sum(bool(confirmed[other]) for other in ("VWAP", "ACCEL", "FUNDING"))
        if tier == A_TIER and others < policy.a_min_others:
            return "signal tier A"
        if tier == B_TIER and not getattr(policy, f"{name}_b_trades"):
            return "signal tier B"
        return "" if tier in (A_TIER, B_TIER) else "its signal tier"

    def _worth(self, row: Any) -> str:
        policy, name = self._world.policy, NAMES[int(row["capital_tier"])]
        belief = tuple(Belief).index(policy.belief)
        d, edge = int(row["direction"]), float(row["forecasts"][belief])
        if d * edge <= 0:
            return "the direction of the forecast"
        if float(row["snrs"][belief]) <= float(getattr(policy, f"{name}_min_snr")):
            return "the pre-filter (SNR)"
        if float(row["confidences"][belief]) <= float(getattr(policy, f"{name}_min_confidence")):
            return "the pre-filter (confidence)"
        profit, cost, p = float(row["take_profit"]), float(row["cost"]), float(row["used_p_tp"])
        if p * profit < float(getattr(policy, f"{name}_fee_multiplier")) * cost - 1e-9:
            return "fee protection"
        pays = (
            max(float(policy.break_even_min), cost)
            if policy.break_even_cost
            else float(policy.break_even_min)
        )
        if profit * float(policy.zone_one) <= pays + float(policy.break_even_extra) - 1e-9:
            return "a target that exceeds the cost"
        if belief == 0:
            value = p * profit - (1 - p) * float(row["stop_loss"]) - cost
            if abs(value - float(row["used_ev"])) > 1e-6 or value < float(row["min_ev"]) - 1e-9:
                return "net EV"
        return "" if float(row["used_ev"]) >= float(row["min_ev"]) - 1e-9 else "net EV"

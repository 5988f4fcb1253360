"""I6, I13: every scan in the journal once more, gate by gate, from its figures: what must be refused is, what must pass does."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from turbo_trader.chaos.figures_check import Figures
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.choices import Answer, EntryStyle

A_TIER: Final = 2
B_TIER: Final = 1
TIERS: Final = ("turbo", "growing", "institutional")
GATES: Final = ("data", "pre-filter", "tier", "consensus", "flat", "fee", "EV")  # those that need no account
EXACT: Final = 1e-9  # of figures that are kept as floats
JUST: Final = 2 * SECOND
LEADER: Final = "BTCUSDT"


class Gates:
    """The gates that need no account, in plain arithmetic."""

    def __init__(self, world: World) -> None:
        self._world = world
        policy = world.policy
        self._numbers = {
            name: float(value) for name, value in policy if isinstance(value, int | float | Decimal)
        }
        self._belief = tuple(Belief).index(policy.belief)
        self._figures = Figures(world)
        self.skipped = policy.belief is Belief.MEASURED or policy.scored  # maps and scores are not recomputed

    def symbol(self, row: Row) -> str:
        """Which symbol was scanned."""
        return self._world.simulation.exchange.instruments[int(row["symbol"])].symbol

    def look(self, scanned: Sequence[Row]) -> None:
        """Raise Violated where a scan lets pass what the rules refuse, or refuses what they let pass."""
        if self.skipped:
            return
        leader = next((row for row in scanned if self.symbol(row) == LEADER), None)
        if leader is not None and leader["big_move_age"] < JUST:
            return  # whether it was known in time to the other symbols is a matter of one second
        low, high = self._world.money.equities(35.0)
        # before its first prices a life values what it holds at the entry: the equity is the wallet
        low, high = min(low, self._world.balance), max(high, self._world.balance)
        for row in scanned:
            self._of_its_capital(row, low, high)
            self._figures.look(row, int(row["symbol"]))
            blocker = int(row["blocker"])
            if not blocker and not self._world.quiet:
                continue  # for its data: clock, maintenance and key are not in the row
            refusal = self.refusal(row, leader)
            if refusal and not 0 <= blocker < len(GATES):
                raise Violated(
                    Invariant.LIMITS, f"a scan passes that {refusal} does not allow", symbol=self.symbol(row), row=row
                )  # fmt: skip
            refused = GATES[blocker] if 0 <= blocker < len(GATES) else ""
            if refused and refused != refusal:
                raise Violated(
                    Invariant.LIVES, f"a scan is refused for {refused}, where the rules refuse it for {refusal or 'nothing'}",
                    symbol=self.symbol(row), row=row,
                )  # fmt: skip

    # -- the capital tier

    def _of_its_capital(self, row: Row, low: Decimal, high: Decimal) -> None:
        """The capital tier, and the numbers that go with it, are those of an equity that the account may have had."""
        policy, index = self._world.policy, int(row["capital_tier"])
        least, most = self._tier(low), self._tier(high / (1 - policy.tier_hysteresis))
        name = TIERS[index]
        numbers = {
            "horizon_s": self._numbers[f"{name}_horizon"],
            "hold_s": self._numbers[f"{name}_max_hold"],
        }
        wrong = [each for each, number in numbers.items() if row[each] != number]
        minimums = {float(self._least_ev(equity, index)) for equity in (low, high)}
        fits = min(minimums) - EXACT <= row["min_ev"] <= max(minimums) + EXACT or len(minimums) > 1
        if not least <= index <= most or wrong or not fits:
            raise Violated(
                Invariant.LIMITS, "a scan by the numbers of another capital tier", tier=name, equity=(low, high), wrong=wrong,
                min_ev=row["min_ev"], minimums=sorted(minimums),
            )  # fmt: skip

    def _tier(self, equity: Decimal) -> int:
        policy = self._world.policy
        if equity >= policy.institutional_from:
            return 2
        return 0 if policy.micro_turbo_mode and equity < policy.turbo_below else 1

    def _least_ev(self, equity: Decimal, index: int) -> Decimal:
        policy = self._world.policy
        if index == 0 and equity <= policy.zero_min_ev_up_to:
            return Decimal(0)
        steps = (
            (policy.micro_below, policy.micro_min_ev),
            (policy.turbo_below, policy.turbo_min_ev),
            (policy.institutional_from, policy.growing_min_ev),
        )
        return next((value for below, value in steps if equity < below), policy.institutional_min_ev)

    # -- the gates

    def refusal(self, row: Row, leader: Row | None = None) -> str:
        """The first gate that does not let this row pass; "" = all do. `leader`: the scan of BTC at the same time."""
        if not self.data(row, leader):
            return "data"
        if not self._forecast(row):
            return "pre-filter"
        tier = self.tier(row)
        self._tier_agrees(row, tier)
        if not tier:
            return "tier"
        if not self._consensus(row):
            return "consensus"
        if not self._flat(row):
            return "flat"
        self._distances(row, tier)
        self._cost(row)
        return self.worth(row)

    def data(self, row: Row, leader: Row | None = None) -> bool:
        """Warm, fresh, spread, mark, no violent move, no settlement, as far as a row tells."""
        n = self._numbers
        if not row["warm"] or not row["fresh"] or row["age"] > n["stale_book"] * SECOND:
            return False
        if not row["spread"] < n["max_spread"] or not row["mark_gap"] <= n["max_mark_gap"]:
            return False
        pause = n["violent_pause"] * SECOND
        if row["jump_age"] < pause or (leader is not None and leader["big_move_age"] < pause):
            return False
        interval = self._funding_interval(row)
        phase = row["ts"] % interval
        return bool(min(phase, interval - phase) > n["settlement_window"] * SECOND)

    def _funding_interval(self, row: Row) -> int:
        return self._world.instrument(self.symbol(row)).funding_interval_min * 60 * SECOND

    def _forecast(self, row: Row) -> bool:
        name, b, d = TIERS[int(row["capital_tier"])], self._belief, row["direction"]
        forecast = row["forecasts"][b]
        if d != (forecast > 0) - (forecast < 0):
            raise Violated(
                Invariant.LIMITS,
                "the direction is not that of the forecast",
                symbol=self.symbol(row),
                row=row,
            )
        by_snr = row["snrs"][b] > self._numbers[f"{name}_min_snr"]
        return bool(d and by_snr and row["confidences"][b] > self._numbers[f"{name}_min_confidence"])

    def tier(self, row: Row) -> int:
        """A: OFI, OU_DRIFT and another; B: those two; by the scores themselves."""
        n, d, valid = self._numbers, row["direction"], int(row["valid"])
        band = abs(row["vwap_gap"] / row["vwap_z"]) if row["vwap_z"] else 0.0
        cheap = max(n["vwap_min_gap"], n["vwap_min_sd"] * band)
        if not (valid & 1 and d * row["score"][0] > n["ofi_threshold"]):
            return 0
        if not (valid & 16 and -d * row["ou_z"] > n["ou_threshold"]):
            return 0
        others = sum((
            bool(valid & 2) and -d * row["vwap_gap"] >= cheap - EXACT,
            bool(valid & 4) and d * row["accel_z"] > n["accel_threshold"],
            bool(valid & 8) and -d * row["funding_8h"] > n["funding_threshold"],
        ))  # fmt: skip
        if others >= n["a_min_others"]:
            return A_TIER
        return B_TIER if n[f"{TIERS[int(row['capital_tier'])]}_b_trades"] else 0

    def _tier_agrees(self, row: Row, tier: int) -> None:
        if tier != int(row["tier"]):
            raise Violated(
                Invariant.LIMITS, "the signal tier is not what the signals give", symbol=self.symbol(row), tier=tier, row=row
            )  # fmt: skip

    def _consensus(self, row: Row) -> bool:
        if row["consensus_horizons"] > 0 and row["consensus"] >= self._numbers["low_consensus"]:
            return True
        policy, name = self._world.policy, TIERS[int(row["capital_tier"])]
        low, high = self._world.money.equities(35.0)
        answers = {
            policy.turbo_low_consensus
            if policy.micro_turbo_mode and equity <= policy.turbo_consensus_up_to
            else getattr(policy, f"{name}_low_consensus")
            for equity in (low, high)
        }
        if len(answers) > 1:  # either may have been in force
            return int(row["blocker"]) != GATES.index("consensus")
        return answers != {Answer.BLOCK}

    def _flat(self, row: Row) -> bool:
        edge = row["direction"] * row["forecasts"][self._belief]
        name = TIERS[int(row["capital_tier"])]
        return bool(edge >= self._numbers["flat_edge"]) or (
            getattr(self._world.policy, f"{name}_flat") is not Answer.BLOCK
        )

    def worth(self, row: Row) -> str:
        """Fee protection and net EV; "" = it is worth it."""
        n, name = self._numbers, TIERS[int(row["capital_tier"])]
        profit, cost, p = row["take_profit"], row["cost"], row["used_p_tp"]
        pays = max(n["break_even_min"], cost) if n["break_even_cost"] else n["break_even_min"]
        if profit * n["zone_one"] <= pays + n["break_even_extra"]:
            return "fee"
        if self._belief == 0 and abs(p - row["confidences"][0]) > EXACT:
            raise Violated(
                Invariant.LIMITS, "the chance of the target is not the confidence", symbol=self.symbol(row), row=row
            )  # fmt: skip
        if not p * profit >= n[f"{name}_fee_multiplier"] * cost:
            return "fee"
        value = row["evs"][self._belief]
        if self._belief == 0:
            value = p * profit - (1 - p) * row["stop_loss"] - cost
        if abs(value - row["used_ev"]) > EXACT:
            raise Violated(
                Invariant.LIMITS, "the net EV is not p TP - (1 - p) SL - c", symbol=self.symbol(row), row=row
            )
        return "" if value >= row["min_ev"] - 1e-15 else "EV"

    # -- figures that follow from others

    def _distances(self, row: Row, tier: int) -> None:
        """TP = clamp(1.5 sigma sqrt(h)), SL = clamp(TP / 2); of B both scaled and clamped again."""
        n = self._numbers
        if n["sl_day_sigmas"]:
            return
        profit = _clamp(n["tp_sigmas"] * row["sigma"] * row["horizon_s"] ** 0.5, n["tp_min"], n["tp_max"])
        stop = _clamp(n["sl_of_tp"] * profit, n["sl_min"], n["sl_max"])
        if tier == B_TIER:
            profit = _clamp(n["b_tp_factor"] * profit, n["b_tp_min"], n["b_tp_max"])
            stop = _clamp(n["b_sl_factor"] * stop, n["b_sl_min"], n["b_sl_max"])
        if abs(profit - row["take_profit"]) > EXACT or abs(stop - row["stop_loss"]) > EXACT:
            raise Violated(
                Invariant.SIZE, "target or stop is not that of the signal tier", symbol=self.symbol(row), target=profit,
                stop=stop, row=row,
            )  # fmt: skip

    def _cost(self, row: Row) -> None:
        """c = both fees, the spread (of a post-only entry half), the walk through the book, and funding due while it is held."""
        world, symbol = self._world, self.symbol(row)
        maker = world.policy.entry_style is EntryStyle.MAKER
        taker_fee, maker_fee = map(float, world.simulation.exchange.fee_rates(world.simulation.uid, symbol))
        fees = taker_fee + (maker_fee if maker else taker_fee)
        funding = row["cost"] - row["slippage"] - fees - row["spread"] * (0.5 if maker else 1.0)
        interval = self._funding_interval(row)
        due = (row["ts"] + int(row["hold_s"] * SECOND)) // interval - row["ts"] // interval
        rate = row["direction"] * row["funding_8h"] * interval / (DAY / 3)
        wanted = max(0.0, due * rate)
        if row["slippage"] < -EXACT or abs(funding - wanted) > EXACT:
            raise Violated(
                Invariant.SIZE, "the cost is not fees, spread, slippage and funding", symbol=symbol, funding=funding,
                wanted=wanted, row=row,
            )  # fmt: skip


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

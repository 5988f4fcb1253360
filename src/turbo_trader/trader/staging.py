"""SIZE=earned in the Trader: each trade at the size of its tier's stage, shadows followed, everything persisted.

Every trade past gate 9 has a shadow: the trade itself where no order is sent, else its pair, which tells how shadows differ from
fills.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from turbo_trader.market.grid import on_grid
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import EntryStyle, TradeSize
from turbo_trader.rules.exits import Bracket, exit_rules
from turbo_trader.rules.fingerprint import fingerprint
from turbo_trader.rules.gate import SignalTier
from turbo_trader.rules.shadow import Ended, Outcome, Shadow
from turbo_trader.rules.sizing import Entry, Sizing, resize, smallest_qty
from turbo_trader.rules.stages import (
    Stage,
    Stages,
    budget_from_dict,
    budget_to_dict,
    restore,
    sentence,
    stage_rules,
    to_dict,
)
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.trader.exposure import account, open_risks
from turbo_trader.trader.persisted import Kept, plain
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trade import Trade
from turbo_trader.trader.trader_state import ZERO, SymbolState, TraderState

_SAID_EVERY: Final = 3600 * SECOND

Confirmed = Callable[[SymbolState, int], bool]


class Staging:
    """Decides how much, never whether. Without SIZE=earned it leaves every size as it is."""

    def __init__(self, state: TraderState, world: str, signal: str = "") -> None:
        """`world`: mode and account, such as "live:1234567": evidence never leaves it. `signal`: fingerprint of a panel signal's
        code and parameters."""
        self._state = state
        self.active = state.policy.size is TradeSize.EARNED
        self._stages = Stages(stage_rules(state.policy))
        self._world = world
        self._signal = signal
        self._said_ns = 0
        self._said: dict[str, Stage] = {}

    @cached_property
    def _rules(self) -> str:
        """What evidence is kept under."""
        return f"{self._world}:{fingerprint(self._state.policy)}{self._signal}"

    def resume(self, kept: Kept) -> None:
        """Take up what an earlier run of this mode and account under these rules had; other evidence stays where it is."""
        if not self.active:
            return
        if budget := kept.budgets.get(self._world):
            self._stages.budget = budget_from_dict(plain(budget))
        if mine := kept.stages.get(self._rules):
            restore(self._stages, plain(mine))
        elif any(rules.startswith(f"{self._world}:") for rules in kept.stages):
            self._state.note("evidence-new", "warning", text="the rules changed: evidence starts again")

    # -- reading

    def stage(self, tier: str) -> Stage:
        """What a trade of this signal tier is now."""
        return self._stages.stage(tier)

    @property
    def sentence(self) -> str:
        """Everything in one sentence; "" under SIZE=full."""
        return sentence(self._stages, self._state.now) if self.active else ""

    @property
    def stages(self) -> dict[str, str]:
        """The stage of each signal tier; empty under SIZE=full."""
        return {tier: self._stages.stage(tier).value for tier in self._stages.tiers} if self.active else {}

    # -- events

    def on_scan(self, equity: Decimal, confirmed: Confirmed) -> None:
        """Follow every shadow up to now, then move tiers between stages."""
        if not self.active:
            return
        for each in self._state.per_symbol:
            alone = self._follow(each, each.shadows.alone, confirmed)
            each.shadows.follow(alone, self._follow(each, each.shadows.pair, confirmed))
        day = self._stages.budget.day
        changes = self._stages.look(self._state.now, equity)
        if changes or day != self._stages.budget.day:
            self._persist()
        for change in changes:
            self._state.note(
                "stage", "warning", tier=change.tier, before=change.before.value, stage=change.stage.value, why=change.why,
                text=self.sentence,
            )  # fmt: skip
        self._say()

    def size(
        self, state: SymbolState, row: Any, entry: Entry, sizing: Sizing, tier: CapitalTier, equity: Decimal
    ) -> tuple[Sizing | None, str]:
        """What is to be ordered of a trade the rules make, and at which stage; None: nothing, it is followed as a shadow."""
        if not self.active:
            return sizing, ""
        name = SignalTier(entry.trade_tier).text
        stage, qty = self._qty(name, entry, sizing, tier, equity, self._state.mark(state))
        shadow = self._shadow(state, row, entry, name)
        if not qty:
            state.shadows.begin(shadow, alone=True)
            self._state.note(
                "shadow",
                symbol=state.instrument.symbol,
                tier=name,
                direction=entry.direction,
                price=entry.price,
            )
            return None, Stage.SHADOW.value
        state.shadows.begin(shadow, alone=False)
        if stage is Stage.SCOUT:
            self._stages.scouts(equity)
        self._persist()
        return resize(
            self._state.policy, account(self._state, equity), entry, sizing, qty, stage.value
        ), stage.value

    def on_closed(self, state: SymbolState, trade: Trade, ended_ns: int, fraction: float) -> None:
        """A real trade is over."""
        if not self.active:
            return
        tier = SignalTier(trade.trade_tier).text
        stage = Stage(trade.stage) if trade.stage else Stage.SCOUT
        self._stages.on_real(tier, stage, trade.opened_ts, ended_ns, fraction, trade.net)
        self._count_pairs(state.shadows.real_ended(trade.entry_id, fraction))
        self._persist()

    def on_transfer(self, amount: Decimal) -> None:
        """Money came (> 0) or went."""
        self._stages.on_transfer(amount)
        if self.active:
            self._persist()

    def explore(self) -> None:
        """A person lets scouts lose their budget once more."""
        self._stages.explore(self._state.equity())
        self._persist()

    # -- inside

    def _qty(
        self,
        name: str,
        entry: Entry,
        sizing: Sizing,
        tier: CapitalTier,
        equity: Decimal,
        mark: Decimal | None,
    ) -> tuple[Stage, Decimal]:
        """Stage and quantity; 0 = a shadow."""
        policy, stages = self._state.policy, self._stages
        stage = stages.stage(name)
        worse = entry.price if mark is None else min(entry.price, mark)
        least = smallest_qty(entry.instrument, worse, policy.min_entry_notional)
        if stage is Stage.SHADOW or least > sizing.qty:
            return stage, ZERO
        if stage is Stage.EARNED:
            allowed = stages.allowed(name, self._state.now, equity, tier.max_positions)
            qty = on_grid(min(allowed, sizing.notional) / entry.price, entry.instrument.step, up=False)
            if qty >= least:
                return stage, qty
        affordable = least * entry.price <= max(policy.scout_max_notional, policy.scout_max_share * equity)
        risk = least * entry.price * (entry.stop_loss + entry.cost + entry.range_tail) + self._at_risk()
        if affordable and stages.scouts_may(risk):
            return Stage.SCOUT, least
        return Stage.SHADOW, ZERO

    def _at_risk(self) -> Decimal:
        """What open scouts lose at their stops, and where a minute jumps them."""
        scouts = {
            each.instrument.symbol for each in self._state.per_symbol if _stage_of(each) == Stage.SCOUT.value
        }
        return sum((risk.loss_together for risk in open_risks(self._state) if risk.symbol in scouts), ZERO)

    def _shadow(self, state: SymbolState, row: Any, entry: Entry, name: str) -> Shadow:
        d = self._state
        maker = d.policy.entry_style is EntryStyle.MAKER
        bid, ask = d.bid(state), d.ask(state)
        touch = entry.price if maker else (ask if entry.direction > 0 else bid) or entry.price
        take_profit, stop_loss = (Decimal(repr(float(row[key]))) for key in ("take_profit", "stop_loss"))
        bracket = Bracket(
            direction=entry.direction,
            entry=touch,
            tick=state.instrument.tick,
            take_profit=take_profit,
            stop_loss=stop_loss,
            cost=entry.cost,
            opened_ns=d.now,
            hold_ns=int(float(row["hold_s"]) * SECOND),
            rules=exit_rules(d.policy),
        )
        market = d.states[state.s]
        return Shadow(
            tier=name,
            began_ns=d.now,
            bracket=bracket,
            half=float(row["spread"]) / 2,
            entry_fee=float(state.maker if maker else state.taker),
            exit_fee=float(state.taker),
            seen=int(market["samples"]),
            second=d.now // SECOND,
            fill_by_ns=d.now + d.policy.maker_patience * SECOND if maker else 0,
        )

    def _follow(self, state: SymbolState, shadow: Shadow | None, confirmed: Confirmed) -> Shadow | None:
        """The shadow if it continues; its end is counted."""
        if shadow is None:
            return None
        d, side = self._state, shadow.bracket.direction
        ended = shadow.follow(
            d.states[state.s], d.now, d.policy.calibration_hole, lambda: confirmed(state, side)
        )
        if ended is None:
            return shadow
        if shadow.pair:
            self._count_pairs(state.shadows.shadow_ended(shadow.pair, ended.fraction))
        else:
            self._count(state, shadow, ended)
        return None

    def _count(self, state: SymbolState, shadow: Shadow, ended: Ended) -> None:
        d, side = self._state, shadow.bracket.direction
        d.note(
            "shadow-ended",
            symbol=state.instrument.symbol,
            tier=shadow.tier,
            direction=side,
            reason=ended.outcome.value,
            net_fraction=None if ended.fraction is None else round(ended.fraction, 8),
        )
        if ended.fraction is None:
            return
        if ended.outcome is Outcome.STOP and ended.fraction <= 0:
            state.stop_out(side, d.now)
        self._stages.on_shadow(shadow.tier, shadow.began_ns, ended.fraction)
        self._persist()

    def _count_pairs(self, pairs: Sequence[tuple[float, float]]) -> None:
        for shadow, real in pairs:
            self._stages.on_pair(shadow, real)

    def _persist(self) -> None:
        self._state.persist(Key.STAGES.of(self._rules), to_dict(self._stages))
        self._state.persist(Key.BUDGET.of(self._world), budget_to_dict(self._stages.budget))

    def _say(self) -> None:
        """The sentence, once an hour and when a budget ends or begins."""
        now, stages = self._state.now, {tier: self._stages.stage(tier) for tier in self._stages.tiers}
        if now - self._said_ns < _SAID_EVERY and stages == self._said:
            return
        self._said_ns, self._said = now, stages
        self._state.note("evidence", text=self.sentence, why=self._stages.budget.spent(self._stages.rules))


def _stage_of(state: SymbolState) -> str:
    if state.trade is not None:
        return state.trade.stage
    return str(state.entry.figures.get("stage", "")) if state.entry is not None else ""

"""How much evidence allows: per signal tier scout, earned or shadow (trading rules 7a), and the sentence about it.

Pure state: trades and equity in, stages and sizes out. It decides neither whether a trade is made nor how it ends. Budgets
belong to the account and outlive a change of the rules; evidence belongs to the rules it was gathered under.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.rules.evidence import Evidence, Gap, Posterior, Prior

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

ZERO: Final = Decimal(0)
HOUR: Final = 60 * MINUTE
TIERS: Final = ("A", "B")


class Stage(StrEnum):
    """What a signal tier may do with money."""

    SCOUT = "scout"  # the smallest order
    EARNED = "earned"  # what evidence allows
    SHADOW = "shadow"  # nothing: watching only


@dataclass(frozen=True, slots=True)
class StageRules:
    """The numbers of section 7a. Money shares Decimal, returns and chances float."""

    prior: Prior
    promote: float
    luck: float
    drop: float
    back: float
    fills: int
    days: int
    lag: float
    kelly: float
    growth: Decimal
    first: Decimal
    earned_loss: Decimal
    day_budget: Decimal
    budget: Decimal
    gap: float
    pairs: int


def stage_rules(policy: Policy) -> StageRules:
    """The stage rules of a policy."""
    cost = float(policy.round_trip_fee)
    half_life_h = float(policy.evidence_half_life_days) * 24.0
    return StageRules(
        prior=Prior(
            min(0.0, float(policy.evidence_prior_shift) - cost),
            float(policy.evidence_prior_sd),
            float(policy.evidence_trade_sd),
            half_life_h,
        ),
        promote=float(policy.earned_chance),
        luck=float(policy.earned_luck),
        drop=float(policy.shadow_chance),
        back=float(policy.scout_chance),
        fills=policy.earned_fills,
        days=policy.earned_days,
        lag=float(policy.earned_max_lag),
        kelly=float(policy.earned_kelly),
        growth=policy.earned_growth,
        first=policy.min_entry_notional,
        earned_loss=policy.earned_loss,
        day_budget=policy.scout_day_budget,
        budget=policy.scout_budget,
        gap=float(policy.shadow_gap),
        pairs=policy.shadow_pairs,
    )


@dataclass(frozen=True, slots=True)
class StageChange:
    """A tier came to another stage."""

    tier: str
    before: Stage
    stage: Stage
    why: str


@dataclass(slots=True)
class TierStage:
    """One signal tier: what it may do, and what that is based on. Money USDT."""

    stage: Stage = Stage.SCOUT
    evidence: Evidence = field(default_factory=Evidence)
    fills: int = 0  # real fills since the last demotion
    days: list[int] = field(default_factory=list)  # UTC days of those
    cap: Decimal = ZERO  # largest notional of a trade today
    used: Decimal = ZERO  # largest notional allowed today


@dataclass(slots=True)
class Budget:
    """What scouts may lose: today and altogether. Money USDT."""

    day: int = -1
    day_equity: Decimal = ZERO
    day_net: Decimal = ZERO
    base: Decimal = ZERO  # equity at the first scout less withdrawals since; 0: no scout yet
    net: Decimal = ZERO

    def spent(self, rules: StageRules) -> str:
        """Which budget is used up; "" = none."""
        if self.base > 0 and self.net <= -rules.budget * self.base:
            return "scouts have cost their budget"
        if self.day_equity > 0 and self.day_net <= -rules.day_budget * self.day_equity:
            return "scouts have cost today's budget"
        return ""

    def allows(self, rules: StageRules, risk: Decimal) -> bool:
        """Whether scouts that lose `risk` at their stops (those open and the next one) stay within both budgets."""
        today = self.day_net - risk >= -rules.day_budget * self.day_equity
        return today and (self.base <= 0 or self.net - risk >= -rules.budget * self.base)


@dataclass(slots=True)
class Stages:
    """The stages of an account under one set of rules."""

    rules: StageRules
    tiers: dict[str, TierStage] = field(default_factory=lambda: {tier: TierStage() for tier in TIERS})
    over_all: Evidence = field(default_factory=Evidence)  # shown only
    gap: Gap = field(default_factory=Gap)
    budget: Budget = field(default_factory=Budget)
    trades: int = 0  # real ones counted, also those whose evidence no longer counts
    net: Decimal = ZERO  # of all of them
    earned: Decimal = ZERO  # of those made at earned size, since the first promotion that still holds
    peak: Decimal = ZERO  # its highest
    looked: int = -1  # hour of the last look
    stale: bool = True  # evidence changed since the last look

    # -- reading

    def stage(self, tier: str) -> Stage:
        """What a trade of this tier is now."""
        stage = self.tiers[tier].stage
        return Stage.SHADOW if stage is Stage.SCOUT and self.budget.spent(self.rules) else stage

    def posterior(self, tier: str, now_ns: int) -> Posterior:
        """What is known of a tier's mean net return."""
        return self.tiers[tier].evidence.posterior(self.rules.prior, now_ns // HOUR, self.correction)

    @property
    def correction(self) -> float:
        """How much a shadow counts less than it came to."""
        return self.gap.mean if self.gap.pairs >= self.rules.pairs else self.rules.gap

    def allowed(self, tier: str, now_ns: int, equity: Decimal, slots: int) -> Decimal:
        """The notional (USDT) evidence allows one trade of an earned tier; below the smallest order the scout's size is left."""
        mine, known = self.tiers[tier], self.posterior(tier, now_ns)
        share = self.rules.kelly * (known.mean - known.sd) / (known.trade_sd * known.trade_sd)
        by_evidence = equity * Decimal(repr(max(0.0, share))) / slots
        found = min(by_evidence, mine.cap)
        mine.used = max(mine.used, found)
        return found

    # -- events

    def look(self, now_ns: int, equity: Decimal) -> list[StageChange]:
        """Time passed or a trade was counted: turn the day, move tiers between stages."""
        if now_ns // DAY != self.budget.day:
            self._turn(now_ns // DAY, equity)
        if not self.stale and now_ns // HOUR == self.looked:
            return []
        self.stale, self.looked = False, now_ns // HOUR
        lost = self._lost(equity)
        changes = [self._move(name, mine, now_ns, lost) for name, mine in self.tiers.items()]
        return [change for change in changes if change is not None]

    def on_real(
        self, tier: str, stage: Stage, began_ns: int, ended_ns: int, fraction: float, net: Decimal
    ) -> None:
        """A real trade of ours, made at `stage`, is over: its net return (fraction of notional) and net result (USDT)."""
        mine, hour = self.tiers[tier], began_ns // HOUR
        for evidence in (mine.evidence, self.over_all):
            evidence.add(self.rules.prior, hour, fraction, real=True)
        self.trades += 1
        self.net += net
        mine.fills += 1
        if (day := ended_ns // DAY) not in mine.days:
            mine.days = [*mine.days, day][-self.rules.days :]
        if stage is Stage.EARNED:
            self.earned += net
            self.peak = max(self.peak, self.earned)
        else:
            self.budget.day_net += net
            self.budget.net += net
        self.stale = True

    def on_shadow(self, tier: str, began_ns: int, fraction: float) -> None:
        """A trade that the rules would have made is over."""
        for evidence in (self.tiers[tier].evidence, self.over_all):
            evidence.add(self.rules.prior, began_ns // HOUR, fraction, real=False)
        self.stale = True

    def on_pair(self, shadow: float, real: float) -> None:
        """Shadow and real fill of the same scan are over."""
        self.gap.add(shadow - real)
        self.stale = True

    def scouts_may(self, risk: Decimal) -> bool:
        """Whether scouts that lose `risk` (USDT) at their stops, those open and the next one, stay within their budgets."""
        return self.budget.allows(self.rules, risk)

    def scouts(self, equity: Decimal) -> None:
        """A scout leaves; the first one sets what all of them may lose."""
        if self.budget.base <= 0:
            self.budget.base = equity

    def on_transfer(self, amount: Decimal) -> None:
        """A withdrawal (< 0) lowers what scouts may lose; a deposit does not raise it."""
        if amount < 0 and self.budget.base > 0:
            self.budget.base = max(Decimal("0.01"), self.budget.base + amount)

    def explore(self, equity: Decimal) -> None:
        """A person lets scouts lose their budget once more."""
        self.budget.base, self.budget.net, self.budget.day_net = equity, ZERO, ZERO

    # -- inside

    def _turn(self, day: int, equity: Decimal) -> None:
        self.budget.day, self.budget.day_equity, self.budget.day_net = day, equity, ZERO
        for mine in self.tiers.values():
            mine.cap = self.rules.growth * max(self.rules.first, mine.used)
            mine.used = ZERO

    def _lost(self, equity: Decimal) -> str:
        """What earned sizes lost, where that is more than they may; "" = it is not."""
        if all(mine.stage is not Stage.EARNED for mine in self.tiers.values()):
            self.earned = self.peak = ZERO
        loss = self.peak - self.earned
        most = self.rules.earned_loss * (equity + loss)  # of E before it was lost
        return f"lost {loss:.2f} USDT at earned size" if 0 < most <= loss else ""

    def _move(self, name: str, mine: TierStage, now_ns: int, lost: str) -> StageChange | None:
        known, before = self.posterior(name, now_ns), mine.stage
        chance = known.chance
        if before is Stage.EARNED and lost:
            stage, why = Stage.SCOUT, lost
            # what was known before the loss speaks for it no longer
            mine.fills, mine.days, mine.evidence, self.over_all = 0, [], Evidence(), Evidence()
        elif before is not Stage.SHADOW and chance < self.rules.drop:
            stage, why = Stage.SHADOW, f"chance that it earns {chance:.1%}"
        elif before is Stage.SHADOW and chance >= self.rules.back:
            stage, why = Stage.SCOUT, f"chance that it earns {chance:.1%} again"
        elif before is Stage.SCOUT and self._earns(mine, known, now_ns):
            stage, why = Stage.EARNED, f"{mine.fills} fills, chance that it earns {chance:.1%}"
            mine.cap, mine.used = self.rules.growth * self.rules.first, ZERO
        else:
            return None
        mine.stage = stage
        return StageChange(name, before, stage, why)

    def _earns(self, mine: TierStage, known: Posterior, now_ns: int) -> bool:
        rules = self.rules
        enough = mine.fills >= rules.fills and len(mine.days) >= rules.days
        if not enough or known.chance < rules.promote or known.luck > rules.luck:
            return False
        return mine.evidence.real_lags(rules.prior, now_ns // HOUR, self.correction) <= rules.lag


_DOES: Final = {
    Stage.SCOUT: "trying with the smallest orders",
    Stage.EARNED: "trading what it has earned",
    Stage.SHADOW: "watching only",
}


def does(stages: Mapping[str, Stage]) -> str:
    """What the tiers do, in plain text: once where they agree."""
    kinds = set(stages.values())
    if len(kinds) == 1:
        return _DOES[kinds.pop()]
    return ", ".join(f"{tier} {_DOES[stage]}" for tier, stage in stages.items())


def sentence(stages: Stages, now_ns: int) -> str:
    """Everything in one sentence: "47 trades, cost you 0.31 USDT, chance that this earns: 3 %: watching only"."""
    chance = stages.over_all.posterior(stages.rules.prior, now_ns // HOUR, stages.correction).chance
    trades = stages.trades
    money = f"cost you {-stages.net:.2f} USDT" if stages.net <= 0 else f"earned you {stages.net:.2f} USDT"
    text = f"{trades} trade{'' if trades == 1 else 's'}, {money}, chance that this earns: {chance:.0%}"
    return f"{text.replace('%', ' %')}: {does({tier: stages.stage(tier) for tier in TIERS})}"


def to_dict(stages: Stages) -> dict[str, Any]:
    """Evidence and stages as plain values; the budget is kept apart (`budget_to_dict`)."""
    tiers = {name: _tier_to_dict(mine) for name, mine in stages.tiers.items()}
    gap = {"pairs": stages.gap.pairs, "mean": stages.gap.mean}
    money = {name: str(getattr(stages, name)) for name in ("net", "earned", "peak")}
    return {
        "tiers": tiers,
        "over_all": stages.over_all.to_dict(),
        "gap": gap,
        "trades": stages.trades,
        **money,
    }


def restore(stages: Stages, value: Mapping[str, Any]) -> None:
    """Take up what `to_dict` wrote."""
    stages.tiers = {name: _tier_from_dict(kept) for name, kept in value["tiers"].items()}
    stages.over_all = Evidence.from_dict(value["over_all"])
    trades = value.get("trades")  # journals of earlier versions have none
    stages.trades = stages.over_all.real if trades is None else trades
    stages.gap = Gap(value["gap"]["pairs"], value["gap"]["mean"])
    stages.net, stages.earned, stages.peak = (Decimal(value[name]) for name in ("net", "earned", "peak"))


def budget_to_dict(budget: Budget) -> dict[str, Any]:
    """Plain values."""
    money = {name: str(getattr(budget, name)) for name in ("day_equity", "day_net", "base", "net")}
    return {"day": budget.day, **money}


def budget_from_dict(value: Mapping[str, Any]) -> Budget:
    """The budget `budget_to_dict` wrote."""
    money = {name: Decimal(value[name]) for name in ("day_equity", "day_net", "base", "net")}
    return Budget(value["day"], **money)


def _tier_to_dict(mine: TierStage) -> dict[str, Any]:
    return {
        "stage": mine.stage.value,
        "evidence": mine.evidence.to_dict(),
        "fills": mine.fills,
        "days": mine.days,
        "cap": str(mine.cap),
        "used": str(mine.used),
    }


def _tier_from_dict(kept: Mapping[str, Any]) -> TierStage:
    evidence = Evidence.from_dict(kept["evidence"])
    money = Decimal(kept["cap"]), Decimal(kept["used"])
    return TierStage(Stage(kept["stage"]), evidence, kept["fills"], list(kept["days"]), *money)

"""Section 7a, row by row: when a signal tier is scout, earned or shadow, what that allows, and what it may cost."""

import json
from decimal import Decimal

import pytest

from turbo_trader.market.rows import DAY
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import (
    HOUR,
    Stage,
    Stages,
    budget_from_dict,
    budget_to_dict,
    restore,
    sentence,
    stage_rules,
    to_dict,
)

T0 = 20_458 * DAY
E = Decimal(100)
RULES = stage_rules(Policy())


class Account:
    """Stages fed one trade an hour from 00:00 UTC on."""

    def __init__(self, equity: Decimal = E) -> None:
        self.stages, self.equity, self.now = Stages(RULES), equity, T0
        self.changes: list[str] = []
        self.look()

    def look(self) -> None:
        self.changes += [change.stage.value for change in self.stages.look(self.now, self.equity)]

    def real(self, count: int, fraction: float, notional: str = "5", tier: str = "A") -> None:
        for _ in range(count):
            stage = self.stages.stage(tier)
            if stage is Stage.SCOUT:
                self.stages.scouts(self.equity)
            net = Decimal(notional) * Decimal(repr(fraction))
            self.equity += net
            began, self.now = self.now, self.now + HOUR
            self.stages.on_real(tier, stage, began, self.now, fraction, net)
            self.look()

    def shadows(self, count: int, fraction: float, tier: str = "A") -> None:
        for _ in range(count):
            began, self.now = self.now, self.now + HOUR
            self.stages.on_shadow(tier, began, fraction)
            self.look()

    def stage(self, tier: str = "A") -> Stage:
        return self.stages.stage(tier)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def earned() -> Account:
    found = Account()
    found.real(40, 0.004)
    assert found.stage() is Stage.EARNED
    return found


def test_every_tier_begins_as_scout(account: Account) -> None:
    assert [account.stage(tier) for tier in "AB"] == [Stage.SCOUT, Stage.SCOUT]


def test_thirty_real_fills_on_two_days_that_surely_earn_are_promoted(account: Account) -> None:
    account.real(29, 0.004)
    assert account.stage() is Stage.SCOUT
    account.real(1, 0.004)
    assert account.stage() is Stage.EARNED
    assert account.stage("B") is Stage.SCOUT  # each tier by its own trades


def test_fills_of_one_day_are_not_enough(account: Account) -> None:
    for _ in range(60):
        account.stages.on_real("A", Stage.SCOUT, T0, T0 + HOUR, 0.004, Decimal("0.02"))
    account.now = T0 + 2 * HOUR
    account.look()
    assert account.stage() is Stage.SCOUT


def test_shadows_alone_promote_nobody(account: Account) -> None:
    account.shadows(200, 0.004)
    assert account.stages.posterior("A", account.now).chance > 0.99
    assert account.stage() is Stage.SCOUT


def test_a_chance_below_95_percent_promotes_nobody(account: Account) -> None:
    account.real(60, 0.0006)
    assert account.stages.posterior("A", account.now).chance < 0.95
    assert account.stage() is Stage.SCOUT


def test_real_fills_worse_than_shadows_promote_nobody(account: Account) -> None:
    for _ in range(60):
        account.stages.on_shadow("A", account.now, 0.009)
        account.real(1, 0.0035)
    assert account.stages.posterior("A", account.now).chance > 0.99
    assert account.stages.tiers["A"].evidence.real_lags(RULES.prior, account.now // HOUR, 0.0002) > 2
    assert account.stage() is Stage.SCOUT


def test_surely_losing_tiers_only_watch_and_come_back_at_five_percent(account: Account) -> None:
    account.shadows(60, -0.0035)
    assert (account.stage(), account.changes) == (Stage.SHADOW, ["shadow"])
    while account.stages.posterior("A", account.now).chance < 0.05:
        assert account.stage() is Stage.SHADOW
        account.shadows(1, 0.001)
    assert account.stage() is Stage.SCOUT


def test_earned_size_is_a_quarter_of_kelly_at_a_lower_bound_shared_by_the_slots(earned: Account) -> None:
    known = earned.stages.posterior("A", earned.now)
    for tier in earned.stages.tiers.values():
        tier.cap = Decimal(10**6)
    allowed = earned.stages.allowed("A", earned.now, E, 3)
    assert known.trade_sd == 0.0037  # observed: none
    assert float(allowed) == pytest.approx(100 * 0.25 * (known.mean - known.sd) / 0.0037**2 / 3)
    assert earned.stages.allowed("A", earned.now, E, 5) == pytest.approx(allowed * 3 / 5)


def test_earned_size_at_most_doubles_in_a_day(earned: Account) -> None:
    sizes = []
    for day in range(1, 6):
        earned.now = max(earned.now, T0 + day * DAY)
        earned.look()
        sizes.append(earned.stages.allowed("A", earned.now, Decimal(10**6), 3))
    assert sizes == [10, 20, 40, 80, 160]  # the first is that of the day of the promotion
    earned.now += 6 * HOUR
    earned.look()
    assert earned.stages.allowed("A", earned.now, Decimal(10**6), 3) == 160


def test_a_day_without_trades_does_not_let_size_grow(earned: Account) -> None:
    for day in (2, 3, 4):
        earned.now = T0 + day * DAY
        earned.look()
    assert earned.stages.allowed("A", earned.now, Decimal(10**6), 3) <= 20


def test_losing_five_percent_at_earned_size_makes_a_scout(earned: Account) -> None:
    start = earned.equity
    earned.real(1, -0.049, notional=str(start))
    assert earned.stage() is Stage.EARNED
    earned.real(1, -0.004, notional=str(start))
    assert earned.stage() is Stage.SCOUT
    assert earned.changes[-1] == "scout"


def test_after_such_a_loss_thirty_new_fills_are_needed(earned: Account) -> None:
    earned.real(1, -0.06, notional="100")
    earned.real(29, 0.004)
    assert earned.stage() is Stage.SCOUT
    earned.real(5, 0.004)
    assert earned.stage() is Stage.EARNED


def test_what_was_won_at_earned_size_does_not_pay_for_losing_it_again(earned: Account) -> None:
    earned.real(1, 0.20, notional="100")
    earned.real(1, -0.07, notional="100")  # more than 5 % below the best, though still up
    assert earned.stage() is Stage.SCOUT


def test_two_percent_lost_by_scouts_end_the_day(account: Account) -> None:
    account.real(1, -0.0002, notional="9950")
    assert account.stage() is Stage.SCOUT
    account.real(1, -0.0002, notional="50")
    assert [account.stage(tier) for tier in "AB"] == [Stage.SHADOW, Stage.SHADOW]
    account.now = T0 + DAY - 1
    account.look()
    assert account.stage("B") is Stage.SHADOW
    account.now = T0 + DAY
    account.look()
    assert account.stage("B") is Stage.SCOUT


def test_ten_percent_lost_by_scouts_end_until_explore(account: Account) -> None:
    for day in range(5):
        account.now = T0 + day * DAY
        account.look()
        account.stages.scouts(account.equity)
        account.stages.on_real("B", Stage.SCOUT, account.now, account.now, -0.001, Decimal("-2"))
    account.now = T0 + 9 * DAY
    account.look()
    assert account.stage("B") is Stage.SHADOW
    assert "budget" in account.stages.budget.spent(RULES)
    account.stages.explore(Decimal(90))
    assert account.stage("B") is Stage.SCOUT
    assert account.stages.budget.base == 90


def test_a_withdrawal_lowers_the_budget_and_a_deposit_does_not_raise_it(account: Account) -> None:
    account.stages.scouts(E)
    account.stages.on_transfer(Decimal(-40))
    assert account.stages.budget.base == 60
    account.stages.on_transfer(Decimal(500))
    assert account.stages.budget.base == 60


def test_scouts_that_could_lose_more_than_is_left_are_not_sent(account: Account) -> None:
    assert account.stages.budget.allows(RULES, Decimal(2))
    assert not account.stages.budget.allows(RULES, Decimal("2.01"))


def test_budgets_do_not_bind_what_is_earned(earned: Account) -> None:
    earned.stages.budget.day_net = Decimal(-50)
    assert earned.stage() is Stage.EARNED


def test_the_gap_counts_from_thirty_pairs_on(account: Account) -> None:
    for i in range(30):
        assert account.stages.correction == (0.0002 if i < 30 else 0.0005)
        account.stages.on_pair(0.001, 0.0005)
    assert account.stages.correction == pytest.approx(0.0005)


def test_everything_comes_back_from_json(earned: Account) -> None:
    earned.real(3, -0.001, tier="B")
    again = Stages(RULES)
    restore(again, json.loads(json.dumps(to_dict(earned.stages))))
    again.budget = budget_from_dict(json.loads(json.dumps(budget_to_dict(earned.stages.budget))))
    assert to_dict(again) == to_dict(earned.stages)
    assert again.stage("A") is Stage.EARNED
    assert sentence(again, earned.now) == sentence(earned.stages, earned.now)


def test_the_sentence(account: Account) -> None:
    account.real(47, -0.0035)
    account.shadows(80, -0.0035, tier="B")
    said = sentence(account.stages, account.now)
    assert said == "47 trades, cost you 0.82 USDT, chance that this earns: 0 %: watching only"
    account = Account()
    account.real(1, 0.004)
    assert sentence(account.stages, account.now).startswith(
        "1 trade, earned you 0.02 USDT, chance that this earns: "
    )
    assert sentence(account.stages, account.now).endswith(": trying with the smallest orders")


def test_the_sentence_counts_the_trades_behind_its_money_also_after_a_size_was_lost(earned: Account) -> None:
    before = int(sentence(earned.stages, earned.now).split()[0])
    earned.now += HOUR
    earned.stages.on_real("A", Stage.EARNED, earned.now, earned.now, -0.01, Decimal(-6))
    earned.look()
    assert earned.stage() is Stage.SCOUT
    assert sentence(earned.stages, earned.now).startswith(f"{before + 1} trades, ")

"""SIZE=earned in the Trader: the stage decides how much, never whether; shadows take slots and cool-downs as trades do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import Stage as Tier
from turbo_trader.trader import events
from turbo_trader.trader.persisted import WORLD

D = Decimal


def earned(**more: str) -> Policy:
    return Policy.from_env({"SIZE": "earned", **more})


@pytest.fixture
def play(staged: Callable[..., Any]) -> Any:
    made = staged(policy=earned())
    made.recover()
    return made


def stages(stage: Any) -> Any:
    return stage.inside._staging._stages


def put(stage: Any, tier: str, to: Tier) -> None:
    stages(stage).tiers[tier].stage = to


def closed(stage: Any, sent: Any, price: str) -> None:
    stage.deliver(stage.fill("", -sent.side, sent.qty, price, closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))


def test_a_scout_is_the_smallest_order(play: Any) -> None:
    sent = play.enter()
    assert sent.qty == D("0.1")  # 10 USDT: 0.1 is the step, 5 USDT the least
    note = play.notes("entry")[-1].fields
    assert (note["stage"], note["binding"]) == ("scout", "scout")


def test_full_size_is_as_ever(staged: Callable[..., Any]) -> None:
    full = staged(policy=Policy())
    full.recover()
    assert full.enter().qty > 10
    assert full.notes("entry")[-1].fields["stage"] == ""
    assert full.trader.view().evidence == ""


def test_a_scout_is_five_usdt_at_the_worse_of_limit_and_mark(play: Any) -> None:
    play.quote("48.99", "49.00", mark="50.1")
    assert play.enter(mid=48.995).qty == D("0.2")  # 0.1 is 4.9 USDT at the limit


def test_halving_after_losses_leaves_the_scout_as_it_is(play: Any) -> None:
    play.inside._state.session.losses = 9
    assert play.enter().qty == D("0.1")


def test_symbols_whose_smallest_order_is_large_are_followed_as_shadows(staged: Callable[..., Any]) -> None:
    made = staged(policy=earned(SCOUT_MAX_NOTIONAL="9"))
    made.recover("18")
    verdict = made.decide(equity="18")
    assert verdict.value == 1  # past gate 9
    assert (made.entries, made.state().entry) == ([], None)
    assert made.state().shadows.alone is not None
    assert made.notes("shadow")[-1].fields["tier"] == "A"


def test_at_stage_shadow_nothing_is_sent_and_the_trade_holds_its_slot(play: Any) -> None:
    put(play, "A", Tier.SHADOW)
    play.decide()
    assert play.entries == []
    assert play.inside._state.positions_open == 1
    assert play.trader.view().stages == {"A": "shadow", "B": "scout"}


def test_earned_size_is_what_evidence_allows_within_section_seven(play: Any) -> None:
    put(play, "A", Tier.EARNED)
    mine = stages(play).tiers["A"]
    for i in range(100):
        mine.evidence.add(stages(play).rules.prior, play.now // 3_600_000_000_000 - i, 0.003, real=True)
    mine.cap = D(55)
    assert play.enter().qty == D("0.5")
    mine.cap = D(10**9)
    other = play.enter(s=1)  # whatever evidence says, the table of section 7 is above it
    assert other.qty * other.price <= 1000 * D("0.10") / D("0.0062") * D("1.001")


def test_a_closed_scout_is_counted_once_as_the_real_fill(play: Any) -> None:
    sent = play.hold()
    closed(play, sent, "99.5")
    mine = stages(play).tiers["A"]
    assert (mine.evidence.real, mine.evidence.shadows, mine.fills) == (1, 0, 1)
    assert stages(play).budget.net == play.notes("trade")[-1].fields["net"]
    assert stages(play).budget.base == 1000


def test_an_entry_that_is_not_filled_counts_as_nothing(play: Any) -> None:
    sent = play.enter()
    play.answer(sent)
    play.deliver(play.order(sent, "Cancelled"))
    assert play.state().shadows.pair is None
    assert stages(play).tiers["A"].evidence.real + stages(play).tiers["A"].evidence.shadows == 0


def seconds(stage: Any, bid: str, ask: str, count: int) -> None:
    for _ in range(count):
        stage.now += 10**9
        stage.quote(bid, ask, mark=bid)


def follow(stage: Any) -> None:
    stage.inside._staging.on_scan(D(1000), lambda _state, _direction: False)
    stage._keep(stage.inside._state.take())


def test_a_shadow_ends_at_its_stop_costs_its_fees_and_begins_a_cool_down(play: Any) -> None:
    put(play, "A", Tier.SHADOW)
    play.decide()
    seconds(play, "99.40", "99.41", 3)
    follow(play)
    note = play.notes("shadow-ended")[-1].fields
    assert note["reason"] == "stop"
    assert note["net_fraction"] == pytest.approx(-0.0061 - 0.0011, abs=2e-4)
    assert play.state().shadows.alone is None
    assert play.state().stopped_out[1] == play.now
    assert stages(play).tiers["A"].evidence.shadows == 1


def test_a_shadow_at_its_target_without_confirmation_ends_as_a_position_would(
    staged: Callable[..., Any],
) -> None:
    play = staged(policy=earned(TP_WITHOUT_CONFIRMATION="close"))
    play.recover()
    put(play, "A", Tier.SHADOW)
    play.decide()
    seconds(play, "101.05", "101.06", 2)
    follow(play)
    note = play.notes("shadow-ended")[-1].fields
    assert note["reason"] == "target"
    assert note["net_fraction"] == pytest.approx(0.0104 - 0.0011, abs=2e-4)


def test_shadow_and_fill_of_the_same_scan_make_a_pair(play: Any) -> None:
    sent = play.hold()
    seconds(play, "99.40", "99.41", 3)
    follow(play)
    assert stages(play).gap.pairs == 0
    closed(play, sent, "99.4")
    assert stages(play).gap.pairs == 1
    assert stages(play).tiers["A"].evidence.shadows == 0  # its pair is no trade of its own


def test_stages_evidence_and_budget_survive_a_kill(play: Any) -> None:
    sent = play.hold()
    closed(play, sent, "99.5")
    again = play.restart()
    assert stages(again).tiers["A"].evidence.real == 1
    assert stages(again).budget == stages(play).budget
    assert again.inside._staging.sentence == play.inside._staging.sentence


def test_trades_whose_evidence_counts_no_more_are_known_after_a_kill(play: Any) -> None:
    sent = play.hold()
    stages(play).trades = 4  # as after a loss at earned size, which begins evidence again
    closed(play, sent, "99.5")
    assert stages(play.restart()).trades == 5


def test_a_changed_policy_starts_again_and_says_so_but_keeps_the_budget(
    play: Any, staged: Callable[..., Any]
) -> None:
    closed(play, play.hold(), "99.5")
    other = staged(policy=earned(TP_MIN="0.7%"), restored=play.kept, now=play.now)
    other.clock()
    assert stages(other).tiers["A"].evidence.real == 0
    assert "starts again" in other.notes("evidence-new")[-1].fields["text"]
    assert stages(other).budget == stages(play).budget
    back = staged(policy=earned(), restored={**play.kept, **other.kept}, now=play.now)
    assert stages(back).tiers["A"].evidence.real == 1


def test_evidence_never_leaves_its_mode_and_account(play: Any) -> None:
    from turbo_trader.trader.machine import Trader

    closed(play, play.hold(), "99.5")
    instruments = [state.instrument for state in play.inside._state.per_symbol]
    live = Trader(instruments, earned(), "b9", play.now, {**play.kept, WORLD: {"name": "live:7"}})
    assert live._staging._stages.tiers["A"].evidence.real == 0
    assert live._staging._stages.budget.net == 0


def test_explore_again_refills_what_resume_and_session_new_do_not(play: Any) -> None:
    stages(play).budget.base, stages(play).budget.net = D(1000), D(-100)
    play.clock()
    for verb in ("resume", "session_new"):
        play.deliver(events.Control(play.now, verb, "alice"))
        assert play.inside._staging.stage("A") is Tier.SHADOW
    play.deliver(events.Control(play.now, "explore", "alice"))
    assert play.inside._staging.stage("A") is Tier.SCOUT


def test_a_withdrawal_lowers_the_budget(play: Any) -> None:
    play.enter()
    play.inside._staging.on_transfer(D(-400))
    assert stages(play).budget.base == 600


def test_scouts_never_lose_more_in_a_day_than_their_budget(staged: Callable[..., Any]) -> None:
    made = staged(policy=earned(SCOUT_DAY_BUDGET="0.02%", SCOUT_BUDGET="1%"))
    made.recover()
    made.clock()
    follow(made)
    lost = 0
    for _ in range(20):
        made.decide()
        if made.state().entry is None:
            break
        made.state().entry = None
        closed(made, made.hold(), "99.5")
        lost += 1
    assert lost >= 2
    assert -stages(made).budget.day_net <= D(1000) * D("0.0002")


def test_the_edge_watchdog_is_not_there(play: Any) -> None:
    for i in range(31):
        sent = play.enter()
        play.answer(sent)
        play.deliver(play.fill(sent.id, 1, "0.1", "100", ts=play.now))
        play.deliver(play.fill("", -1, "0.1", f"99.{80 + i % 10}", closed="0.1", ts=play.now + 1))
        play.deliver(play.order(sent, "Filled", "0.1"))
        play.clock(1)
    assert play.inside._state.session.halts == {}


def test_the_sentence_is_said_once_an_hour(play: Any) -> None:
    for _ in range(4):
        follow(play)
        play.now += 1800 * 10**9
        play.inside._state.now = play.now
    assert len(play.notes("evidence")) == 2
    assert play.notes("evidence")[0].fields["text"].startswith("0 trades, cost you 0.00 USDT")


def test_what_open_scouts_may_lose_counts_before_the_next_one(staged: Callable[..., Any]) -> None:
    made = staged(policy=earned(SCOUT_DAY_BUDGET="0.015%", SCOUT_BUDGET="1%"))
    made.recover()
    made.clock()
    follow(made)
    made.hold()  # may lose 0.102 of today's 0.15 USDT
    made.decide(1)
    assert made.state(1).entry is None
    assert made.state(1).shadows.alone is not None


def test_the_result_of_a_shadow_is_noted_to_eight_digits(play: Any) -> None:
    put(play, "A", Tier.SHADOW)
    play.decide(cost=0.0012345678)
    seconds(play, "99.40", "99.41", 3)
    follow(play)
    fraction = play.notes("shadow-ended")[-1].fields["net_fraction"]
    assert fraction == round(fraction, 8) < 0

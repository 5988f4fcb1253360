"""Faults are drawn from the seed alone, as often as the text says; a wrong text is named."""

from __future__ import annotations

import pytest

from turbo_trader.exchange.protocol.fault_terms import FRAME, MEANINGS, OUTAGE, REQUEST
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import SECOND
from turbo_trader.simulation.faults import (
    MESSAGES,
    NO_MESSAGE_FAULT,
    REQUESTS,
    Faults,
    explained,
    parse_faults,
)


def test_a_profile_and_single_rates_go_together() -> None:
    rates = parse_faults("heavy, crash=0,drop_before=0.5")
    assert (rates.crash, rates.drop_before) == (0.0, 0.5)
    assert rates.duplicate == parse_faults("heavy").duplicate > 0


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("hevy", r"^faults 'hevy': unknown; did you mean heavy\? \(--faults help lists them\)$"),
        ("drop_before", r"^faults 'drop_before': write drop_before=RATE \(--faults help lists them\)$"),
        ("drop_before=x", "number"),
        ("drop_before=2", "0 to 1"),
        ("drop_before=0.6,slow=0.6", "more than 1"),
    ],
)
def test_a_wrong_text_is_named(text: str, phrase: str) -> None:
    with pytest.raises(InputError, match=phrase):
        parse_faults(text)


def test_served_and_simulated_faults_are_one_vocabulary() -> None:
    assert set(explained()) <= set(MEANINGS)
    assert set(REQUESTS) - {"odd_answer"} <= set(REQUEST)
    assert set(MESSAGES) - {"future", "odd_row"} <= set(FRAME)
    assert not set(OUTAGE) & {*REQUEST, *FRAME}  # one name, one meaning


def test_names_of_before_mean_what_they_meant() -> None:
    assert parse_faults("lost=0.1,busy=0.2,gap=3") == parse_faults(
        "drop_before=0.1,ret_10016=0.2,price_gap=3"
    )


def test_the_same_seed_gives_the_same_faults_and_another_others() -> None:
    def drawn(seed: int) -> list[object]:
        faults = Faults(parse_faults("heavy"), seed)
        return [(faults.request(), faults.message(), faults.until_next("crash")) for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_faults_come_as_often_as_their_rates_say() -> None:
    faults = Faults(parse_faults("drop_before=0.1,http_502=0.1"), 1)
    outcomes = [faults.request() for _ in range(5_000)]
    assert faults.counts["drop_before"] == sum(
        not outcome.arrives and not outcome.answer for outcome in outcomes
    )
    assert 400 < faults.counts["drop_before"] < 600
    processed = sum(outcome.arrives for outcome in outcomes if outcome.answer)
    assert 0.4 < processed / faults.counts["http_502"] < 0.6


def test_delays_have_a_heavy_tail_and_an_end() -> None:
    faults = Faults(parse_faults("none"), 1)
    delays = sorted(faults.tail() / SECOND for _ in range(20_000))
    assert delays[10_000] < 0.5
    assert delays[-200] > 5
    assert delays[-1] <= 60


def test_without_faults_a_request_is_only_late_by_its_jitter() -> None:
    faults = Faults(parse_faults("none"), 1)
    outcomes = [faults.request() for _ in range(100)]
    assert all(
        outcome.arrives and outcome.answered and not outcome.answer and outcome.out_ns < SECOND
        for outcome in outcomes
    )
    assert faults.message() == NO_MESSAGE_FAULT
    assert not faults.counts
    assert all(name in REQUESTS for name in faults.counts)

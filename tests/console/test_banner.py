"""What the banner says of a paper market."""

from __future__ import annotations

from typing import Any

import pytest

from turbo_trader.console.banner import edge_fact, time_text
from turbo_trader.console.markets import SYNTHETIC_START, speed_of
from turbo_trader.console.options import FASTEST
from turbo_trader.console.paper import lockstep_venue
from turbo_trader.console.settings import Settings
from turbo_trader.rules.policy import Policy

make_settings: Any = Settings  # every field has a default, which the type checker cannot see


@pytest.mark.parametrize(
    ("edge", "text"),
    [
        (0.0, "none: this market cannot be predicted"),
        (1.0, "-5.1 bp net a trade (588 trades)"),
        (2.0, "+31.3 bp net a trade (1602 trades)"),
        (3.5, "3.5, put into this market by construction"),
        (3.5, "measured with default rules: unknown"),
    ],
)
def test_banner_says_what_edge_was_put_in_and_what_it_is_worth(edge: float, text: str) -> None:
    ((name, fact),) = edge_fact(make_settings(edge=edge))
    assert name == "edge"
    assert text in fact


@pytest.mark.parametrize("given", [{"mode": "testnet"}, {"market": "bybit"}, {"market": "tape:x"}])
def test_banner_says_nothing_of_an_edge_in_any_other_market(given: dict[str, str]) -> None:
    assert edge_fact(make_settings(**given)) == []


@pytest.mark.parametrize(
    ("speed", "text"),
    [
        (0.0, "; time runs up to 30 times faster"),
        (5.0, "; time runs up to 5 times faster"),
        (1.0, ""),
        (FASTEST, "; time runs as fast as this machine can follow"),
    ],
)
def test_banner_says_how_fast_the_paper_market_may_run(speed: float, text: str) -> None:
    assert time_text(make_settings(speed=speed), speed or 30.0) == text


def test_speed_max_is_the_fastest() -> None:
    assert Settings.read({"SPEED": "max"}).speed == FASTEST


@pytest.mark.long
@pytest.mark.parametrize("speed", [0.0, 30.0, FASTEST])
def test_the_demo_begins_at_the_same_moment_whenever_and_however_fast_it_runs(speed: float) -> None:
    """A seed gives everyone the same market and the same trades, also without any option."""
    settings = make_settings(speed=speed)
    with lockstep_venue(settings, Policy()) as (_, market, _keys):
        assert market.source.start == SYNTHETIC_START
        assert market.speed == speed_of(settings)

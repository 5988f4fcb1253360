"""`backtest synthetic`: days on the made-up market in simulated time."""

from decimal import Decimal

import pytest

from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.made_up import MadeUp
from turbo_trader.simulation.synthetic import SyntheticMarket

CHEAP = ("XRPUSDT", "DOGEUSDT")


def test_an_hour_is_played_the_same_for_the_same_seed() -> None:
    instruments = [each for each in universe() if each.symbol in CHEAP]
    play = MadeUp(instruments, Policy.from_env({"SIZE": "earned"}), Decimal(18), days=1 / 24)
    first, again = ({**play.play(3), "seconds": 0} for _ in range(2))
    assert first == again
    assert first["scans"] > 0
    assert first["evidence"].endswith("trying with the smallest orders")
    assert first["stages"] == {"A": "scout", "B": "scout"}


def test_the_edge_of_the_market_can_be_switched_while_it_runs() -> None:
    instruments = [each for each in universe() if each.symbol in CHEAP]
    switched = SyntheticMarket(instruments, 1, 0, 1.0)
    assert (switched._symbols["deviation"] > 0).all()
    switched.set_edge(0.0)
    assert (switched._symbols["deviation"] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("edge", "least", "most"), [(2.0, 8, 10), (0.0, 0, 2)])
def test_a_week_earns_a_size_where_there_is_something_to_earn(edge: float, least: int, most: int) -> None:
    # slow: twenty weeks of fifteen symbols
    play = MadeUp(universe(), Policy.from_env({"SIZE": "earned"}), Decimal(18), 7.0, ((0.0, edge),))
    assert least <= sum(bool(play.play(seed)["earned"]) for seed in range(1, 11)) <= most


@pytest.mark.slow
def test_with_the_edge_alone_switched_the_stages_come_and_go() -> None:
    # slow: four days of fifteen symbols
    play = MadeUp(
        universe(), Policy.from_env({"SIZE": "earned"}), Decimal(18), 4.0, ((0.0, 2.0), (30.0, 0.0))
    )
    changes = [(each["before"], each["stage"]) for each in play.play(1)["stage_changes"]]
    for step in (("scout", "earned"), ("earned", "scout"), ("scout", "shadow")):
        assert step in changes

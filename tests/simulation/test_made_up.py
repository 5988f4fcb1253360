"""`backtest synthetic`: days on the made-up market in simulated time."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from turbo_trader.console.settings import Settings
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.made_up import MadeUp
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note, Scanned
from turbo_trader.trader.events import Event

FASTER = 30  # venue seconds a second
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


class Enough(Exception):
    """Three trades are closed."""


@dataclass
class Times:
    """When the first scan was, when entries were sent and trades closed, ns; raises Enough after three."""

    scan: int = 0
    entries: list[int] = field(default_factory=list)
    trades: list[int] = field(default_factory=list)

    def event(self, event: Event) -> None:
        """Nothing of it."""

    def command(self, command: Command) -> None:
        if isinstance(command, Scanned):
            self.scan = self.scan or command.ts
        if isinstance(command, Note) and command.name in ("entry", "trade"):
            (self.entries if command.name == "entry" else self.trades).append(command.ts)
        if len(self.trades) == 3:
            raise Enough


def test_the_demo_has_an_entry_in_its_first_minute_and_three_trades_in_five() -> None:
    """The market, seed, edge and balance of `run` without options, whose time runs thirty times faster."""
    times = Times()
    settings = Settings.read({})
    edges = ((0.0, settings.edge),)
    with pytest.raises(Enough):
        MadeUp(universe(), Policy(), settings.balance, 151 / 1440, edges, recorder=times).play(settings.seed)
    assert times.entries[0] - times.scan <= 60 * FASTER * SECOND
    assert times.trades[2] - times.scan <= 300 * FASTER * SECOND


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

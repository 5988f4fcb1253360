"""The study of the stages with fewer weeks: what earned costs where there is nothing, and what it reaches otherwise."""

from functools import cache

import pytest

from studies.stages import Case, Summary, cases, line, summarise

pytestmark = pytest.mark.long

RUNS = 60


CLUSTERED = pytest.mark.parametrize("clustered", [False, pytest.param(True, marks=pytest.mark.slow)])


@cache
def found(name: str, clustered: bool) -> Summary:
    (case,) = (c for c in cases() if (c.name, c.clustered, c.heavy) == (name, clustered, False))
    return summarise(case, RUNS, 1)


@CLUSTERED
def test_losing_trades_cost_little_and_stop_soon(clustered: bool) -> None:
    losing = found("-13", clustered)
    assert losing.end(0.05) >= 16.8
    assert losing.share("stopped", 48) >= 0.8
    assert losing.share("stopped", 96) >= 0.93
    assert losing.share("promoted") == 0
    assert losing.end(0.5) > 2 * sorted(run.full for run in losing.runs)[RUNS // 2]


@CLUSTERED
def test_trades_that_earn_nothing_are_seldom_promoted(clustered: bool) -> None:
    nothing = found("+0", clustered)
    assert nothing.end(0.05) >= 15.5
    assert nothing.share("promoted") <= 0.2


@CLUSTERED
def test_trades_that_earn_are_promoted_and_grow(clustered: bool) -> None:
    earning = found("+20", clustered)
    assert earning.share("promoted", 96) >= 0.9
    assert earning.end(0.5) > 22


@CLUSTERED
def test_when_earning_ends_most_of_it_is_kept(clustered: bool) -> None:
    assert found("+20, from 72 h on -13", clustered).kept >= 0.88


def test_the_same_seed_gives_the_same_week_and_a_row_says_it() -> None:
    case = Case("+0", 0.0)
    assert summarise(case, 2, 5).runs == summarise(case, 2, 5).runs
    assert line(summarise(case, 2, 5)).startswith("| +0 bp | normal | independent | ")

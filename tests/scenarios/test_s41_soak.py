"""S41: hours of simulated time with faults break no invariant, and a process that lives through them does not grow.

72 hours take about a minute: they are played by `scripts/test tests/scenarios/test_s41_soak.py -m slow` (`-s` shows the figures),
the suite plays two.
"""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

import numpy as np
import pytest

from turbo_trader.chaos.play import Chaos
from turbo_trader.chaos.situations import OFTEN
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.faults import parse_faults
from turbo_trader.simulation.simulation import Simulation

pytestmark = pytest.mark.long

#: Contracts that end do not come back: after days none would be left. After hours of jumps the forecasts see no edge any more.
LASTING = "heavy,delisting=0,price_gap=0,flash_crash=0,liquidation=0,mark_apart=0"
#: One life: what grows in it is not hidden by a restart.
UNDYING = f"{LASTING},crash=0,crash_at_send=0,power_cut=0,away=0,guard_crash=0"
NOT_DATA = (type, types.ModuleType, types.FunctionType, types.CodeType, types.BuiltinFunctionType)


def size_of(trader: Any) -> int:
    """Bytes of everything the Trader holds on to; code and classes are not counted."""
    seen, waiting, total = {id(trader)}, [trader], 0
    while waiting:
        each = waiting.pop()
        total += sys.getsizeof(each)
        for other in gc.get_referents(each):
            if id(other) not in seen and not isinstance(other, NOT_DATA):
                seen.add(id(other))
                waiting.append(other)
    return total


def soak(hours: float, faults: str) -> tuple[dict[str, Any], list[int]]:
    """The result, and the Trader's size at each half hour it was there."""
    sizes: list[int] = []

    def look(simulation: Simulation) -> None:
        if simulation.now // (60 * 10**9) % 30 == 0 and simulation.trader is not None:
            sizes.append(size_of(simulation.trader))

    play = Chaos(
        instruments=universe()[:4],
        policy=Policy.from_env(OFTEN),
        rates=parse_faults(faults),
        hours=hours,
        progress=look,
    )
    return play.play(41), sizes


def check(hours: float, most: int = 20_000) -> None:
    """`most`: bytes an hour the Trader may grow by."""
    result, sizes = soak(hours, UNDYING)
    assert result["violation"] is None
    assert result["lives"] == 1
    assert result["trades"] > 2 * hours
    assert sum(result["faults"].values()) > 200 * hours
    settled = sizes[len(sizes) // 4 :]
    slope = float(np.polyfit(np.arange(len(settled)) / 2, settled, 1)[0])
    kept = f"the Trader at {min(settled) // 1000} to {max(settled) // 1000} kB, {slope / 1000:.1f} kB an hour"
    print(
        f"\n{hours:g} h in one life: {result['trades']} trades, {sum(result['faults'].values())} faults, {kept}"
    )
    assert slope < most, f"{slope:.0f} bytes an hour: {settled}"


def test_s41_hours_with_faults_break_nothing_and_leave_nothing_behind() -> None:
    check(
        2, most=250_000
    )  # windows still fill; that nothing grows for ever is shown by the 72 h of the slow ones


@pytest.mark.slow  # a minute
def test_s41_72_hours_with_faults_break_nothing_and_leave_nothing_behind() -> None:
    check(72)


@pytest.mark.slow  # a minute
def test_s41_72_hours_with_deaths_break_nothing() -> None:
    result, _ = soak(72, LASTING)
    print(
        f"\n72 h: {result['trades']} trades, {sum(result['faults'].values())} faults, {result['lives']} lives"
    )
    assert result["violation"] is None
    assert result["lives"] > 72

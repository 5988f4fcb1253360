"""The funnel counts scans by how far they came."""

from typing import Any

import numpy as np

from turbo_trader.rules.funnel import HOPED, Funnel
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import OFI, OU_DRIFT


def test_counts(judged: Any) -> None:
    cases = [
        judged(),
        judged(confirms=1 << OFI | 1 << OU_DRIFT),
        judged(confirms=0),
        judged(snr=0.5),
        judged(fresh=0),
        judged(direction=0),
    ]
    rows = np.zeros(len(cases), SCAN)
    for i, row in enumerate(cases):
        rows[i] = row
    rows["ts"] = np.arange(len(cases)) * 3_600_000_000_000 + 1
    funnel = Funnel()
    funnel.add(rows[:2])
    funnel.add(rows[2:])
    funnel.add(rows[:0])
    said = funnel.to_dict()
    assert (said["scans"], said["candidates"], said["pre_filter"], said["A"], said["B"]) == (6, 4, 3, 1, 1)
    assert said["blocks"]["data"] == 1
    assert said["blocks"]["pre-filter"] == 2
    assert said["blocks"]["tier"] == 1
    assert sum(said["blocks"].values()) + said["passed"] == 6
    assert funnel.hours == 5.0
    table = {name: measured for name, measured, _, _ in funnel.beside_hoped()}
    assert table["candidates per hour"] == "0.8"
    assert table["pre-filter"] == "75.0 %"
    assert table["A : B"] == "1 : 1"


def test_empty_funnel_is_an_answer() -> None:
    assert Funnel().to_dict()["scans"] == 0
    assert all(measured in ("-", "0 : 0") for _, measured, _, _ in Funnel().beside_hoped())


def test_hoped_figures_are_those_of_section_10() -> None:
    assert HOPED["candidates per hour"] == ("10-20", "60-100")
    assert HOPED["trades per hour"] == ("0-1", "3-8")

"""The funnel counts scans by how far they came."""

from typing import Any

import numpy as np

from turbo_trader.rules.gates import CONSENSUS, GATES, LIMITS, SIZE, TIER
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.scan_funnel import TARGETS, Funnel, funnels
from turbo_trader.signals.figures import OFI, OU_DRIFT


def test_counts(evaluated: Any) -> None:
    cases = [
        evaluated(),
        evaluated(confirms=1 << OFI | 1 << OU_DRIFT),
        evaluated(confirms=0),
        evaluated(snr=0.5),
        evaluated(fresh=0),
        evaluated(direction=0),
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
    assert funnel.past() == dict.fromkeys(GATES[TIER + 1 :], 1.0)  # both A and B passed each
    table = {name: measured for name, measured, _, _ in funnel.beside_targets()}
    assert table["candidates per hour"] == "0.8"
    assert table["pre-filter"] == "75.0 %"
    assert table["A : B"] == "1 : 1"
    assert table["symbols"] == "1"
    assert table["scan interval"] == "3600 s"


def test_the_share_past_a_gate_is_of_what_came_to_it() -> None:
    funnel = Funnel(a=6, b=4, blocks=[0] * len(GATES))
    funnel.blocks[CONSENSUS], funnel.blocks[LIMITS], funnel.blocks[SIZE] = 5, 1, 4
    assert funnel.past() == {
        "consensus": 0.5, "flat": 1.0, "fee": 1.0, "EV": 1.0, "limits": 0.8, "size": 0.0,
    }  # fmt: skip
    funnel.blocks[CONSENSUS] = 10
    assert funnel.past() == {"consensus": 0.0}


def test_empty_funnel_is_an_answer() -> None:
    assert Funnel().past() == {}
    assert Funnel().to_dict()["scans"] == 0
    assert all(measured in ("-", "0 : 0") for _, measured, _, _ in Funnel().beside_targets())


def test_target_figures_are_those_of_section_10() -> None:
    assert TARGETS == {
        "symbols": ("8", "15"),
        "scan interval": ("5 min", "30-60 s"),
        "candidates per hour": ("10-20", "60-100"),
        "pre-filter": ("50 %", "50 %"),
        "A": ("10 %", "15 %"),
        "B": ("0", "25 %"),
        "post-filter": ("10 %", "80 %"),
        "trades per hour": ("0-1", "3-8"),
        "executed of candidates": ("1 %", "10-15 %"),
        "A : B": ("-", "70 : 30"),
        "win rate": ("65-75 %", "60-70 % (A 70-75, B 60-65)"),
        "average win": ("+1.2 %", "+0.8 %"),
        "average loss": ("-0.6 %", "-0.4 %"),
        "reward : risk": ("2:1", "2:1"),
        "duration": ("15-45 min", "10-30 min"),
        "trades per day": ("-", "20-40 at 18 USDT, 15-30 at 50, 10-20 at 100, 8-15 at 500"),
        "growth per day": ("-", "10-30 % at 18 USDT, 8-20 % at 50, 5-15 % at 100, 3-8 % at 500"),
    }


def test_funnels_by_symbol_and_hour_add_up_to_the_whole(evaluated: Any) -> None:
    hour = 3_600_000_000_000
    good, flat = evaluated(), evaluated(snr=0.5)
    scans = []
    for ts, pair in (
        (hour, (good, flat)),
        (hour + 1, (flat, flat)),
        (2 * hour, (good, good)),
        (5 * hour - 1, (good, flat)),
    ):
        rows = np.zeros(2, SCAN)
        rows[0], rows[1] = pair
        rows["ts"] = ts
        scans.append((ts, ["XRPUSDT", "BTCUSDT"], rows))
    found = funnels(scans)
    assert found.total.scans == 8
    assert {name: each.passed for name, each in found.symbols.items()} == {"XRPUSDT": 3, "BTCUSDT": 1}
    assert {ts // hour: each.passed for ts, each in found.hours.items()} == {1: 1, 2: 2, 4: 1}
    assert found.hours[hour].blocks[1] == 3
    for part in (found.symbols, found.hours):
        assert sum(each.candidates for each in part.values()) == found.total.candidates
        assert [
            sum(c) for c in zip(*(each.blocks for each in part.values()), strict=True)
        ] == found.total.blocks
    assert funnels([]).total.scans == 0

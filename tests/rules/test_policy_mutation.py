"""Changing any number of the policy changes what the rules do: what they measure, judge, size, exit, halt and rank."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.errors import InputError
from turbo_trader.market.events import SECOND
from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.rules.confirmation import still_confirmed
from turbo_trader.rules.entry import entry_limit
from turbo_trader.rules.exits import Bracket, exit_rules
from turbo_trader.rules.gates import LimitFacts, limits_gate
from turbo_trader.rules.numbers import env_name
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.portfolio import weights
from turbo_trader.rules.scan import SCAN, TIER_A, TIER_B
from turbo_trader.rules.session import Session
from turbo_trader.rules.sizing import Account, Entry, OpenRisk, size_entry
from turbo_trader.rules.watchdog import Evidence, tripped
from turbo_trader.signals.figures import OFI, OU_DRIFT

D = Decimal
NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND
SCANNED = NOON - 3 * 3600 * SECOND + 399 * SECOND  # when the measured market is scanned, to the second
EQUITIES = ("18", "24", "30", "60", "100", "150", "1500")
DECLARED = {declared.name: declared for declared in fields(Policy)}
B = 1 << OFI | 1 << OU_DRIFT

#: Numbers that the rules hand on without reading them, and the tests that play what becomes of a change.
READ_ABOVE = {
    "micro_turbo_signal_interval": "tests/trader/test_policy_numbers.py",
    "growing_scan_interval": "tests/trader/test_policy_numbers.py",
    "institutional_scan_interval": "tests/trader/test_policy_numbers.py",
    "weights_window": "tests/trader/test_policy_numbers.py",
    "weights_refresh": "tests/trader/test_policy_numbers.py",
    "entry_recv_window": "tests/trader/test_policy_numbers.py",
    "lookup_extra": "tests/trader/test_policy_numbers.py",
    "flatten_time": "tests/trader/test_policy_numbers.py",
    "on_term": "tests/process/test_run.py",
    "maker_patience": "tests/trader/test_resting.py",
    "calibration_min_samples": "tests/rules/test_calibration.py",
    "calibration_group": "tests/rules/test_calibration.py",
    "calibration_window": "tests/trader/test_calibrating.py",
    "calibration_refit": "tests/trader/test_calibrating.py",
    "calibration_hole": "tests/trader/test_calibrating.py",
}

#: Numbers that bind only under another policy: what else is set.
CONTEXT: dict[str, dict[str, str]] = {
    "min_returns": {"MIN_MINUTES": "30"},
    "b_tp_min": {"TP_MIN": "0.4%"},
    "b_sl_min": {"TP_MIN": "0.4%", "SL_MIN": "0.2%"},
    "b_sl_max": {"SL_MAX": "0.9%", "B_SL_MAX": "0.4%"},
    "sl_min": {"SL_OF_TP": "0.4"},
    "micro_min_ev": {"MICRO_TURBO_MODE": "false"},
    "micro_below": {"MICRO_TURBO_MODE": "false"},
    "maker_fee": {"ENTRY_STYLE": "maker"},
    "medium_below": {"A_MARGIN_HIGH": "0.8"},
    "tp_min": {"B_TP_MIN": "0.1%", "B_TP_MAX": "3%"},
}

Fixture = Callable[..., Any]


def alternatives(policy: Policy, name: str) -> list[Policy]:
    """Valid policies that differ in one number."""
    value = getattr(policy, name)
    choices: list[Any]
    if isinstance(value, bool):
        choices = [not value]
    elif DECLARED[name].metadata["choices"]:
        choices = [word for word in DECLARED[name].metadata["choices"] if word != value]
    elif isinstance(value, tuple):
        choices = [value[:-1]] if isinstance(value[0], str) else [(4, *value[1:]), (*value[:-1], 1000)]
    elif isinstance(value, int):
        choices = [value * 2, value // 2, value + 1]
    else:
        choices = [value * 2, value / 2, value * D("1.3"), value * D("0.7")]
    found = []
    for choice in choices:
        try:
            found.append(replace(policy, **{name: choice}))
        except InputError:
            continue
    return found


# what the rules do under a policy, over scenes that touch every number


def scans(policy: Policy, judged: Fixture, _: Fixture) -> list[Any]:
    cases: list[dict[str, Any]] = [
        {}, {"confirms": B}, {"confirms": B | 2}, {"sigma": 1e-5}, {"sigma": 1e-2}, {"sigma": 1e-5, "confirms": B},
        {"sigma": 1e-2, "confirms": B}, {"sigma": 0.00024, "confirms": B},
    ]  # fmt: skip
    cases += [{"spread": x} for x in (0.0006, 0.0009, 0.0012, 0.0015)]
    cases += [{"mark_gap": x} for x in (0.0006, 0.0009, 0.0012, 0.0015)]
    cases += [{"jump_age": x * SECOND} for x in (200, 250, 350, 500)]
    cases += [{"gate": {"clock_offset": int(x * SECOND)}} for x in (0.6, 0.8, 1.2, 1.5)]
    cases += [{"gate": {"btc_move_ts": NOON - x * SECOND}} for x in (200, 250, 350, 500)]
    cases += [{"gate": {"maintenance_ts": NOON + x * SECOND}} for x in (500, 700, 1000, 1500)]
    cases += [{"gate": {"key_expiry_ts": NOON + x * SECOND}} for x in (50_000, 70_000, 100_000, 150_000)]
    cases += [{"now": NOON + 4 * 3600 * SECOND + x * SECOND} for x in (6, 8, 11, 12, 15)]
    cases += [{"gate": {"slippage": 0.0001 * x}} for x in range(0, 60, 4)]
    cases += [{"sigma": sigma, "forecast": 0.006} for sigma in (0.00015, 0.0003)]
    cases += [{"sigma": 0.00008, "gate": {"taker_fee": 0.0, "maker_fee": 0.0}, "spread": 0.0}]
    of_tier: list[dict[str, Any]] = [{}, {"confirms": B}]
    of_tier += [{"snr": x} for x in (0.6, 0.9, 1.2, 1.4, 1.6, 1.8, 2.5)]
    of_tier += [{"confidence": x} for x in (0.3, 0.4, 0.55, 0.6, 0.7, 0.8)]
    of_tier += [{"consensus": x} for x in (0.4, 0.5, 0.7, 0.8, 1.0)]
    of_tier += [{"forecast": x} for x in (0.0006, 0.0008, 0.0012, 0.0018)]
    of_tier += [{"forecast": 0.002 + 0.0001 * x} for x in range(12)]
    seen = [judged("18", policy=policy, **case) for case in cases]
    seen += [judged(equity, policy=policy, **case) for equity in EQUITIES for case in of_tier]
    figures = ("take_profit", "stop_loss", "cost", "p_tp", "ev")
    return [
        (row["verdict"].tolist(), int(row["block_code"]), [float(row[name]) for name in figures])
        for row in seen
    ]


def figures(policy: Policy, _: Fixture, measured: Fixture) -> list[Any]:
    """What is measured of one market, and of others that differ from it in one thing each."""
    cases: list[dict[str, Any]] = [{"equity": "18"}, {"equity": "150"}, {"equity": "1500"}]
    cases += [{"late_s": x} for x in (2, 3, 4, 6, 9)]
    cases += [{"bars": x} for x in (10, 38, 800, 1000, 1100)]
    cases += [{"half_life": x} for x in (3.0, 30.0, 50.0)]
    cases += [{"last": x} for x in (148.5, 148.8, 149.3, 149.6)]
    cases += [{"turn": x, "drift": 0} for x in (10, 20)]
    cases += [{"jump": x, "drift": 0} for x in (0.003, 0.005, 0.007, 0.01, 0.013)]
    cases += [{"state": {"ofi": x, "ofi_abs": 100}} for x in (8, 12, 18, 25)]
    cases += [{"state": {"vwap_start": SCANNED - x * SECOND}} for x in (1000, 1700, 2500, 4000)]
    cases += [{"state": narrow_band(gap)} for gap in (0.0006, 0.0008, 0.0012, 0.0018)]
    cases += [{"state": funding(0, x)} for x in (3, 4, 6, 9)]
    cases += [{"state": funding(x, 6)} for x in (6, 10, 14, 18, 25)]
    return [measured(policy, **case).tobytes() for case in cases]


def funding(hours_ago: int, basis_points: int) -> dict[str, float]:
    """Longs are paid so much each 8 h, as was last heard some hours before the scan."""
    heard = SCANNED - hours_ago * 3600 * SECOND
    return {"funding_rate": -1e-4 * basis_points, "funding_ts": heard, "funding_minutes": 480}


def narrow_band(gap: float) -> dict[str, float]:
    """A VWAP `gap` above the price of the measured market, around which hardly anything traded elsewhere."""
    price = 148.13 * (1 + gap)
    return {
        "vwap_base": price,
        "vwap_volume": 10.0,
        "vwap_sum": 0.0,
        "vwap_square": 10.0 * (price * 1e-4) ** 2,
    }


def sizes(policy: Policy, *_: Fixture) -> list[Any]:
    item = Instrument(
        "XRPUSDT", "Trading", D("0.0001"), D("0.1"), D("0.1"), D(10**8), D(10**8), D(1), D("0.0001"), D(200), D(100),
        D("0.01"), 480, D("0.02"), D("0.1"), D("0.1"), 0, simulated_tiers(D(100), D(10**9)),
    )  # fmt: skip
    plan = Entry(
        item, 1, TIER_A, D("0.6"), D("0.0001"), D("0.0001"), D(0), D(0), D(0), D("0.0005"), D(1) / 15, 15
    )
    out = []
    for equity in ("1", "18", "30", "90"):
        e = D(equity)
        account = Account(e, e, e, e, D(0))
        worn = replace(account, session_result=e * D("-0.15"))
        held = OpenRisk("ETHUSDT", 1, D(1), e * D("0.8"), D("-0.1"), D(0), D(0))
        for change in (
            {}, {"weight": D(0)}, {"weight": D(1)}, {"stop_loss": D("0.02")}, {"range_tail": D("0.2")},
            {"trade_tier": TIER_B}, {"trade_tier": TIER_B, "weight": D(0)}, {"trade_tier": TIER_B, "weight": D(1)},
            {"trade_tier": TIER_B, "stop_loss": D("0.02")},
        ):  # fmt: skip
            chosen = replace(plan, **change)
            out += [size_entry(policy, account, (), chosen, losses).qty for losses in (0, 1, 2, 3, 4, 6)]
            out.append(size_entry(policy, worn, (), chosen).qty)
            out.append(size_entry(policy, account, (held,), chosen).qty)
            out.append(size_entry(policy, account, (), chosen).leverage)
    return out


def exits(policy: Policy, *_: Fixture) -> list[Any]:
    out: list[Any] = []
    for confirm in (True, False):
        for cost in ("0", "0.002"):
            b = Bracket(1, D(100), D("0.001"), D("0.015"), D("0.006"), D(cost), 0, SECOND, exit_rules(policy))
            out += [b.stop, b.target, b.backstop]
            for step in range(1, 90):
                actions = b.on_price(100 + D(step) / 10, confirm)
                out.append(actions)
                if b.pending_backstop is not None:
                    b.backstop_confirmed(b.pending_backstop)
            out += [b.deadline_ns, b.on_time(2 * SECOND), b.held]
    for away in ("0.0006", "0.0008", "0.0012", "0.0018", "0.01"):
        b = Bracket(1, D(100), D("0.001"), D("0.015"), D("0.006"), D(0), 0, SECOND, exit_rules(policy))
        out += [b.on_mark(at * SECOND // 10, b.stop * (1 - D(away))) for at in (0, 4, 6, 8, 12, 16, 25)]
    return out


def sessions(policy: Policy, *_: Fixture) -> list[Any]:
    out: list[Any] = []
    for path in (
        (100, 93, 91, 89, 87, 85, 84, 82, 80, 75, 65, 55),
        (100, 200, 190, 185, 175, 165, 145, 135, 120, 110),
    ):
        session = Session()
        for i, worth in enumerate(path):
            out += [event.name for event in session.on_equity(policy, NOON + i, D(worth))]
            out += session.on_usage(policy, {"session result": -session.result / D("0.2")})
    session = Session()
    now = NOON
    session.on_equity(policy, now, D(100))
    equity = D(100000)
    for _pause in range(8):
        session.on_equity(policy, now, equity)
        equity *= D("0.8")
        now += 1
        out += [event.name for event in session.on_equity(policy, now, equity)]
        out.append(session.refusal(now + 1200 * SECOND))
        now += 2 * 3600 * SECOND
    return out


def rest(policy: Policy, *_: Fixture) -> list[Any]:
    returns = np.random.default_rng(3).standard_normal((200, 5)) * np.array([1, 2, 3, 4, 5]) * 1e-3
    rows = np.zeros(1, SCAN)
    rows["valid"] = 0b111
    out: list[Any] = [
        weights(policy, D(equity), returns).tolist() for equity in ("8", "18", "25", "30", "60")
    ]
    item = Instrument(
        "ETHUSDT", "Trading", D("0.01"), D("0.01"), D("0.01"), D(10), D(10), D(5), D("0.01"), D(10**5), D(100), D("0.01"),
        480, D("0.01"), D("0.1"), D("0.1"),
    )  # fmt: skip
    out += [entry_limit(policy, item, 1, D(1999), D(2000), D(margin)) for margin in ("0.0004", "0.01")]
    for ofi, accel in (
        (0.1, 2.0),
        (0.12, 2.0),
        (0.18, 2.0),
        (0.25, 2.0),
        (0.9, 0.6),
        (0.9, 0.8),
        (0.9, 1.2),
        (0.9, 1.5),
    ):
        rows["score"][0, OFI], rows["acceleration_z"] = ofi, accel
        out.append(still_confirmed(policy, rows, 0, 1))
    tier = policy.capital_tier(D(18))
    for ago in (500, 700, 1000, 1500):
        facts = LimitFacts("", 0, False, "", stopped_out_ns=NOON - ago * SECOND)
        out.append(limits_gate(tier, facts, NOON, float(policy.cooldown_horizons)).value)
    out += [tripped(policy, evidence([-0.004, -0.003] * n)) for n in (5, 8, 11, 13, 15, 16, 18, 20, 25, 30)]
    flat = np.array([1.0, -1.0] * 20)
    out += [
        tripped(policy, evidence((flat - z * flat.std(ddof=1) / np.sqrt(40)).tolist()))
        for z in (1.0, 1.4, 1.6, 1.75, 1.9, 2.1)
    ]
    for equity in ("18", "150", "1500"):
        held = [LimitFacts("", n, False, "") for n in (1, 2, 3, 4, 5, 6, 9)]
        out += [limits_gate(policy.capital_tier(D(equity)), each, NOON, 1.0).value for each in held]
    return [*out, policy.symbols]


def evidence(returns: list[float]) -> Evidence:
    seen = Evidence()
    for value in returns:
        seen.add(value)
    return seen


ACTS: tuple[Callable[[Policy, Fixture, Fixture], list[Any]], ...] = (
    rest, sessions, exits, sizes, figures, scans,
)  # fmt: skip


def test_every_number_handed_on_is_changed_by_the_test_it_names() -> None:
    root = Path(__file__).resolve().parents[2]
    for name, where in READ_ABOVE.items():
        text = (root / where).read_text()
        ways = (f'"{env_name(DECLARED[name])}"', f'"{name}"', f"{name}=")
        assert any(way in text for way in ways), name


@pytest.mark.parametrize(
    "name",
    [
        "zone_one",
        "zone_two",
        "lock_share",
        "extension",
        "max_extensions",
        "extension_share",
        "hold_factor",
        "break_even_min",
    ],
)
def test_an_exit_figure_changes_the_expected_value_as_well(name: str, judged: Any) -> None:
    # forecasts that end after T, so that the time limit counts
    policy = Policy.from_env({"TURBO_MAX_HOLD": "900"})
    figures = {"sigma": 0.0003, "forecast": 0.006}
    before = float(judged(policy=policy, **figures)["ev"])
    assert before > 0
    short = {"gate": {"max_hold_s": 500.0}, **figures}
    limited = float(judged(policy=policy, **short)["ev"])
    found = [
        (float(judged(policy=other, **figures)["ev"]), float(judged(policy=other, **short)["ev"]))
        for other in alternatives(policy, name)
    ]
    assert any(ev != before or cut != limited for ev, cut in found)


def test_holding_on_at_the_target_is_worth_more_of_a_lasting_drift(judged: Any) -> None:
    figures = {"sigma": 0.0003, "forecast": 0.006}
    hold = Policy.from_env({"TP_WITHOUT_CONFIRMATION": "hold"})
    assert judged(policy=hold, **figures)["ev"] > judged(**figures)["ev"]


# what the acts show under the policy before the change
_before: dict[tuple[int, tuple[tuple[str, str], ...]], list[Any]] = {}


@pytest.mark.parametrize("name", [name for name in DECLARED if name not in READ_ABOVE])
def test_changing_a_number_changes_what_the_rules_do(name: str, judged: Fixture, measured: Fixture) -> None:
    policy = Policy.from_env(CONTEXT.get(name, {}))
    others = alternatives(policy, name)
    if DECLARED[name].metadata["pinned"]:
        assert not others  # built into a kernel: any other value is refused
        return
    assert others

    def changes(number: int) -> bool:
        key = (number, tuple(CONTEXT.get(name, {}).items()))
        if key not in _before:
            _before[key] = ACTS[number](policy, judged, measured)
        return any(ACTS[number](other, judged, measured) != _before[key] for other in others)

    assert any(changes(number) for number in range(len(ACTS)))

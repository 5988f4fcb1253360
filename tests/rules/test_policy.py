"""Policy: every number has unit, section and origin; text overrides it; nonsense and contradictions are
refused.
"""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from turbo_trader.market.errors import InputError
from turbo_trader.numbers.declared import env_name, shown
from turbo_trader.numbers.number import Belief, Label
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.sources import SOURCES
from turbo_trader.signals.figures import ASKED, WEIGHED

DECLARED = Policy.model_fields


def test_defaults_are_valid_and_frozen() -> None:
    policy = Policy()
    with pytest.raises(ValidationError, match="frozen"):
        policy.tp_min = Decimal(1)


def test_every_number_says_unit_section_meaning_and_origin() -> None:
    for row in Policy().table():
        assert row.unit
        assert row.meaning
        assert row.section[0] in "123456789"
        assert row.label in set(Label)
        assert row.source, (
            f"{row.name}: name the line of the rules (rules/sources.py), such as '7 margin cap'"
        )
        assert not row.overridden


def test_reasons_are_given_exactly_where_the_user_did_not_ask() -> None:
    for row in Policy().table():
        assert bool(row.reason) is (row.label is not Label.ASKED), row.name


def test_every_line_of_the_rules_has_a_number() -> None:
    assert {row.section for row in Policy().table()} == set(SOURCES)


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (
            "asked",
            "TP_MIN VWAP_MIN_GAP PAUSE_TIME FLAT_EDGE OFI_THRESHOLD SL_OF_TP MAX_LEVERAGE PORTFOLIO_FROM",
        ),
        (
            "chosen",
            "TP_SIGMAS WEIGHT_CAP WEIGHTS_REFRESH TARGET_ASSETS OFI_LEVELS CONSENSUS_HORIZONS LOW_CONSENSUS",
        ),
        (
            "ours",
            "PAUSES_TO_HALT SAME_DIRECTION RANGE_QUANTILE LIQUIDATION_MULTIPLE ENTRY_RECV_WINDOW ON_TERM",
        ),
        ("ours", "ENTRY_SLIP_MAX ENTRY_SLIP_OF_EV MIN_ENTRY_NOTIONAL WATCHDOG_TRADES BACKSTOP_EXTRA"),
    ],
)
def test_numbers_say_whose_they_are(label: str, names: str) -> None:
    labels = {row.name: row.label for row in Policy().table()}
    assert {name: labels[name] for name in names.split()} == dict.fromkeys(names.split(), Label(label))


def test_constructing_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TP_MAX", "1.4%")
    monkeypatch.setenv("tp_max", "1.4%")
    assert Policy().tp_max == Decimal("0.015")
    assert Policy.from_env({}).tp_max == Decimal("0.015")


def test_table_marks_what_was_overridden() -> None:
    rows = {row.name: row for row in Policy.from_env({"TP_MAX": "1.4%"}).table()}
    assert rows["TP_MAX"].overridden
    assert rows["TP_MAX"].value == Decimal("0.014")
    assert rows["TP_MAX"].default == Decimal("0.015")
    assert sum(row.overridden for row in rows.values()) == 1


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_every_number_can_be_given_as_text(name: str) -> None:
    policy = Policy.from_env({env_name(name): shown(getattr(Policy(), name))})
    assert policy == Policy()


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.007", "0.007"), ("0.7%", "0.007"), ("0.7 %", "0.007"), ("70bp", "0.007"), (" 0.0070 ", "0.007")],
)
def test_fractions_may_be_percent_or_basis_points(text: str, value: str) -> None:
    assert Policy.from_env({"TP_MIN": text}).tp_min == Decimal(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False), ("False", False)],
)
def test_switches(text: str, value: bool) -> None:
    assert Policy.from_env({"MICRO_TURBO_MODE": text}).micro_turbo_mode is value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MICRO_TURBO_MODE", "maybe"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "0"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "30.5"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "-1"),
        ("TP_MAX", "nan"),
        ("TP_MAX", "inf"),
        ("TP_MAX", "a lot"),
        ("TP_MAX", "0.6"),
        ("ENTRY_STYLE", "market"),
        ("TP_WITHOUT_CONFIRMATION", "wait"),
        ("ON_TERM", "explode"),
        ("BELIEF", "yes"),
        ("TARGET_ASSETS", "BTC,BTC"),
        ("TARGET_ASSETS", ","),
        ("RANGE_QUANTILE", "0.99"),
        ("OFI_LEVELS", "5"),
        # numbers that two readers could take differently
        ("TP_MAX", "1_0bp"),
        ("TP_MAX", "+0.01"),
        ("TP_MAX", ".01"),
        ("TP_MAX", "1e-999999999"),
        ("TP_MAX", "1e999%"),
        ("TP_MAX", "0.01%%"),
        ("TP_MAX", "٠.٠١"),
        ("TP_MAX", "0.0１"),
        ("INSTITUTIONAL_FROM", "1_000"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "3_0"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "٣٠"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "３０"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "+30"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "0x1e"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "3e1"),
        ("MICRO_TURBO_SIGNAL_INTERVAL", "9" * 5000),
        ("CONSENSUS_HORIZONS", "5,1_5,60,240,1440"),
        # gates that would never let anything pass
        ("TURBO_MIN_CONFIDENCE", "1"),
        ("GROWING_MIN_SNR", "1000"),
        ("OFI_THRESHOLD", "1"),
        ("MAX_SPREAD", "0"),
        ("MAX_CLOCK_OFFSET", "0"),
        ("MAX_MARK_GAP", "0"),
        ("SETTLEMENT_WINDOW", "1800"),
        ("CONSENSUS_HORIZONS", "5,15,60"),
        ("CONSENSUS_HORIZONS", "15,5,60,240,1440"),
        ("CONSENSUS_HORIZONS", "5,15,60,240,9999"),
    ],
)
def test_malformed_value_is_refused_with_name_value_and_expectation(name: str, text: str) -> None:
    with pytest.raises(InputError) as refused:
        Policy.from_env({name: text})
    message = str(refused.value)
    assert name in message
    assert "expected" in message or "takes" in message or "lie" in message
    assert "\n" not in message


def test_blank_value_is_the_default() -> None:
    assert Policy.from_env({"TP_MAX": " ", "UNRELATED": "x"}) == Policy()


def test_belief_is_asked_unless_said_otherwise() -> None:
    assert Policy.from_env({}).belief == "asked"
    assert Policy.from_env({"BELIEF": "Measured"}).belief == "measured"


@pytest.mark.parametrize(
    ("name", "asked", "else_than_asked"),
    [
        ("ou_samples", 240, 960),
        ("dickey_fuller_level", "0.10", "0.05"),
        ("ou_threshold", Decimal("0.5"), Decimal(1)),
        ("vwap_min_sd", Decimal(0), Decimal(1)),
        ("break_even_extra", Decimal("0.0003"), Decimal(0)),
        ("tp_without_confirmation", "hold", "close"),
        ("entry_slip_max", Decimal("0.0002"), Decimal("0.0005")),
    ],
)
def test_a_number_whose_default_depends_on_belief(name: str, asked: object, else_than_asked: object) -> None:
    assert getattr(Policy(), name) == asked
    for belief in ("weighed", "measured"):
        policy = Policy.from_env({"BELIEF": belief})
        assert getattr(policy, name) == else_than_asked
        assert policy.overridden() == {"BELIEF": belief}
        assert Policy.from_env(policy.overridden()) == policy
    kept = Policy.from_env({"BELIEF": "weighed", name.upper(): shown(asked)})
    assert getattr(kept, name) == asked
    assert Policy.from_env(kept.overridden()) == kept


def test_an_override_of_the_fit_is_of_the_belief_in_force() -> None:
    policy = Policy(ou_samples=480)
    assert (policy.under("ou_samples", ASKED), policy.under("ou_samples", WEIGHED)) == (480, 960)
    policy = Policy(belief=Belief.MEASURED, ou_samples=480)
    assert (policy.under("ou_samples", ASKED), policy.under("ou_samples", WEIGHED)) == (240, 480)


@pytest.mark.parametrize(
    ("env", "lines"),
    [
        # ranges upside down
        ({"TP_MIN": "0.02"}, ("TP_MIN", "TP_MAX")),
        ({"SL_MIN": "0.7%"}, ("SL_MIN", "SL_MAX")),
        ({"B_TP_MIN": "0.01"}, ("B_TP_MIN", "B_TP_MAX")),
        ({"B_SL_MAX": "0.002"}, ("B_SL_MIN", "B_SL_MAX")),
        ({"A_MARGIN_LOW": "0.6"}, ("A_MARGIN_LOW", "A_MARGIN_HIGH")),
        ({"B_MARGIN_HIGH": "0.05"}, ("B_MARGIN_LOW", "B_MARGIN_HIGH")),
        ({"SMALL_BELOW": "60"}, ("SMALL_BELOW", "MEDIUM_BELOW")),
        ({"OU_HALF_LIFE_MIN": "61"}, ("OU_HALF_LIFE_MIN", "OU_HALF_LIFE_MAX")),
        ({"TURBO_BELOW": "2000"}, ("TURBO_BELOW", "INSTITUTIONAL_FROM")),
        ({"MICRO_BELOW": "101"}, ("MICRO_BELOW", "TURBO_BELOW")),
        ({"ZONE_ONE": "1.1"}, ("ZONE_ONE", "ZONE_TWO")),
        # B above A
        ({"B_MARGIN_LOW": "0.35", "B_MARGIN_HIGH": "0.4"}, ("B_MARGIN_LOW", "A_MARGIN_LOW")),
        ({"B_MARGIN_HIGH": "0.6"}, ("B_MARGIN_HIGH", "A_MARGIN_HIGH")),
        ({"B_RISK": "0.15"}, ("B_RISK", "A_RISK")),
        # limits that no trade can meet, or that stand behind another
        ({"A_MARGIN_LOW": "0.95", "A_MARGIN_HIGH": "1"}, ("A_MARGIN_LOW", "SMALL_MARGIN_CAP")),
        ({"MEDIUM_MARGIN_CAP": "0.2"}, ("A_MARGIN_LOW", "MEDIUM_MARGIN_CAP")),
        ({"LARGE_MARGIN_CAP": "0.2"}, ("A_MARGIN_LOW", "LARGE_MARGIN_CAP")),
        ({"TOTAL_MARGIN": "0.35"}, ("SMALL_MARGIN_CAP", "TOTAL_MARGIN")),
        ({"MEDIUM_MARGIN_CAP": "0.95"}, ("MEDIUM_MARGIN_CAP", "TOTAL_MARGIN")),
        ({"TOTAL_MARGIN": "0.55"}, ("LARGE_MARGIN_CAP", "TOTAL_MARGIN")),
        ({"SAME_DIRECTION": "0.08"}, ("A_RISK", "SAME_DIRECTION")),
        ({"A_RISK": "0.25"}, ("A_RISK", "SESSION_LOSS")),
        ({"DRAWDOWN_PAUSE": "0.25"}, ("DRAWDOWN_PAUSE", "SESSION_LOSS")),
        ({"SL_MIN": "1%", "SL_MAX": "2%", "LIQUIDATION_MULTIPLE": "100"}, ("SL_MIN", "LIQUIDATION_MULTIPLE")),
        (
            {"B_SL_MIN": "1%", "B_SL_MAX": "2%", "LIQUIDATION_MULTIPLE": "100"},
            ("B_SL_MIN", "LIQUIDATION_MULTIPLE"),
        ),
        ({"FLAT_EDGE": "5%"}, ("FLAT_EDGE", "TP_MAX")),
        ({"TURBO_HORIZON": "1801"}, ("TURBO_HORIZON", "TURBO_MAX_HOLD")),
        ({"TURBO_MIN_EV": "2%"}, ("TURBO_MIN_EV", "TP_MAX")),
        ({"LOCK_SHARE": "0.05"}, ("LOCK_SHARE", "BREAK_EVEN_MIN")),
        ({"CALIBRATION_GROUP": "300"}, ("CALIBRATION_GROUP", "CALIBRATION_MIN_SAMPLES")),
        ({"CALIBRATION_WINDOW": "100"}, ("CALIBRATION_MIN_SAMPLES", "CALIBRATION_WINDOW")),
        # targets below cost
        ({"TP_MIN": "0.001", "TP_MAX": "0.0021"}, ("TP_MAX", "TAKER_FEE")),
        ({"TP_MIN": "0.001", "TP_MAX": "0.002", "TAKER_FEE": "0"}, ("TP_MAX", "BREAK_EVEN_MIN")),
        ({"B_TP_MIN": "0.001", "B_TP_MAX": "0.0015"}, ("B_TP_MAX", "BREAK_EVEN_MIN")),
        ({"ENTRY_STYLE": "maker", "MAKER_FEE": "0.9%"}, ("TP_MAX", "MAKER_FEE")),
        ({"GROWING_FEE_MULTIPLIER": "14"}, ("GROWING_FEE_MULTIPLIER", "TP_MAX")),
    ],
)
def test_contradictions_are_refused_with_the_two_lines_that_clash(
    env: dict[str, str], lines: tuple[str, str]
) -> None:
    with pytest.raises(InputError) as refused:
        Policy.from_env(env)
    message = str(refused.value)
    assert message.startswith(f"{lines[0]} = ")
    assert f"clashes with {lines[1]} = " in message
    assert message.count("section") == 2


@pytest.mark.parametrize(
    "env",
    [
        {"TP_MIN": "0.015"},
        {"A_RISK": "0.2"},
        {"DRAWDOWN_PAUSE": "0.2"},
        {"B_TP_MIN": "0.001", "B_TP_MAX": "0.0015", "TURBO_B_TRADES": "false"},
        {"TURBO_HORIZON": "1800"},
    ],
)
def test_edges_of_contradictions_are_allowed(env: dict[str, str]) -> None:
    assert set(Policy.from_env(env).overridden()) == set(env)


texts = st.text(max_size=9) | st.lists(st.text(max_size=5), max_size=6).map(",".join)
figures = st.builds(
    "{}{}".format, st.decimals() | st.integers() | st.floats(), st.sampled_from(["", "%", " bp"])
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([name.upper() for name in DECLARED]), texts | figures, max_size=2))
def test_whatever_is_given_is_a_policy_or_one_line(env: dict[str, str]) -> None:
    said, policy = "refused in one line", Policy()
    try:
        policy = Policy.from_env(env)
    except InputError as refused:
        said = str(refused)
    assert len(said.splitlines()) == 1
    assert Policy.from_env(policy.overridden()) == policy


def test_market_parameters_are_what_new_states_takes() -> None:
    from turbo_trader.market.state import new_states

    states = new_states([], **Policy().market_parameters())
    assert len(states) == 0
    assert Policy().market_parameters() == {
        "flow_window_s": 30,
        "vol_half_life_min": 30.0,
        "slow_vol_half_life_min": 1440.0,
        "jump_sigmas": 6.0,
        "jump_fraction": 0.005,
    }


def test_maker_entries_cut_the_round_trip_fee_from_11_to_7_and_a_half_basis_points() -> None:
    assert Policy().round_trip_fee == Decimal("0.00110")
    assert Policy.from_env({"ENTRY_STYLE": "maker"}).round_trip_fee == Decimal("0.00075")

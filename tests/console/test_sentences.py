from decimal import Decimal

import pytest

from turbo_trader.console.sentences import sentence

SIGNALS = {
    "OFI": {"value": 0.31, "threshold": 0.15, "confirms": True},
    "VWAP": {"value": 0.0004, "threshold": 0.001, "confirms": False},
    "ACCEL": {"value": None, "threshold": 1.0, "confirms": False},
    "FUNDING": {"value": -0.0001, "threshold": 0.0005, "confirms": False},
    "OU_DRIFT": {"value": 1.2, "threshold": 0.5, "confirms": True},
}
CANDIDATE = {
    "symbol": "XRPUSDT", "side": "long", "tier": "B", "signals": SIGNALS,
    "warnings": ["low consensus 40% (2 of 5 horizons), proceeding in turbo"], "edge": 0.0014, "expected_profit": 0.0031,
    "fees": 0.0012, "honest_ev": -0.0005, "blocked": "", "why": "",
}  # fmt: skip


def test_a_candidate_names_each_signal_with_value_threshold_and_mark() -> None:
    text = sentence("candidate", CANDIDATE)
    assert text.startswith("XRPUSDT long candidate, tier B: ")
    assert "OFI +0.31 (>0.15) ✓" in text
    assert "VWAP +0.040 % (>0.100 %) ✗" in text
    assert "ACCEL no signal ✗" in text
    assert "warning: low consensus 40% (2 of 5 horizons), proceeding in turbo" in text
    assert "expected profit +0.310 % against fees +0.120 % as asked, honest EV -0.050 %" in text


def test_a_candidate_without_a_tier_says_which_gate_stopped_it() -> None:
    blocked = {**CANDIDATE, "tier": "none", "blocked": "tier", "why": "signals give neither A nor B"}
    text = sentence("candidate", blocked)
    assert "no tier" in text
    assert "expected profit" not in text
    assert text.endswith("stopped at tier: signals give neither A nor B")


def test_an_entry_says_size_leverage_target_stop_and_signals() -> None:
    text = sentence(
        "entry",
        {"symbol": "XRPUSDT", "side": "short", "tier": "A", "size_usdt": Decimal("52.10"), "balance_pct": Decimal("31.2"),
         "leverage": Decimal(9), "price": Decimal("2.1000"), "take_profit": Decimal("2.0832"), "take_profit_pct": Decimal("0.800"),
         "stop_loss": Decimal("2.1084"), "stop_loss_pct": Decimal("0.400"), "signals": SIGNALS, "stage": "full"},
    )  # fmt: skip
    assert text == (
        "XRPUSDT entry short, tier A: 52.10 USDT (31.2 % of the balance) at 9x, price 2.1000, take profit 2.0832 (+0.8 %),"
        " stop loss 2.1084 (-0.4 %), signals OFI +0.31, OU_DRIFT +1.20, stage full"
    )


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("zone", {"symbol": "B", "zone": 1, "stop": "100.2"}, "B half-way to the target: stop at break-even, now 100.2"),
        ("zone", {"symbol": "B", "zone": 2, "stop": "101"}, "B target reached: stop locks half of the distance, now 101"),
        ("extension", {"symbol": "B", "backstop": "103"}, "B target moves out, backstop 103"),
        ("exit", {"symbol": "B", "size": "2", "reason": "time"}, "B closes 2 as its time was up"),
        ("exit", {"symbol": "B", "size": "-987", "reason": "flatten"}, "B closes 987 by flatten"),
        ("limit", {"what": "warning", "text": "85% of the limit: drawdown"}, "85% of the limit: drawdown"),
        ("entry-ended", {"symbol": "B", "why": "not filled: Cancelled EC_NoImmediateQtyToFill"},
         "B entry ended without a fill: nothing is offered at its price any more"),
        ("limit", {"what": "session-new", "text": "a new session begins"}, "a new session begins"),
        ("started", {"mode": "demo", "symbols": ["A", "B"], "venue": "https://x"}, "started: demo, 2 symbols, venue https://x"),
        ("policy", {"overridden": {}}, "numbers of the rules: all as they are by default"),
        ("control", {"verb": "halt", "by": "ann"}, "halt by ann"),
        ("gate", {"symbol": "B", "gate": "size", "why": "too small", "needed": "97 USDT"},
         "B refused by size: too small; needed: 97 USDT"),
        ("gate", {"symbol": "B", "gate": "size", "why": "B: too small", "needed": ""}, "B refused by size: too small"),
        ("never-seen", {"symbol": "B", "value": 0.1234567891}, "never-seen: symbol B, value 0.123457"),
    ],
)  # fmt: skip
def test_each_event_is_a_sentence(name: str, fields: dict[str, object], said: str) -> None:
    assert sentence(name, fields) == said


def test_a_summary_has_every_figure_beside_the_one_asked_for() -> None:
    fields = {
        "of": "hour", "hours": 1.0, "candidates": 120, "candidates_per_hour": 120.0, "pre_filter": 0.56, "a_share": 0.18,
        "b_share": 0.13, "gates_passed": 0.4, "past": {"consensus": 1.0, "limits": 0.8, "size": 0.5}, "trades": 4,
        "trades_a": 3, "trades_b": 1, "trades_per_hour": 4.0, "win_rate": 0.5, "equity": "18.2", "growth": 0.011,
        "days_to_hundred": 6.5, "days_to_thousand": None, "target_days_to_hundred": 9.4, "target_days_to_thousand": 22.0,
        "strengths": {"OFI": {"confirms": 0.36}, "ACCEL": {"confirms": None}},
    }  # fmt: skip
    assert sentence("summary", fields) == (
        "the hour (1.00 h): 120 candidates (120.0/h, asked 60-100), pre-filter 56 % (50 %), A 18 % (15 %), B 13 % (25 %),"
        " gates passed 40 % (80 %: consensus 100 %, limits 80 %, size 50 %), trades 4 (4.0/h, asked 3-8), A:B 3:1 (70:30),"
        " won 50 % (60-70 %), equity 18.2 USDT (+1.10 %), to 100 USDT 6.5 days (asked 9.4 days),"
        " to 1,000 never at this pace (asked 22.0 days); confirming: OFI 36 %"
    )


def test_an_event_with_missing_fields_is_shown_field_by_field() -> None:
    assert sentence("trade", {"symbol": "B", "net": "1"}) == "trade: symbol B, net 1"


def test_a_trade_of_seconds_is_not_rounded_to_no_minute() -> None:
    fields = {
        "symbol": "B",
        "net": "1",
        "net_fraction": 0.01,
        "fees": "0.1",
        "direction": 1,
        "reason": "target",
        "seconds": 12,
    }
    assert sentence("trade", fields).endswith("closed at its target after 12 s")


def test_a_trade_says_what_it_came_to() -> None:
    fields = {
        "symbol": "B",
        "net": "-0.0312",
        "net_fraction": -0.0012,
        "fees": "0.01",
        "direction": -1,
        "reason": "stop",
        "seconds": 640,
    }
    assert sentence("trade", fields) == (
        "B short trade lost -0.0312 USDT (-0.120 % of its size, fees 0.01), closed by its stop after 11 min"
    )

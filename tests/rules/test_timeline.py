"""A trade in sentences: what happened when, won or lost, and what it would have taken."""

from decimal import Decimal
from typing import Any

from turbo_trader.rules.timeline import ending, timeline

ENTRY: dict[str, Any] = {
    "ts": 10**9,
    "name": "entry",
    "level": "info",
    "symbol": "XRPUSDT",
    "id": "a",
    "ev": 0.0004,
    "p_tp": 0.41,
}
LOST: dict[str, Any] = {
    "ts": 61 * 10**9, "name": "trade", "level": "info", "symbol": "XRPUSDT", "id": "a", "qty": "10", "entry": "2",
    "result": "-0.06", "net": "-0.082", "net_fraction": -0.0041, "reason": "stop",
}  # fmt: skip


def test_a_line_for_each_note_and_one_for_the_end() -> None:
    zone = {
        "ts": 31 * 10**9,
        "name": "zone",
        "level": "info",
        "symbol": "XRPUSDT",
        "zone": 1,
        "stop": Decimal("2.002"),
    }
    lines = timeline([ENTRY, zone, LOST])
    assert len(lines) == 4
    assert lines[0].split()[:3] == ["0.0", "s", "entry"]
    assert lines[1] == "30.0 s  zone 1 reached, stop to 2.002"
    assert "XRPUSDT" not in "".join(lines)
    assert lines[3] == ending(ENTRY, LOST)
    assert timeline([ENTRY])[-1] == "not closed yet"
    assert timeline([]) == []


def test_notes_are_shown_in_sentences_and_unknown_ones_field_by_field() -> None:
    sent = {
        **ENTRY,
        "tier": "A",
        "direction": -1,
        "qty": "3",
        "limit": "2",
        "binding": "margin target",
        "allowed": {},
    }
    fill = {
        "ts": 2 * 10**9,
        "name": "fill",
        "side": 1,
        "qty": "3",
        "price": "2",
        "fee": "0.01",
        "stop_type": "",
    }
    late = {"ts": 3 * 10**9, "name": "stop-late", "stop": "2.1"}
    assert timeline([sent, fill, late])[:3] == [
        "0.0 s  entry A, short, 3, limit 2, size set by margin target",
        "1.0 s  fill buy, 3, at 2, fee 0.01",
        "2.0 s  stop-late stop=2.1",
    ]


def test_a_loss_says_which_move_would_have_paid() -> None:
    said = ending(ENTRY, LOST)
    assert said.startswith(
        "closed by stop: net -41.0 bp of notional, -0.082 USDT; claimed: EV +4.0 bp, p_tp 0.410; lost"
    )
    assert said.endswith("a move of +11.0 bp in its direction to pay fees and funding (was -30.0 bp)")
    assert ending({}, {**LOST, "net": "0.02"}).endswith("USDT; won")

"""A moment of a run with two positions and fifteen symbols, as the daemon hands it over."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from turbo_trader.console.screen import view_messages
from turbo_trader.console.screen.snapshot import Snapshot
from turbo_trader.journal.encoding import encode
from turbo_trader.market.instruments import UNIVERSE
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Scanned
from turbo_trader.trader.view import PositionView, View

TS = 1_767_605_471 * SECOND
LONG = PositionView(
    symbol="XRPUSDT", direction=1, qty=Decimal("93"), entry=Decimal("2.4114"), price=Decimal("2.4231"), stop=Decimal("2.3969"),
    target=Decimal("2.4476"), zone=1, extensions=0, seconds=312, reason="", result=Decimal("1.0881"), seconds_left=1488,
)  # fmt: skip
SHORT = PositionView(
    symbol="1000PEPEUSDT", direction=-1, qty=Decimal("12345"), entry=Decimal("0.0123456"), price=Decimal("0.0124011"),
    stop=Decimal("0.0125012"), target=Decimal("0.0119876"), zone=2, extensions=2, seconds=60, reason="",
    result=Decimal("-0.6851475"), seconds_left=45,
)  # fmt: skip
VIEW = View(
    ts=TS, equity=Decimal("18.3174"), wallet=Decimal("17.91"), session_result=Decimal("0.0176"),
    drawdown=Decimal(0), reconciled=True, halted=False, unprotected_seconds=0.0, refusal="", lifted_by="",
    limits={
        "session result": Decimal(0), "session budget": Decimal("0.41"), "drawdown": Decimal("0.85"),
        "total margin": Decimal("0.62"), "open positions": Decimal(2) / 3, "consecutive losses": Decimal(1),
    },
    history=(), capital_tier="turbo", positions=(LONG, SHORT), counts={"trades": 5, "wins": 3, "losses": 2, "A": 3, "B": 2},
    frozen={}, stages={}, evidence="",
)  # fmt: skip
DAEMON = {"speed": 30.0, "public_up": True, "private_up": True, "frames": 12_345}
SIGNALS = {
    "OFI": {"value": 0.31, "threshold": 0.15, "confirms": True},
    "VWAP": {"value": 0.0004, "threshold": 0.001, "confirms": False},
    "ACCEL": {"value": None, "threshold": 1.0, "confirms": False},
    "FUNDING": {"value": -0.0001, "threshold": 0.0005, "confirms": False},
    "OU_DRIFT": {"value": 1.2, "threshold": 0.5, "confirms": True},
}
EVENTS = (
    Note(TS - 40 * SECOND, "started", "info", {"mode": "paper", "speed": 30.0}),
    Note(TS - 30 * SECOND, "limit", "warning", {"what": "warning", "text": "85% of the limit: drawdown"}),
    Note(
        TS - 20 * SECOND, "entry", "info",
        {
            "symbol": "XRPUSDT", "side": "long", "tier": "A", "size_usdt": Decimal("224.26"), "balance_pct": Decimal("24.9"),
            "leverage": Decimal("50"), "price": Decimal("2.4114"), "take_profit": Decimal("2.4476"), "take_profit_pct": 1.5,
            "stop_loss": Decimal("2.3969"), "stop_loss_pct": 0.6, "signals": SIGNALS, "stage": "",
        },
    ),
    Note(
        TS - 19 * SECOND, "fill", "info",
        {"symbol": "XRPUSDT", "side": 1, "qty": Decimal(93), "price": Decimal("2.4114"), "fee": Decimal("0.12334311")},
    ),
    Note(TS - 5 * SECOND, "zone", "info", {"symbol": "XRPUSDT", "zone": 1, "stop": Decimal("2.4169")}),
    Note(
        TS - 2 * SECOND, "halt", "error",
        {"what": "session-loss", "text": "session result -20.12%: halted until `session new`"},
    ),
)  # fmt: skip

#: Per symbol in turn: the code that blocked with its gate, and the figures it is measured by.
_BLOCKED: tuple[tuple[int, Code, dict[str, Any]], ...] = (
    (-1, Code.NONE, {"tier": TIER_A, "direction": 1, "snr": 3.2, "used_ev": 0.0021, "confirms": 0b10011}),
    (
        7,
        Code.POSITIONS,
        {"tier": TIER_B, "direction": -1, "snr": 2.1, "used_ev": 0.0012, "confirms": 0b10001},
    ),
    (
        6,
        Code.MIN_EV,
        {"tier": TIER_B, "direction": 1, "snr": 1.9, "used_ev": -0.00031, "min_ev": 0.0005, "confirms": 0b1},
    ),
    (5, Code.FEE, {"tier": TIER_B, "direction": 1, "used_p_tp": 0.5, "take_profit": 0.002, "cost": 0.0013}),
    (4, Code.FLAT_MARKET, {"direction": -1, "used_edge": 0.0008}),
    (2, Code.NO_TIER, {"direction": 1, "snr": 2.4, "confirms": 0b10}),
    (1, Code.CONFIDENCE, {"direction": 1, "snr": 1.2, "used_confidence": 0.44}),
    (1, Code.SNR, {"direction": -1, "snr": 0.62}),
    (1, Code.NO_FORECAST, {}),
    (0, Code.STALE, {"age": 8 * SECOND}),
    (0, Code.SPREAD, {"spread": 0.0014}),
    (0, Code.MARK_GAP, {"mark_gap": 0.00122}),
    (0, Code.NOT_WARM, {}),
)


def rows(symbols: int) -> Rows:
    """A scan row for each symbol."""
    found = cast("Rows", np.zeros(symbols, SCAN))
    for j in range(symbols):
        gate, code, figures = _BLOCKED[j % len(_BLOCKED)]
        values = {
            "blocker": gate,
            "block_code": int(code),
            "mid": 0.74035 * (j + 1),
            "valid": 0b10111,
            "forecast": 0.0031,
            **figures,
        }
        for name, value in {**values, **figures}.items():
            found[name][j] = value
    return found


def sent(view: View | None = VIEW, events: tuple[Note, ...] = EVENTS, symbols: int = 15) -> list[bytes]:
    """The messages of this moment."""
    about = view_messages.about(
        "turbo-trader paper: synthetic market, seed 1", tuple(UNIVERSE)[:symbols], "var/paper-1", Policy()
    )
    scanned = view_messages.scan(Scanned(TS - 11 * SECOND, rows(symbols)))
    reported = [view_messages.event(note) for note in events]
    return [encode({"about": about}), encode(view_messages.snapshot(view, DAEMON, scanned, reported))]


@pytest.fixture
def moment() -> Callable[..., list[bytes]]:
    """Messages of the moment; fields of the view are given by name."""

    def make(events: tuple[Note, ...] = EVENTS, symbols: int = 15, **fields: Any) -> list[bytes]:
        return sent(replace(VIEW, **fields), events, symbols)

    return make


@pytest.fixture
def seen(moment: Callable[..., list[bytes]]) -> Callable[..., Snapshot]:
    """What the view knows after these messages."""
    import json

    def make(**fields: Any) -> Snapshot:
        snapshot = Snapshot()
        for message in moment(**fields):
            snapshot.take(json.loads(message))
        return snapshot

    return make

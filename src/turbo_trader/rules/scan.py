"""The row of one scan: every figure of the signals, then what the rules make of them."""

from __future__ import annotations

from typing import Final

from turbo_trader.market.events import record_dtype
from turbo_trader.signals.figures import FIGURES

#: Verdicts of a gate; 0 is never a pass.
NOT_ASSESSED: Final = 0
PASS: Final = 1
WARN: Final = 2
BLOCK: Final = 3

GATES: Final = ("data", "pre-filter", "tier", "consensus", "flat", "fee", "EV", "limits", "size")

TIER_NONE: Final = 0
TIER_B: Final = 1
TIER_A: Final = 2

SCAN: Final = record_dtype(
    [
        *FIGURES,
        ("capital_tier", "u1"),  # 0 turbo, 1 growing, 2 institutional
        ("tier", "u1"),  # TIER_NONE, TIER_B, TIER_A
        ("candidate", "u1"),  # data gate passed and a valid forecast
        ("verdict", "u1", (len(GATES),)),
        ("blocker", "i1"),  # index of the first gate that blocked; -1 none so far
        ("block_code", "<i2"),  # why, within that gate (rules.gates)
        ("take_profit", "f8"),  # distances, fractions of the entry price
        ("stop_loss", "f8"),
        ("cost", "f8"),  # round trip, fraction of notional
        ("slippage", "f8"),  # of it, walking the book in and out
        # first passage of fixed barriers in the direction d under `weighed`; 0 where not computed (no trade tier)
        ("p_tp", "f8"),
        ("p_sl", "f8"),
        ("p_timeout", "f8"),
        (
            "ev",
            "f8",
        ),  # the honest one: net, of the exits as executed under `weighed`, in the direction d; 0 where not computed
        # probability of the target and net EV in the direction d per belief (signals.figures.BELIEFS); 0 where not computed
        ("p_targets", "f8", (3,)),
        ("evs", "f8", (3,)),
        # what the gates used: those of the belief in force
        ("used_edge", "f8"),  # forecast edge in the direction d
        ("used_confidence", "f8"),
        ("used_p_tp", "f8"),
        ("used_ev", "f8"),
        ("min_ev", "f8"),
        ("hold_s", "f8"),
    ]
)

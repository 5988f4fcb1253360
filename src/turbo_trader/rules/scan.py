"""The row of one scan: every figure of the signals, then what the rules make of them."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.record_copies import copied
from turbo_trader.market.rows import Rows, record_dtype
from turbo_trader.rules.gates import GATES
from turbo_trader.signals.figures import FIGURES

SCAN: Final = record_dtype(
    [
        *FIGURES,
        ("capital_tier", "u1"),  # 0 turbo, 1 growing, 2 institutional
        ("tier", "u1"),  # TIER_NONE, TIER_B, TIER_A (rules.gate)
        ("candidate", "u1"),  # data gate passed and a valid forecast
        ("verdict", "u1", (len(GATES),)),
        ("blocker", "i1"),  # index of the first gate that blocked; -1 none so far
        ("block_code", "<i2"),  # why, within that gate (rules.reasons)
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


def current(rows: Rows) -> Rows:
    """Scan rows as an earlier version wrote them, as kernels take them, with the fields of SCAN: those it did not have are 0.

    InputError where they are of other gates.
    """
    if rows.dtype is SCAN or rows.dtype == SCAN:
        return rows if rows.flags.carray else copied(np.ascontiguousarray(rows))
    gates = rows.dtype["verdict"].shape
    if gates != SCAN["verdict"].shape:
        raise InputError(
            f"scans of {gates[0]} gates, now there are {len(GATES)}: read them with the version that wrote them"
        )
    out = np.zeros(len(rows), SCAN)
    for name in set(SCAN.names or ()) & set(rows.dtype.names or ()):
        if rows[name].ndim == 1:
            out[name] = rows[name]
        else:
            count = min(rows[name].shape[1], out[name].shape[1])
            out[name][:, :count] = rows[name][:, :count]
    return cast("Rows", out)

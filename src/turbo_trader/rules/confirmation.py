"""Do OFI and ACCEL still confirm an open position's direction? Asked at each new target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.market.rows import Rows
from turbo_trader.signals.figures import ACCEL, OFI

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def still_confirmed(policy: Policy, rows: Rows, j: int, direction: int) -> bool:
    """Whether the figures of rows[j] (measured just now) confirm `direction`: OFI and ACCEL; ACCEL alone
    invalid: OFI.

    The row's own `confirms` speaks of the forecast's direction, which may have turned: so the figures are
    read again.
    """
    row = rows[j]
    valid = int(row["valid"])
    if not valid >> OFI & 1 or direction * float(row["score"][OFI]) <= float(policy.ofi_threshold):
        return False
    if not valid >> ACCEL & 1:
        return True
    return direction * float(row["accel_z"]) > float(policy.accel_threshold)

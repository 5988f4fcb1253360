"""OFI and ACCEL still confirm the position's direction; ACCEL alone invalid: OFI."""

import numpy as np
import pytest

from turbo_trader.numbers.number import Belief
from turbo_trader.rules.confirmation import still_confirmed
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import ACCEL, OFI

BOTH = 1 << OFI | 1 << ACCEL


@pytest.mark.parametrize(
    ("valid", "ofi", "accel", "direction", "confirmed"),
    [
        (BOTH, 0.16, 1.01, 1, True),
        (BOTH, 0.15, 1.01, 1, False),
        (BOTH, 0.16, 1.0, 1, False),
        (BOTH, 0.16, 1.01, -1, False),
        (BOTH, -0.16, -1.01, -1, True),
        (1 << OFI, 0.16, 0.0, 1, True),
        (1 << OFI, 0.1, 0.0, 1, False),
        (1 << ACCEL, 0.9, 5.0, 1, False),
        (0, 0.9, 5.0, 1, False),
    ],
)
def test_confirmation_at_the_target(
    valid: int, ofi: float, accel: float, direction: int, confirmed: bool
) -> None:
    rows = np.zeros(1, SCAN)
    rows["valid"] = valid
    rows["score"][0, OFI] = ofi
    rows["accel_z"] = accel
    rows["direction"] = -direction  # the forecast's own direction does not matter
    assert still_confirmed(Policy(belief=Belief.WEIGHED), rows, 0, direction) is confirmed

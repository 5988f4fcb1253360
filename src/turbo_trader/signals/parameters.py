"""The figures the signals need, as one record that kernels can take; the policy fills it (`rules.policy`), one per capital tier.

The comments give the values of the rules page, sections 3 and 4; nothing here sets them.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.signals.consensus import HORIZONS
from turbo_trader.signals.listed import SIGNAL_NUMBERS
from turbo_trader.signals.ou import FITS

SIGNAL_PARAMETERS: Final = np.dtype(
    (
        np.record,
        [
            ("horizon_s", "f8"),  # h: 900 turbo, 1800 else
            ("belief", "<i8"),  # figures.ASKED: the plain forecast decides, else the averaged one
            ("warm_up_s", "f8"),  # 300: the one-second grid must reach back this far
            ("min_minutes", "<i8"),  # 60: one-minute closes there must be
            ("min_returns", "<i8"),  # 30: one-minute returns in sigma there must be
            ("slow_vol_share", "f8"),  # 0.25: weight of the slow variance in that of the hold, in logs
            ("book_stale_s", "f8"),  # 5
            ("trade_stale_s", "f8"),  # 5, where no book is recorded
            ("score_z", "f8"),  # 2: a score is full at so many standard deviations
            ("damping_s", "f8"),  # 60: time constant of the acceleration in the forecast
            ("ou_window", "<i8", (FITS,)),  # samples: 240 asked, 960 weighed
            ("ou_spacing_s", "<i8"),  # 60: must be a multiple of 60
            ("ou_min_share", "f8"),  # 0.9: share of the window's samples that must exist
            ("ou_min_half_life_s", "f8"),  # 120
            ("ou_max_half_life_s", "f8"),  # 3600
            # critical value of the Dickey-Fuller t with constant = sum b[k] / n**k; MacKinnon (2010), table 2,
            # 5 %: -2.86154, -2.8903, -4.234, -40.040; 10 % asked
            ("df_critical", "f8", (FITS, 4)),
            ("slope_horizons", "<i8", (HORIZONS,)),  # minutes: 5, 15, 60, 240, 1440 (ascending)
            ("slope_min_share", "f8"),  # 0.8: share of a horizon's minutes that must exist
            ("slope_t_threshold", "f8"),  # 1
            *SIGNAL_NUMBERS,  # under the policy's names
        ],
    )
)

SignalParameters: TypeAlias = NDArray[np.void]

"""A paper session in simulated time that was recorded, as its tests need one: two starts on one journal, trades in both."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.exchange_server.exchange_host import VenueConfig
from turbo_trader.exchange_server.lockstep import PORT, lockstep
from turbo_trader.journal.segments import Keep
from turbo_trader.live.daemon import run_daemon
from turbo_trader.live.daemon_settings import DaemonSettings, Record, Summary
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
TRADED = tuple(i for i in universe() if i.symbol in ("BTCUSDT", "SOLUSDT", "DOGEUSDT"))
#: Rules that trade often and not for long.
OFTEN = {
    "KALMAN_WARMUP": "10", "OU_SAMPLES": "480", "MICRO_TURBO_SIGNAL_INTERVAL": "10", "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0",
    "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "TURBO_MIN_EV": "0", "TURBO_FEE_MULTIPLIER": "0", "FLAT_EDGE": "0",
    "TURBO_HORIZON": "60", "TURBO_MAX_HOLD": "60", "COOLDOWN_HORIZONS": "0",
}  # fmt: skip


def run(
    folder: Path,
    record: Record = Record.FULL,
    *,
    seconds: float = 90,
    seed: int = 7,
    keep: Keep | None = None,
) -> Summary:
    """One start of the daemon on this journal."""
    source = SyntheticMarket(TRADED, seed, START, 2.0)
    config = VenueConfig("key", "secret", Decimal(18), limits=False)
    with lockstep(source, config, seed=seed, speed=math.inf) as steps:
        settings = DaemonSettings(
            endpoints=loopback(PORT), keys=Keys("key", "secret"), symbols=tuple(i.symbol for i in TRADED), journal=folder,
            clocks=steps.clocks, duration_s=seconds, record=record, keep=keep or Keep(free=0), handle_signals=False,
        )  # fmt: skip
        return steps.run(run_daemon(settings, Policy.from_env(OFTEN)))

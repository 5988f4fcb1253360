"""What a start hands to the daemon, and what it says first."""

import gc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.console import start as starting
from turbo_trader.console.settings import Settings
from turbo_trader.console.start import Ground
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.rules.choices import TradeSize
from turbo_trader.rules.policy import Policy

make_settings: Any = Settings  # every field has a default, which the type checker cannot see


class Started(Exception):
    """Instead of a daemon."""


def handed_over(policy: Policy, monkeypatch: pytest.MonkeyPatch, folder: Path) -> DaemonSettings:
    """The daemon's settings as `start` makes them for a live mode."""
    found: list[DaemonSettings] = []
    ground = Ground(
        endpoints=loopback(9), keys=Keys("k" * 8, "s" * 8), symbols=policy.symbols, market="Bybit"
    )

    def run_daemon(settings: DaemonSettings, *_: Any) -> None:
        found.append(settings)
        raise Started

    monkeypatch.setattr(starting, "live_ground", lambda *_: ground)
    monkeypatch.setattr(starting, "run_daemon", run_daemon)
    monkeypatch.setattr(starting, "load", lambda *_: None)  # kernels: not what is tested
    with pytest.raises(Started):
        starting.start(make_settings(mode="testnet", journal_dir=folder), policy, 1.0, ui=False)
    return found[0]


@pytest.mark.parametrize(
    ("configured", "handed"),
    [
        (("MATIC", "BTC"), ("MATICUSDT", "BTCUSDT")), (("rndrusdt",), ("RNDRUSDT",)), (("POL", "ETHUSDT"), ("POLUSDT", "ETHUSDT")),
    ],
)  # fmt: skip
def test_old_names_reach_the_daemon_which_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, configured: tuple[str, ...], handed: tuple[str, ...]
) -> None:
    policy = Policy(target_assets=configured)
    assert handed_over(policy, monkeypatch, tmp_path).symbols == handed


def test_garbage_is_not_searched_for_in_what_stays_for_the_whole_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left_out: list[int] = []
    monkeypatch.setattr(starting, "Observers", lambda *_: left_out.append(gc.get_freeze_count()))
    handed_over(Policy(), monkeypatch, tmp_path)
    assert left_out[0] > 10_000
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("mode", ["paper", "testnet", "demo", "live"])
@pytest.mark.parametrize(
    ("balance", "tier", "weights"), [("18", "turbo", "equal"), ("5000", "institutional", "minimum variance")]
)
def test_the_banner_says_what_is_traded_and_how_in_every_mode(
    mode: Any, balance: str, tier: str, weights: str
) -> None:
    policy = Policy(size=TradeSize.EARNED) if mode == "live" else Policy()
    settings = make_settings(mode=mode, balance=Decimal(balance))
    ground = Ground(
        endpoints=loopback(9), keys=Keys("k" * 8, "s" * 8), symbols=policy.symbols, market="Bybit"
    )
    lines = starting.banner(settings, policy, ground, "here", Path("var/here"))
    text = " ".join(" ".join(lines).split())
    for part in ("assets", "BTC", "INJ", "weights", "tier", "size", "balance"):
        assert part in text
    assert all(len(line) <= 80 for line in lines)
    if mode == "paper":
        assert f"balance {balance} USDT" in text
        assert f"tier {tier}" in text
        assert f"weights {weights}" in text

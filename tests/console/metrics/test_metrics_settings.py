"""METRICS: which addresses are taken, and what is missing without the extra."""

from __future__ import annotations

import pytest

from turbo_trader.console.metrics import metrics_settings
from turbo_trader.console.metrics.metrics_settings import metrics_of
from turbo_trader.console.settings import Settings
from turbo_trader.market.errors import InputError


@pytest.mark.parametrize(
    "address", ["9108", ":9108", "localhost:9108", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "::1:9108",
                "[127.0.0.1]:9108", "http://127.0.0.1:9108", "127.0.0.1:٩١٠٨"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(InputError, match=r"METRICS = .*ADDRESS:PORT such as 127\.0\.0\.1:9108"):
        Settings.read({"METRICS": address})


@pytest.mark.parametrize("address", ["0.0.0.0:9108", "10.0.0.5:9108", "[::]:9108"])
def test_an_address_that_others_reach_must_be_allowed(address: str) -> None:
    with pytest.raises(InputError, match="METRICS_PUBLIC=true"):
        metrics_of(Settings.read({"METRICS": address}))
    assert metrics_of(Settings.read({"METRICS": address, "METRICS_PUBLIC": "true"})) is not None


@pytest.mark.parametrize("address", ["127.0.0.1:9108", "127.0.0.2:9108", "[::1]:9108"])
def test_loopback_is_taken(address: str) -> None:
    assert metrics_of(Settings.read({"METRICS": address})) is not None


def test_nothing_is_served_by_default() -> None:
    assert metrics_of(Settings.read({})) is None


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_settings, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"turbo-trader\[metrics\]"):
        metrics_of(Settings.read({"METRICS": "127.0.0.1:9108"}))

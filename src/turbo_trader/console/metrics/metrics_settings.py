"""From settings to metrics: METRICS and METRICS_PUBLIC."""

from __future__ import annotations

from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from turbo_trader.console.settings import Settings
from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from turbo_trader.console.metrics.daemon_metrics import Metrics

MISSING: Final = "METRICS needs the extra metrics: pip install 'turbo-trader[metrics]'"


def metrics_of(settings: Settings, *, free: bool = False) -> Metrics | None:
    """What METRICS asks for; None where it is empty. InputError without the extra, or for an address that others could reach.

    `free`: the address must be free already. A daemon that is taken over may serve there until it ends.
    """
    if not settings.metrics:
        return None
    host, _, port = settings.metrics.rpartition(":")
    host = host.strip("[]")
    if not settings.metrics_public and not ip_address(host).is_loopback:
        raise InputError(
            f"METRICS={settings.metrics}: others could read equity and positions there, unencrypted and without a password; "
            "use 127.0.0.1, or set METRICS_PUBLIC=true"
        )
    if find_spec("prometheus_client") is None:
        raise InputError(MISSING)
    from turbo_trader.console.metrics.daemon_metrics import Metrics

    metrics = Metrics(host, int(port), public=settings.metrics_public)
    if free:
        metrics.require_address()
    return metrics

"""The metrics of one daemon: listens to its events, looks inside it when it is asked, serves what it finds."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from turbo_trader import __version__
from turbo_trader.console.metrics.families import FAMILIES, PREFIX, Family, Kind, buckets
from turbo_trader.console.metrics.http_server import Answer, require_address, serving
from turbo_trader.console.metrics.moment import Moment, Said
from turbo_trader.live.async_contexts import beside
from turbo_trader.live.inside import Inside
from turbo_trader.live.meter import Histogram
from turbo_trader.live.readiness import reasons
from turbo_trader.live.registry import Kind as Registered
from turbo_trader.live.registry import Registry
from turbo_trader.market.errors import InputError

_LAG_S: Final = 0.25  # between two measurements of the loop's lag
_AT_ONCE: Final = 4  # families
_EOF: Final = b"# EOF\n"  # of OpenMetrics; stands once, at the end
_JSON: Final = "application/json"


class Metrics:
    """Serves /metrics, /health and /ready of a daemon at an address; `said` is to be its observer."""

    def __init__(self, host: str, port: int, *, public: bool) -> None:
        """`public`: answer requests by any name of this host, not by its address alone."""
        self.said = Said()
        self._address = host, port
        self._public = public
        self._lag = Histogram()
        self._inside: Inside
        self._process = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    def require_address(self) -> None:
        """InputError where the address cannot be had at present."""
        require_address(*self._address)

    @contextlib.asynccontextmanager
    async def serve(self, inside: Inside) -> AsyncIterator[None]:
        """Serve on the daemon's event loop while entered; InputError where the address cannot be had."""
        self._inside = inside
        async with beside(self._watch_lag()), serving(*self._address, self.answer, public=self._public):
            yield

    async def answer(self, path: str, accept: str) -> Answer | None:
        """What a path is answered with; None where there is none such. `accept`: the header."""
        match path:
            case "/metrics":
                encode, kind = choose_encoder(accept)
                parts = [part async for part in self._parts(encode)]
                return Answer(200, kind, b"".join(parts))
            case "/health":
                status = self._inside.status()
                alive = {"alive": True, **{name: status[name] for name in ("pid", "mode", "boot")}}
                return Answer(200, _JSON, _encoded(alive))
            case "/ready":
                found = self._reasons()
                listed = [{"what": each.what, "why": each.why} for each in found]
                ready = {"ready": not found, "reasons": listed}
                return Answer(503 if found else 200, _JSON, _encoded(ready))
        return None

    async def _parts(self, encode: Callable[[Any], bytes]) -> AsyncIterator[bytes]:
        """The text of one moment, some families at a time: a frame that arrives meanwhile waits for one part, not for all."""
        moment = self._moment()
        for begin in range(0, len(FAMILIES), _AT_ONCE):
            found = [_metric(family, moment) for family in FAMILIES[begin : begin + _AT_ONCE]]
            yield encode(_Collected(found)).removesuffix(_EOF)
            await asyncio.sleep(0)
        yield encode(self._process)

    def _moment(self) -> Moment:
        inside = self._inside
        return Moment(
            version=__version__, view=inside.view(), status=inside.status(), summary=inside.summary(), reasons=self._reasons(),
            stream_ages=inside.stream_ages(), market_ages=inside.market_ages(), budget_used=inside.budget_used(),
            guard=_guarded(inside.settings.journal), meter=inside.meter, loop_lag=self._lag, said=self.said,
        )  # fmt: skip

    def _reasons(self) -> list[Any]:
        inside = self._inside
        return reasons(inside.view(), inside.status(), inside.stream_ages(), inside.settings.silence_s)

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_S
            await asyncio.sleep(_LAG_S)
            self._lag.observe(max(0.0, loop.time() - due))


@dataclass(frozen=True, slots=True)
class _Collected:
    """What an encoder takes for a registry."""

    metrics: list[Metric]

    def collect(self) -> list[Metric]:
        return self.metrics


def _metric(family: Family, moment: Moment) -> Metric:
    name = PREFIX + family.name
    metric: Any
    match family.kind:
        case Kind.GAUGE:
            metric = GaugeMetricFamily(name, family.help, labels=family.labels)
        case Kind.COUNTER:
            metric = CounterMetricFamily(name, family.help, labels=family.labels)
        case Kind.HISTOGRAM:
            metric = HistogramMetricFamily(name, family.help, labels=family.labels)
    for labels, value in family.read(moment):
        if isinstance(value, Histogram):
            metric.add_metric(labels, buckets(value), value.total)
        else:
            metric.add_metric(labels, float(value))
    return metric  # type: ignore[no-any-return]


def _guarded(journal: Path) -> bool:
    try:
        where = str(journal.resolve())
        return any(guard.folder == where for guard in Registry(Registered.GUARD).running())
    except InputError:
        return False  # the registry cannot be read


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"

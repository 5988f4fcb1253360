"""A view inside a running daemon, on its event loop, without waiting. It changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turbo_trader.live.meter import Meter
from turbo_trader.live.venue_clock import VenueClock

if TYPE_CHECKING:
    from turbo_trader.live.daemon_settings import DaemonSettings
    from turbo_trader.live.feeds import PrivateFeed, PublicFeeds
    from turbo_trader.live.gateway import Gateway
    from turbo_trader.live.router import Router
    from turbo_trader.runtime.fencing import Fence
    from turbo_trader.trader.view import View


class Inside:
    """Of one daemon. `public` and `private` are set once there are streams, the router's Trader once there is one."""

    public: PublicFeeds | None = None
    private: PrivateFeed | None = None

    def __init__(
        self, settings: DaemonSettings, clock: VenueClock, router: Router, gateway: Gateway, fence: Fence
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._router = router
        self._gateway = gateway
        self._fence = fence

    @property
    def meter(self) -> Meter:
        """What it counts and times."""
        return self._router.meter

    @property
    def offset(self) -> int:
        """The venue's clock against this machine's, ns; a venue on this machine keeps a time of its own, which is not an error."""
        return 0 if self.settings.endpoints.local else self._clock.offset

    def status(self) -> dict[str, Any]:
        """The daemon's own figures."""
        router, reached = self._router, self.settings.clocks.reached
        feeds = self.public.feeds if self.public is not None else []
        return {
            "mode": self.settings.mode,
            "environment": self.settings.endpoints.environment,
            "boot": router.journal.boot,
            "epoch": self._fence.epoch,
            "may_write": self._fence.permit(),
            "pid": os.getpid(),
            "venue_time": self._clock.now(),
            "speed": round(reached(), 1) if reached is not None else self._clock.speed,
            "clock_offset_ms": round(self.offset / 1e6, 3),
            "public_up": self.public is not None and self.public.up,
            "private_up": self.private is not None and self.private.up,
            "connections": sum(feed.stream.connections for feed in feeds),
            "frames": sum(feed.frames for feed in feeds),
            "gaps": sum(feed.gaps for feed in feeds),
            "unreadable": sum(feed.unreadable for feed in feeds),
            "events": router.events,
            "requests": self._gateway.requests.sent,
            "order_entry": self._gateway.order_entry,
            "in_flight": len(router.requests),
            "refused": self._gateway.requests.fatal,
            "journal": str(self.settings.journal),
            "journal_failed": router.journal.failed,
        }

    def view(self) -> View | None:
        """The Trader now; None while the daemon is starting."""
        return self._router.trader.view() if self._begun else None

    def summary(self) -> Mapping[str, Any]:
        """The Trader's figures of the run; empty while the daemon is starting."""
        return dict(self._router.trader.summary()) if self._begun else {}

    def stream_ages(self) -> dict[str, float]:
        """Seconds since the last message of each kind of stream, on the quietest connection; nothing where none was heard."""
        now = self._clock.steady() / 1e9
        heard: dict[str, list[float]] = {
            "public": [feed.heard for feed in self.public.feeds] if self.public is not None else [],
            "private": [self.private.heard] if self.private is not None else [],
        }
        return {name: max(0.0, now - min(times)) for name, times in heard.items() if times and all(times)}

    def market_ages(self) -> dict[str, float]:
        """Seconds since the last row of each symbol, by the venue's time."""
        if not self._begun or self.public is None:
            return {}
        now, stamps = self._clock.now(), self._router.trader.states["ts"]
        return {
            name: max(0.0, (now - int(ts)) / 1e9)
            for name, ts in zip(self.public.symbols, stamps, strict=True)
            if ts
        }

    def budget_used(self) -> dict[str, float]:
        """Used share of the requests that are allowed, by group of endpoints; `address` for all together."""
        return self._gateway.requests.budget.used(self._clock.steady() / 1e9)

    @property
    def _begun(self) -> bool:
        return hasattr(self._router, "trader")

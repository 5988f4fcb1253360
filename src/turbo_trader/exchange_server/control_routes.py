"""Control routes of a running venue: faults, keys, instruments, maintenance. Off by default."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turbo_trader.exchange.accounts import FeeCoin
from turbo_trader.exchange.messages import SETTLED_IN
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange.protocol.params import Refused, number
from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.render_market import instrument as instrument_info
from turbo_trader.exchange.protocol.signing import BARRED, Key
from turbo_trader.exchange.protocol.trade_stream import TradeClient
from turbo_trader.exchange_server.body import read_body
from turbo_trader.live.same_site import same_site
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument, InstrumentStatus

if TYPE_CHECKING:
    from turbo_trader.exchange_server.exchange_host import Venue

_FIGURES = ("tick", "step", "min_qty", "max_qty", "max_market_qty", "min_notional", "max_leverage")
_STATUSES = tuple(
    status for status in InstrumentStatus if status is not InstrumentStatus.CLOSED
)  # that comes with its delivery


class VenueControl:
    """The control routes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """All of them; requests that a web page of another site may have caused are refused."""
        return [
            Route("/control/keys", same_site(self._keys), methods=["POST"]),
            Route("/control/faults", same_site(self._faults), methods=["GET", "POST"]),
            Route("/control/instrument", same_site(self._instrument), methods=["POST"]),
            Route("/control/maintenance", same_site(self._maintenance), methods=["POST"]),
            Route("/control/disconnect", same_site(self._disconnect), methods=["POST"]),
            Route("/control/restart", same_site(self._restart), methods=["POST"]),
            Route("/control/adl", same_site(self._deleverage), methods=["POST"]),
            Route("/control/time", same_site(self._time), methods=["GET"]),
            Route("/control/fees", same_site(self._fees), methods=["POST"]),
        ]

    async def _faults(self, request: Request) -> Response:
        """GET tells the plan in force and what it did; POST {"faults": TEXT, "seed"?: int, "times"?: int} begins another."""
        if request.method == "POST":
            try:
                asked = json.loads(await read_body(request))
                plan = FaultPlan.parse(str(asked["faults"]))
                seed, times = int(asked.get("seed", 0)), int(asked.get("times", 0))
                self._venue.faults = Faults(plan, abs(seed), abs(times))
            except InputError as error:
                return JSONResponse({"error": str(error)}, 400)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                return JSONResponse({"error": 'send {"faults": "drop=0.05", "seed": 0, "times": 0}'}, 400)
        faults = self._venue.faults
        return JSONResponse({"faults": str(faults.plan), "counts": dict(faults.counts)})

    async def _keys(self, request: Request) -> Response:
        """POST {"key": NAME, ...} changes a key, or adds one: secret, uid, read_only, permissions, expires_ms, addresses,
        symbols, barred."""
        try:
            asked = json.loads(await read_body(request))
            name = str(asked["key"])
            before = self._venue.keys.get(
                name, Key(key=name, secret=str(asked.get("secret", "")), uid=str(asked.get("uid", "1")))
            )
            permissions = asked.get("permissions", before.permissions)
            expires = asked.get("expires_ms", before.expires_ms)
            key = Key(
                key=name,
                secret=str(asked.get("secret", before.secret)),
                uid=str(asked.get("uid", before.uid)),
                read_only=bool(asked.get("read_only", before.read_only)),
                permissions={str(group): tuple(map(str, names)) for group, names in permissions.items()},
                expires_ms=None if expires is None else int(expires),
                addresses=tuple(map(str, asked.get("addresses", before.addresses))),
                symbols=tuple(map(str, asked.get("symbols", before.symbols))),
                barred=int(asked.get("barred", before.barred)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return JSONResponse({"error": 'send {"key": "simulated-key", "read_only": true}'}, 400)
        if key.barred and key.barred not in BARRED:
            return JSONResponse({"error": f"barred: one of {', '.join(map(str, BARRED))}, or 0"}, 400)
        self._venue.add_key(key)
        return JSONResponse({"key": name, "uid": key.uid})

    async def _instrument(self, request: Request) -> Response:
        """POST {"symbol": NAME, ...} changes an instrument: status, delivery_ms, and the figures of `_FIGURES`."""
        venue = self._venue
        try:
            asked = json.loads(await read_body(request))
            venue.catch_up()
            known = venue.exchange.instruments[venue.exchange.index[str(asked["symbol"])]]
            venue.relist(_changed(known, asked))
        except InputError as error:
            return JSONResponse({"error": str(error)}, 400)
        except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError):
            return JSONResponse({"error": 'send {"symbol": "BTCUSDT", "tick": "0.05"}'}, 400)
        venue.publish()
        return JSONResponse(instrument_info(venue.exchange.instruments[venue.exchange.index[known.symbol]]))

    async def _deleverage(self, request: Request) -> Response:
        """POST {"symbol": NAME, ...} closes a position by deleveraging: uid ("1"), positionIdx (0), qty (all), price (the mark)."""
        try:
            asked = json.loads(await read_body(request))
            closed = self._venue.exchange.deleverage(
                self._venue.catch_up(), str(asked.get("uid", "1")), str(asked["symbol"]), int(asked.get("positionIdx", 0)),
                number(asked, "qty"), number(asked, "price"),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Refused):
            return JSONResponse({"error": 'send {"symbol": "BTCUSDT", "positionIdx": 0, "qty": "0.01"}'}, 400)
        self._venue.publish()
        return JSONResponse({"closed": render.text(closed)})

    async def _fees(self, request: Request) -> Response:
        """POST {"coin": NAME, "price": USDT, ...} lets an account pay its fees in another coin: uid ("1"), balance (1000); coin
        "USDT" ends it."""
        exchange, now = self._venue.exchange, self._venue.catch_up()
        try:
            asked = json.loads(await read_body(request))
            uid, name = str(asked.get("uid", "1")), str(asked["coin"])
            price, balance = (
                number({"price": 0, **asked}, "price"),
                number({"balance": 1000, **asked}, "balance"),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Refused):
            uid, name, price, balance = "", "", None, None
        coin = None if name == SETTLED_IN or not price or price <= 0 else FeeCoin(name, price)
        if (
            uid not in exchange.accounts
            or balance is None
            or balance < 0
            or (coin is None and name != SETTLED_IN)
        ):
            return JSONResponse({"error": 'send {"coin": "MNT", "price": "0.8", "balance": "1000"}'}, 400)
        exchange.pay_fees_in(uid, coin, balance, now)
        self._venue.publish()
        return JSONResponse({"uid": uid, "coin": name})

    async def _time(self, request: Request) -> Response:
        """GET tells the venue's time, the speed asked for and reached, and the wall seconds left out by a machine too slow."""
        del request
        now, clock = self._venue.catch_up(), self._venue.clock
        return JSONResponse(
            {
                "now_ms": now // 1_000_000,
                "speed": self._venue.config.speed,
                "reached": round(clock.reached(), 3),
                "slipped_s": round(clock.slipped_ns / 1e9, 3),
            }
        )

    async def _disconnect(self, request: Request) -> Response:
        """POST cuts every stream connection."""
        del request
        return JSONResponse({"cut": self._venue.cut(PublicClient, PrivateClient, TradeClient)})

    async def _restart(self, request: Request) -> Response:
        """POST restarts all order books, with a snapshot whose `u` is 1."""
        del request
        self._venue.restart_books()
        return JSONResponse({"restarted": self._venue.feed.topics()})

    async def _maintenance(self, request: Request) -> Response:
        """POST {"end_ms": MS, ...} announces a maintenance: begin_ms (now), title."""
        now = self._venue.catch_up()
        try:
            asked = json.loads(await read_body(request))
            begin, end = (
                int(asked.get(name, now // 1_000_000)) * 1_000_000 for name in ("begin_ms", "end_ms")
            )
            title = str(asked.get("title", "maintenance"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            begin, end, title = 0, 0, ""
        if not now < end < 2**63 or not 0 < begin < end:
            return JSONResponse({"error": 'send {"begin_ms": 1767603600000, "end_ms": 1767607200000}'}, 400)
        self._venue.notices.announce(begin, end, title)
        return JSONResponse({"list": self._venue.notices.rows(now)})


def _changed(known: Instrument, asked: dict[str, Any]) -> Instrument:
    figures: dict[str, Any] = {name: Decimal(str(asked[name])) for name in _FIGURES if name in asked}
    status = str(asked.get("status", known.status))
    if any(not figure > 0 for figure in figures.values()) or status not in _STATUSES:
        raise InputError(f"{known.symbol}: figures are positive, the status is one of {', '.join(_STATUSES)}")
    ends = int(asked.get("delivery_ms", known.delivery_ns // 1_000_000)) * 1_000_000
    return replace(known, status=status, delivery_ns=ends, **figures)

"""Control routes that move the market and end positions, and one that shows the books of all accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.params import Refused, number
from turbo_trader.exchange_server.body import read_body
from turbo_trader.live.same_site import same_site
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import InstrumentStatus

if TYPE_CHECKING:
    from turbo_trader.exchange_server.exchange_host import Venue

_MOST_PERCENT, _MOST_SECONDS = Decimal(90), Decimal(86_400)
_MARKET = '{"symbol": "BTCUSDT", "move": "jump", "percent": "-2"}'
_LIQUIDATE = '{"symbol": "BTCUSDT", "uid": "1", "positionIdx": 0}'
_DELIST = '{"symbol": "BTCUSDT", "seconds": 60}'
_SIDES = {1: "Buy", -1: "Sell"}


class Move(StrEnum):
    """What may happen to the market of a symbol."""

    JUMP = "jump"  # by percent at once, with a print at the new price
    GAP = "gap"  # no book and no trade for seconds; then moved by percent
    HALT = "halt"  # everything stands still for seconds, or until resume; new orders are refused
    RESUME = "resume"  # ends a gap or halt


class MarketControl:
    """The routes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """All of them; requests that a web page of another site may have caused are refused."""
        posted = ((self._market, _MARKET), (self._liquidate, _LIQUIDATE), (self._delist, _DELIST))
        return [
            Route("/control/accounts", same_site(self._accounts), methods=["GET"]),
            *(
                Route(f"/control/{act.__name__[1:]}", same_site(self._posted(act, example)), methods=["POST"])
                for act, example in posted
            ),
        ]

    def _posted(
        self, act: Callable[[dict[str, Any]], dict[str, Any]], example: str
    ) -> Callable[[Request], Any]:
        """An endpoint that does `act` with the JSON object of the body; 400 and one line where it cannot."""

        async def endpoint(request: Request) -> Response:
            try:
                answer = act(dict(json.loads(await read_body(request))))
            except InputError as error:
                return JSONResponse({"error": str(error)}, 400)
            except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError, Refused):  # fmt: skip
                return JSONResponse({"error": f"send {example}"}, 400)
            self._venue.publish()
            return JSONResponse(answer)

        return endpoint

    def _market(self, asked: dict[str, Any]) -> dict[str, Any]:
        """{"symbol", "move", "percent"?, "seconds"?}."""
        venue, symbol, move = self._venue, str(asked["symbol"]), Move(str(asked["move"]))
        s = venue.exchange.index[symbol]
        if venue.passes_on:
            raise InputError("this market's frames are passed on as they are: it cannot be moved here")
        percent = _within(asked, "percent", "0", -_MOST_PERCENT, _MOST_PERCENT)
        seconds = _within(asked, "seconds", "5" if move is Move.GAP else "0", Decimal(0), _MOST_SECONDS)
        now, lasts = venue.catch_up(), int(seconds * 1_000_000_000)
        match move:
            case Move.JUMP:
                if not percent:
                    raise InputError("percent: by how much? give a number other than 0")
                venue.moves.jump(s, now, percent / 100)
            case Move.GAP:
                venue.moves.gap(s, now, percent / 100, lasts)
            case Move.HALT:
                venue.moves.halt(s, now, lasts or None)
            case Move.RESUME:
                venue.moves.resume(s, now)
        return {"symbol": symbol, "move": move.value, "now_ms": now // 1_000_000}

    def _liquidate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """{"symbol", "uid"?, "positionIdx"?}."""
        venue, uid, idx = self._venue, str(asked.get("uid", "1")), int(asked.get("positionIdx", 0))
        closed = venue.exchange.liquidate(venue.catch_up(), uid, str(asked["symbol"]), idx)
        return {"closed": render.text(closed)}

    def _delist(self, asked: dict[str, Any]) -> dict[str, Any]:
        """{"symbol", "seconds"?}: no new positions from now on, the end after so many seconds of the venue's time."""
        venue, now = self._venue, self._venue.catch_up()
        seconds = _within(asked, "seconds", "60", Decimal(0), _MOST_SECONDS)
        known = venue.exchange.instruments[venue.exchange.index[str(asked["symbol"])]]
        if known.closed:
            raise InputError(f"{known.symbol}: it is closed already")
        ends = (now // 1_000_000 + int(seconds * 1_000)) * 1_000_000
        venue.relist(replace(known, status=InstrumentStatus.DELIVERING, delivery_ns=ends))
        return {"symbol": known.symbol, "delivery_ms": ends // 1_000_000}

    async def _accounts(self, request: Request) -> Response:
        """GET shows the books of all accounts: balance, positions, open orders, how many orders were made and trades done."""
        del request
        self._venue.catch_up()
        accounts = self._venue.exchange.accounts.values()
        return JSONResponse({"accounts": [_books(account) for account in accounts]})


def _within(asked: dict[str, Any], name: str, default: str, least: Decimal, most: Decimal) -> Decimal:
    """A number of the body; InputError where it is out of bounds."""
    found = number({name: default, **asked}, name)
    if found is None or not least <= found <= most:
        raise InputError(f"{name}: a number from {least} to {most}")
    return found


def _books(account: Account) -> dict[str, Any]:
    """What an account holds. `orders` are the open ones; `created` counts all that are remembered, `trades` their executions."""
    return {
        "uid": account.uid,
        "balance": render.text(account.balance),
        "positions": [
            {"symbol": position.symbol, "positionIdx": position.idx, "size": render.text(position.size)}
            for position in account.held()
        ],
        "orders": [
            {"orderId": order.order_id, "orderLinkId": order.link_id, "symbol": order.symbol,
             "side": _SIDES[order.side], "qty": render.text(order.qty), "orderStatus": order.status}
            for order in account.open_orders.values()
        ],
        "created": len(account.orders),
        "trades": sum(execution.kind == "Trade" for execution in account.executions),
    }  # fmt: skip

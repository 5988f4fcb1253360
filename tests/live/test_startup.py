"""What is read before a start: an odd row of the venue is named and left out, and costs no other."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.venue_errors import classify
from turbo_trader.live import startup
from turbo_trader.live.gateway import Gateway
from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import parse_instrument

INFO: dict[str, Any] = {
    "status": "Trading", "fundingInterval": 480, "deliveryTime": "0", "upperFundingRate": "0.005",
    "priceFilter": {"tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"},
    "lotSizeFilter": {"qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "1000"},
    "leverageFilter": {"maxLeverage": "100", "leverageStep": "0.01"},
}  # fmt: skip
ODD: list[dict[str, Any]] = [
    {"priceFilter": {**INFO["priceFilter"], "tickSize": "0"}},
    {"priceFilter": {**INFO["priceFilter"], "tickSize": "NaN"}},
    {"lotSizeFilter": None},
    {"leverageFilter": {**INFO["leverageFilter"], "maxLeverage": "-5"}},
    {"deliveryTime": "1e30"},
    {"riskParameters": "x"},
    {"status": None},
]


def venue(rows: Mapping[str, Any]) -> tuple[Gateway, list[tuple[str, str]]]:
    """A gateway that answers reads of instruments with these rows by symbol, other lists with none; and what it says."""
    said: list[tuple[str, str]] = []

    async def read(call: Call) -> Answer:
        symbol = call.params["symbol"]
        listed = [rows[symbol]] if call.method == "get_instruments_info" and symbol in rows else []
        return Answer(classify(0), 0, "", 0, {"list": listed})

    def emit(name: str, level: str, fields: dict[str, Any]) -> None:
        said.append((name, fields["symbol"]))

    return cast("Gateway", SimpleNamespace(read=read, emit=emit)), said


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_instrument_is_named_and_the_others_are_traded(odd: dict[str, Any]) -> None:
    gateway, said = venue(
        {"AAAUSDT": {**INFO, "symbol": "AAAUSDT", **odd}, "BBBUSDT": {**INFO, "symbol": "BBBUSDT"}}
    )
    found = await startup.read_instruments(gateway, ["AAAUSDT", "BBBUSDT"], gateway.emit)
    assert [each.symbol for each in found] == ["BBBUSDT"]
    assert said == [("row-unreadable", "AAAUSDT")]


@pytest.mark.parametrize("odd", ODD)
async def test_an_instrument_read_while_running_that_is_odd_changes_nothing(odd: dict[str, Any]) -> None:
    known = parse_instrument({**INFO, "symbol": "AAAUSDT"})
    gateway, _ = venue({"AAAUSDT": {**INFO, "symbol": "AAAUSDT", **odd}})
    assert await startup.refresh_instrument(gateway, known) is None


async def test_where_no_instrument_can_be_read_the_start_is_refused() -> None:
    gateway, _ = venue({"AAAUSDT": {**INFO, "symbol": "AAAUSDT", **ODD[0]}})
    with pytest.raises(InputError, match="AAAUSDT: the venue's instruments are not readable"):
        await startup.read_instruments(gateway, ["AAAUSDT"], gateway.emit)


@pytest.mark.parametrize(
    ("taker", "believed"),
    [("0.00055", True), ("-0.0001", True), ("0.5", False), ("1e29", False), ("-1", False)],
)
async def test_a_fee_rate_that_no_venue_asks_is_named_and_left_out(taker: str, believed: bool) -> None:
    said: list[str] = []

    def read(_: Call) -> Any:
        yield from ()
        rows = [{"symbol": "AAAUSDT", "takerFeeRate": taker, "makerFeeRate": "0.0002"}]
        return Answer(classify(0), 0, "", 0, {"list": rows})

    async def run(job: Any) -> Any:
        with pytest.raises(StopIteration) as end:
            next(job)
        return end.value.value

    gateway = SimpleNamespace(
        run=run,
        requests=SimpleNamespace(read=read),
        clock=SimpleNamespace(now=lambda: 7),
        emit=lambda name, *_: said.append(name),
    )
    found = await startup.read_fees(cast("Gateway", gateway), ["AAAUSDT"])
    assert (len(found), said) == ((1, []) if believed else (0, ["row-unreadable"]))

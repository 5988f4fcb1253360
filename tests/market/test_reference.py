"""Instruments as the venue tells them: what none can have is refused, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import parse_instrument, read_instruments

INFO: dict[str, Any] = {
    "symbol": "BTCUSDT", "status": "Trading", "fundingInterval": 480, "deliveryTime": "0", "upperFundingRate": "0.005",
    "priceFilter": {"tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"},
    "lotSizeFilter": {
        "qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "1000", "maxMktOrderQty": "100", "minNotionalValue": "5",
    },
    "leverageFilter": {"maxLeverage": "100", "leverageStep": "0.01"},
    "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
}  # fmt: skip
NONE = ["0", "0.0", 0]
NO_FIGURE = ["NaN", "Infinity", "-1", -1, "1_0", "\uff11", "\u0663", "1e400", "x", True, [], {}, " 1", "+1"]
FIGURES = [
    (place, name)
    for place in ("priceFilter", "lotSizeFilter", "leverageFilter", "riskParameters")
    for name in INFO[place]
]
OPTIONAL = ("maxMktOrderQty", "minNotionalValue", "priceLimitRatioX", "priceLimitRatioY")
MAY_BE_0 = ("minPrice", "minNotionalValue", "priceLimitRatioX", "priceLimitRatioY")


@pytest.mark.parametrize(("place", "name"), FIGURES)
def test_a_figure_that_no_instrument_has_is_refused(place: str, name: str) -> None:
    for value in NO_FIGURE if name in MAY_BE_0 else NO_FIGURE + NONE:
        if not value and name in OPTIONAL:
            continue  # it may be missing
        with pytest.raises((ValueError, TypeError)):
            parse_instrument({**INFO, place: {**INFO[place], name: value}})


@pytest.mark.parametrize("name", ["symbol", "status", "fundingInterval", "deliveryTime", "riskParameters"])
@pytest.mark.parametrize("value", [[5], {"x": 1}, "-1", "1e400", "9" * 30, -5, True])
def test_a_name_or_time_that_no_instrument_has_is_refused(name: str, value: Any) -> None:
    if (name in ("symbol", "status") and isinstance(value, str)) or (
        name == "fundingInterval" and value == "9" * 30
    ):
        return
    if name == "riskParameters" and value == {"x": 1}:
        return
    with pytest.raises((ValueError, TypeError, AttributeError)):
        parse_instrument({**INFO, name: value})


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"[" * 100_000, b"5", b"[]", b'{"result":5}', b'{"result":{"list":[5]}}',
        json.dumps({"result": {"list": [{**INFO, "riskParameters": "x"}]}}).encode(),
        json.dumps({"result": {"list": [{**INFO, "leverageFilter": None}]}}).encode(),
    ],
)  # fmt: skip
def test_a_file_of_instruments_that_is_none_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    for name in ("a.json", "a.json.gz"):
        path = tmp_path / name
        path.write_bytes(content if name == "a.json" else b"\x1f\x8b\x08\x00" + content)
        with pytest.raises(InputError, match=r"a\.json"):
            read_instruments(path)

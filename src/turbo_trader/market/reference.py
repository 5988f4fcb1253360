"""Instruments: those of the universe as the venue had them in August 2026 (for simulations), and the venue's own answers parsed.

Live trading never uses the table: it reads the venue at start.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import UNIVERSE, Instrument, simulated_tiers

_INTEGERS = ("funding_interval_min",)
_TEXTS = ("symbol", "status")
_FIGURE = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_LATEST_MS = 2**63 // 1_000_000


@cache
def universe() -> tuple[Instrument, ...]:
    """The fifteen instruments of the universe in its order, with simulated risk tiers."""
    rows = json.loads(files("turbo_trader.market").joinpath("universe.json").read_text(encoding="utf-8"))
    known = {row["symbol"]: _from_row(row) for row in rows}
    return tuple(known[symbol] for symbol in UNIVERSE)


def _from_row(row: Mapping[str, Any]) -> Instrument:
    texts: dict[str, Any] = {name: row[name] for name in _TEXTS}
    integers: dict[str, Any] = {name: int(row[name]) for name in _INTEGERS}
    numbers: dict[str, Any] = {
        name: Decimal(value) for name, value in row.items() if name not in (*_TEXTS, *_INTEGERS)
    }
    return Instrument(**texts, **integers, **numbers, tiers=simulated_tiers(numbers["max_leverage"]))


def instrument_for(symbol: str, typical_price: float) -> Instrument:
    """The universe's instrument of that name; for others a stand-in with a tick of about 1 bp and a lot of about 1 USDT.

    A stand-in has status "Assumed", so that whoever shows it can say so.
    """
    for instrument in universe():
        if instrument.symbol == symbol:
            return instrument
    tick = _power_of_ten(typical_price * 1e-4)
    step = _power_of_ten(1.0 / typical_price)
    model = universe()[-1]
    return replace(
        model,
        symbol=symbol,
        status="Assumed",
        tick=tick,
        min_price=tick,
        max_price=tick * 10**9,
        step=step,
        min_qty=step,
        max_qty=step * 10**7,
        max_market_qty=step * 10**6,
    )


def read_instruments(path: Path) -> dict[str, Instrument]:
    """The instruments of a saved answer to `instruments-info` (.gz or not) by symbol; InputError where it is none."""
    try:
        raw = path.read_bytes()
        answer = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from None
    try:
        listed = [parse_instrument(item) for item in answer["result"]["list"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not an answer to instruments-info: {error!r}") from None
    return {instrument.symbol: instrument for instrument in listed}


def _power_of_ten(value: float) -> Decimal:
    """The power of ten at or below `value`."""
    return Decimal(1).scaleb(Decimal(value).adjusted())


def parse_instrument(info: Mapping[str, Any]) -> Instrument:
    """An instrument from an item of V5 `instruments-info`; unknown fields are passed over.

    KeyError names a missing field, ValueError one that no instrument can have; TypeError or AttributeError: it is no such item.
    """
    price, lot, leverage = info["priceFilter"], info["lotSizeFilter"], info["leverageFilter"]
    risk = info.get("riskParameters") or {}
    maximum = _above_0(leverage["maxLeverage"])
    most = _above_0(lot["maxOrderQty"])
    return Instrument(
        symbol=_name(info["symbol"]),
        status=_name(info["status"]),
        tick=_above_0(price["tickSize"]),
        step=_above_0(lot["qtyStep"]),
        min_qty=_above_0(lot["minOrderQty"]),
        max_qty=most,
        max_market_qty=_above_0(lot.get("maxMktOrderQty") or most),
        min_notional=_figure(lot.get("minNotionalValue") or "5"),
        min_price=_figure(price["minPrice"]),
        max_price=_above_0(price["maxPrice"]),
        max_leverage=maximum,
        leverage_step=_above_0(leverage["leverageStep"]),
        funding_interval_min=int(_above_0(info.get("fundingInterval") or 480)),
        funding_cap=_figure(info.get("upperFundingRate") or "0.005"),
        price_limit_x=_figure(risk.get("priceLimitRatioX") or "0.05"),
        price_limit_y=_figure(risk.get("priceLimitRatioY") or "0.1"),
        delivery_ns=_milliseconds(info.get("deliveryTime") or 0) * 1_000_000,
        tiers=simulated_tiers(maximum),
    )


def _figure(given: object) -> Decimal:
    """A number of an instrument, not below 0. ValueError for anything else: NaN, other scripts' digits, a text that is none."""
    if isinstance(given, bool) or not _FIGURE.fullmatch(str(given)):
        raise ValueError(f"{str(given)[:40]!r} is no figure of an instrument")
    return Decimal(str(given))


def _above_0(given: object) -> Decimal:
    found = _figure(given)
    if not found:
        raise ValueError("a figure of an instrument is 0")
    return found


def _milliseconds(given: object) -> int:
    found = _figure(given)
    if found >= _LATEST_MS:
        raise ValueError(f"{found}: a time beyond all")
    return int(found)


def _name(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"{given!r} is no name")
    return given

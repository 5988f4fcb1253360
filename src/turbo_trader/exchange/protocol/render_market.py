"""The market's objects as V5 JSON objects: contracts, tickers, prints, the band of prices."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from turbo_trader.exchange.protocol.render import ms
from turbo_trader.market.instruments import Instrument, InstrumentStatus

_OF_DELIVERIES: Final = {
    "predictedDeliveryPrice": "",
    "basisRate": "",
    "basisRateYear": "",
    "basis": "",
    "deliveryFeeRate": "",
    "deliveryTime": "0",
}


def trade_id(symbol: str, number: int) -> str:
    """Id of a public trade, shaped like the venue's uuids; the same one in REST and stream."""
    mixed = zlib.crc32(symbol.encode())
    return f"{mixed:08x}-0000-5000-8000-{number:012x}"


def public_trade(item: Mapping[str, Any]) -> dict[str, Any]:
    """Row of recent-trade, of an item of the `publicTrade` stream."""
    return {
        "execId": item["i"],
        "symbol": item["s"],
        "price": item["p"],
        "size": item["v"],
        "side": item["S"],
        "time": str(item["T"]),
        "isBlockTrade": item["BT"],
        "isRPITrade": item.get("RPI", False),
        "seq": str(item.get("seq", "")),
    }


def ticker(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Row of tickers, of the fields of the `tickers` stream: with those that only contracts with an end fill, without the tick's
    direction."""
    kept = {name: value for name, value in shown.items() if name != "tickDirection"}
    return {**kept, **_OF_DELIVERIES}


def status(i: Instrument) -> str:
    """The status shown: a stand-in trades like any other."""
    return InstrumentStatus.TRADING if i.status == InstrumentStatus.ASSUMED else i.status


def instrument(i: Instrument) -> dict[str, Any]:
    """Item of instruments-info."""
    decimals = -int(i.tick.as_tuple().exponent)
    return {
        "symbol": i.symbol,
        "contractType": "LinearPerpetual",
        "status": status(i),
        "baseCoin": i.symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": ms(i.delivery_ns),
        "deliveryFeeRate": "",
        "priceScale": str(decimals),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": format(i.max_leverage, ".2f"),
            "leverageStep": str(i.leverage_step),
        },
        "priceFilter": {"minPrice": str(i.min_price), "maxPrice": str(i.max_price), "tickSize": str(i.tick)},
        "lotSizeFilter": {
            "maxOrderQty": str(i.max_qty),
            "minOrderQty": str(i.min_qty),
            "qtyStep": str(i.step),
            "postOnlyMaxOrderQty": str(i.max_qty),
            "maxMktOrderQty": str(i.max_market_qty),
            "minNotionalValue": str(i.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": i.funding_interval_min,
        "settleCoin": "USDT",
        "copyTrading": "both",
        "upperFundingRate": str(i.funding_cap),
        "lowerFundingRate": str(-i.funding_cap),
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": str(i.price_limit_x),
            "priceLimitRatioY": str(i.price_limit_y),
        },
        "displayName": "",
        "symbolType": "",
        "forbidUplWithdrawal": False,
        "symbolId": zlib.crc32(i.symbol.encode())
        % 1_000_000,  # the venue's own are not known: one of each symbol
    }

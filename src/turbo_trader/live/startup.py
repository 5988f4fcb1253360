"""What the daemon reads from the venue before it starts: clock, instruments, fees, account mode; then the back-fill."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Keys, Mode
from turbo_trader.bybit.reads import ReadFailed, closed_bars, pages
from turbo_trader.bybit.schemas import amount, decimal, symbol_of
from turbo_trader.live.gateway import Gateway
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument, InstrumentStatus, RiskTier, resolve
from turbo_trader.market.reference import parse_instrument
from turbo_trader.runtime.venue_requests import Lane
from turbo_trader.trader.events import Backfill, FeeRates

Emit = Callable[[str, str, dict[str, Any]], None]

REACH_S = 30.0  # how long the venue may be unreachable at start
UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
)  # of an instrument that is none
_MOST_FEE = Decimal("0.05")  # of a value traded; no venue asks or pays so much
_NO_SUCH_SYMBOL = 10001
_ALREADY = (110025, 110026, 110027)


async def reach(gateway: Gateway, where: str) -> None:
    """Measure the venue's clock; InputError when it stays silent for half a minute."""
    deadline = asyncio.get_running_loop().time() + REACH_S
    while not await gateway.sync_clock():
        if asyncio.get_running_loop().time() > deadline:
            raise InputError(f"{where}: the venue does not answer; check the address and the network")
        await asyncio.sleep(0.5)


async def read_instruments(gateway: Gateway, symbols: Sequence[str], emit: Emit) -> tuple[Instrument, ...]:
    """The instruments of these symbols with their risk tiers, in order; InputError names a symbol the venue does not have."""
    names = []
    for symbol in symbols:
        name = resolve(symbol)
        if name != symbol:
            emit("renamed", "warning", {"configured": symbol, "symbol": name})
        if name not in names:
            names.append(name)
    found = await asyncio.gather(*(_instrument(gateway, name, emit) for name in names))
    instruments = tuple(instrument for instrument in found if instrument is not None)
    if names and not instruments:
        raise InputError(
            f"symbols {', '.join(names)}: the venue's instruments are not readable; try again later"
        )
    return instruments


async def refresh_instrument(gateway: Gateway, known: Instrument) -> Instrument | None:
    """The instrument as the venue has it now, "Closed" where it is gone; None where it cannot be read."""
    where = {"category": "linear", "symbol": known.symbol}
    answer = await gateway.read(Call("get_instruments_info", "market", where))
    if answer.code not in (0, _NO_SUCH_SYMBOL):
        return None
    if not any(item.get("symbol") == known.symbol for item in answer.rows):
        return replace(known, status=InstrumentStatus.CLOSED)
    try:
        return await _parsed(gateway, answer.rows, known.symbol)
    except UNREADABLE:
        return None


async def _instrument(gateway: Gateway, symbol: str, emit: Emit) -> Instrument | None:
    """The instrument; None (and an event) where its row cannot be read: the others trade without it."""
    answer = await gateway.read(
        Call("get_instruments_info", "market", {"category": "linear", "symbol": symbol})
    )
    found = [item for item in answer.rows if item.get("symbol") == symbol]
    if not found:
        why = "the venue does not know it" if answer.ok else f"not readable: {answer.message} ({answer.code})"
        raise InputError(f"symbol {symbol}: {why}; remove it from SYMBOLS or check its name")
    try:
        instrument = await _parsed(gateway, found, symbol)
    except UNREADABLE as error:
        why = f"{type(error).__name__}: {error}"[:200]
        emit(
            "row-unreadable",
            "error",
            {"channel": "rest", "list": "instruments", "symbol": symbol, "error": why, "count": 1},
        )
        return None
    if not instrument.open_for_entries:
        emit(
            "not-trading",
            "warning",
            {"symbol": symbol, "status": instrument.status, "delivery": instrument.delivery_ns},
        )
    return instrument


async def _parsed(gateway: Gateway, items: Sequence[Mapping[str, Any]], symbol: str) -> Instrument:
    """The instrument among these items, with its risk tiers."""
    instrument = parse_instrument(next(item for item in items if item.get("symbol") == symbol))
    tiers = await _tiers(gateway, symbol)
    return replace(instrument, tiers=tiers) if tiers else instrument


async def _tiers(gateway: Gateway, symbol: str) -> tuple[RiskTier, ...]:
    answer = await gateway.read(Call("get_risk_limit", "market", {"category": "linear", "symbol": symbol}))
    rows = [row for row in answer.rows if row.get("symbol") == symbol]
    tiers: list[RiskTier] = []
    for row in sorted(rows, key=lambda row: amount(row.get("riskLimitValue"))):
        leverage = amount(row.get("maxLeverage"))
        if leverage <= 0:
            continue
        tiers.append(
            RiskTier(
                limit=amount(row.get("riskLimitValue")),
                maintenance_rate=amount(row.get("maintenanceMargin")),
                initial_rate=decimal(row.get("initialMargin")) or 1 / leverage,
                max_leverage=leverage,
                deduction=amount(row.get("mmDeduction")),
            )
        )
    return tuple(tiers)


async def read_fees(gateway: Gateway, symbols: Sequence[str]) -> list[FeeRates]:
    """The account's fee rates of these symbols; [] where the venue does not tell. Rates that cannot be are left out, and said."""
    try:
        items, _ = await gateway.run(
            pages(gateway.requests.read, "get_fee_rates", "fees", {"category": "linear"})
        )
    except ReadFailed:
        return []
    now = gateway.clock.now()
    rates = {symbol_of(item): item for item in items if isinstance(item, dict)}
    found = []
    for symbol in symbols:
        taker = decimal(rates.get(symbol, {}).get("takerFeeRate"))
        maker = decimal(rates.get(symbol, {}).get("makerFeeRate"))
        if taker is not None and maker is not None and max(abs(taker), abs(maker)) < _MOST_FEE:
            found.append(FeeRates(now, symbol, taker, maker))
        elif symbol in rates:
            why = f"taker {str(rates[symbol].get('takerFeeRate'))[:40]}, maker {str(rates[symbol].get('makerFeeRate'))[:40]}"
            odd = {"channel": "rest", "list": "fees", "symbol": symbol, "error": why, "count": 1}
            gateway.emit("row-unreadable", "error", odd)
    return found


async def account_id(gateway: Gateway, keys: Keys, mode: Mode) -> str:
    """The account's number at the venue; where it does not say, one made of the key. A paper venue's account has none."""
    if mode == Mode.PAPER:
        return mode
    answer = await gateway.read(Call("get_api_key_information", "key", {}))
    found = str(answer.result.get("userID") or "") if answer.ok else ""
    return found or "key-" + hashlib.sha256(keys.key.encode()).hexdigest()[:12]


async def prepare_account(gateway: Gateway, emit: Emit) -> None:
    """Isolated margin and one-way mode, set only while nothing is open; InputError when the account cannot be traded so."""
    answer = await gateway.read(Call("get_account_info", "account", {}))
    if not answer.ok:
        raise InputError(
            f"account: {answer.message or answer.verdict.meaning} ({answer.code}); check the key and its environment"
        )
    mode = answer.result.get("marginMode")
    if mode in (None, "", "ISOLATED_MARGIN"):
        return
    where = {"category": "linear", "settleCoin": "USDT", "limit": 200}
    try:
        positions, _ = await gateway.run(pages(gateway.requests.read, "get_positions", "positions", where))
    except ReadFailed as error:
        raise InputError(f"account: positions not readable: {error} ({error.answer.code})") from None
    if any(amount(item.get("size")) for item in positions if isinstance(item, dict)):
        raise InputError(
            f"account: margin mode {mode} with open positions; close them or set isolated margin by hand"
        )
    changed = await gateway.request(
        Lane.ORDERS, Call("set_margin_mode", "margin-mode", {"setMarginMode": "ISOLATED_MARGIN"})
    )
    if changed.code not in (0, *_ALREADY):
        raise InputError(
            f"account: margin mode {mode} could not be set to isolated: {changed.message} ({changed.code})"
        )
    emit("margin-mode-set", "info", {"from": mode, "to": "ISOLATED_MARGIN"})


async def backfill(gateway: Gateway, symbol: str, index: int, minutes: int, emit: Emit) -> Backfill | None:
    """The last closed minutes of one symbol; None (and a note) where they cannot be had: the symbol then warms up live."""
    try:
        bars = await gateway.run(closed_bars(gateway.requests.history, symbol, minutes, gateway.clock.now()))
    except (ReadFailed, ValueError, IndexError) as error:
        emit("no-backfill", "warning", {"symbol": symbol, "reason": str(error)[:200]})
        return None
    return Backfill(gateway.clock.now(), index, bars) if len(bars) else None

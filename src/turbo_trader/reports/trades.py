"""Notes become trades: each entry with its fills, its stops and targets over time, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.order_terms import StopType
from turbo_trader.reports.run_data import ZERO, FillRecord, PriceStep, TradeRecord

#: The notes that say something of a trade.
NAMES: Final = (
    "entry", "entry-ended", "fill", "funding", "zone", "extension", "exit", "trade",
)  # fmt: skip


def trades_of(notes: Iterable[Mapping[str, Any]]) -> list[TradeRecord]:
    """The trades of notes in the order of time: the closed ones by their end, then those still open.

    A trade whose entry was not kept is made of its last note alone; an entry that was never filled is no trade.
    """
    reader = _Reader()
    for note in notes:
        reader.take(note)
    still = [trade for trade in reader.open.values() if trade.fills]
    return [*reader.closed, *still]


class _Reader:
    """One trade a symbol is open at most; notes of a symbol belong to it."""

    def __init__(self) -> None:
        self.open: dict[str, TradeRecord] = {}
        self.closed: list[TradeRecord] = []
        self._ahead: dict[str, Decimal] = {}  # from the target to the backstop, by symbol
        self._backstop: dict[str, Decimal] = {}

    def take(self, note: Mapping[str, Any]) -> None:
        symbol = str(note.get("symbol", ""))
        if note["name"] == "entry":
            self.open[symbol] = self._begun(symbol, note)
            return
        trade = self.open.get(symbol)
        if note["name"] == "trade":
            self.closed.append(_ended(self.open.pop(symbol, None), note))
        elif trade is not None:
            self._happened(trade, note)

    def _begun(self, symbol: str, note: Mapping[str, Any]) -> TradeRecord:
        ts, target, backstop = (
            int(note["ts"]),
            _decimal(note.get("take_profit")),
            _decimal(note.get("backstop")),
        )
        self._ahead[symbol] = backstop - target if target and backstop else ZERO
        self._backstop[symbol] = backstop
        trade = TradeRecord(
            id=str(note["id"]), symbol=symbol, tier=str(note.get("tier", "")), direction=int(note.get("direction", 1)),
            decided_ts=ts, stage=str(note.get("stage", "")), binding=str(note.get("binding", "")),
            leverage=str(note.get("leverage", "")), ev=_float(note.get("used_ev")), honest_ev=_float(note.get("ev")),
            entry_quote=_quote(note),
        )  # fmt: skip
        trade.stops += _step(ts, note.get("stop"))
        trade.targets += _step(ts, target)
        return trade

    def _happened(self, trade: TradeRecord, note: Mapping[str, Any]) -> None:
        ts = int(note["ts"])
        match note["name"]:
            case "fill":
                _filled(trade, note)
                if note.get("stop_type") == StopType.TAKE_PROFIT and self._backstop[trade.symbol]:
                    trade.exit_trigger = self._backstop[trade.symbol]
            case "funding":
                trade.funding -= _decimal(note.get("paid"))
            case "zone":
                trade.stops += _step(ts, note.get("stop"))
                trade.zones.append((ts, str(note.get("reason", f"zone {note.get('zone', '')}"))))
            case "extension":
                backstop = _decimal(note.get("backstop"))
                self._backstop[trade.symbol] = backstop or self._backstop[trade.symbol]
                trade.targets += _step(ts, backstop - self._ahead[trade.symbol] if backstop else None)
            case "exit":
                trade.exit_quote = _quote(note)
            case "entry-ended" if note.get("id") == trade.id and not trade.fills:
                del self.open[trade.symbol]
            case _:
                pass


def _filled(trade: TradeRecord, note: Mapping[str, Any]) -> None:
    fill = FillRecord(
        int(note["ts"]),
        int(note["side"]),
        _decimal(note["qty"]),
        _decimal(note["price"]),
        _decimal(note.get("fee")),
    )
    trade.fills.append(fill)
    trade.fees += fill.fee
    trade.coin_fees = " ".join(
        filter(None, [trade.coin_fees, *(f"{v} {coin}" for coin, v in note.get("coin_fees", {}).items())])
    )
    if fill.side == trade.direction:
        value = trade.entry * trade.qty + fill.price * fill.qty
        trade.qty += fill.qty
        trade.entry = value / trade.qty
        trade.opened_ts = trade.opened_ts or fill.ts
    elif note.get("stop_type") == StopType.STOP_LOSS and trade.stops:
        trade.exit_trigger = trade.stops[-1].price


def _ended(begun: TradeRecord | None, note: Mapping[str, Any]) -> TradeRecord:
    """The Trader's own figures count; what it did not write comes from the fills."""
    ts = int(note["ts"])
    if begun is None or begun.id != str(note.get("id", begun.id)):
        begun = TradeRecord(
            id=str(note.get("id", "")), symbol=str(note["symbol"]), tier=str(note.get("tier", "")),
            direction=int(note.get("direction", 1)), decided_ts=0,
        )  # fmt: skip
    trade = begun
    trade.closed_ts = ts
    for name in ("qty", "entry", "exit", "result", "fees", "funding", "net"):
        if note.get(name) is not None:
            setattr(trade, name, _decimal(note[name]))
    trade.opened_ts = trade.opened_ts or ts - int(float(note.get("seconds", 0)) * 1e9)
    trade.decided_ts = trade.decided_ts or trade.opened_ts
    trade.net_fraction = float(note.get("net_fraction") or 0.0)
    trade.reason = str(note.get("reason", ""))
    trade.ev = _float(note.get("ev")) if note.get("ev") is not None else trade.ev
    trade.honest_ev = _float(note.get("honest_ev")) if note.get("honest_ev") is not None else trade.honest_ev
    return trade


def _step(ts: int, price: Any) -> list[PriceStep]:
    return [PriceStep(ts, _decimal(price))] if price not in (None, "", 0) else []


def _quote(note: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    bid, ask = _decimal(note.get("bid")), _decimal(note.get("ask"))
    return (bid, ask) if bid > 0 and ask > 0 else None


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else ZERO


def _float(value: Any) -> float | None:
    return None if value is None else float(value)

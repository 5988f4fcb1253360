"""Entries: sized, their leverage set, sent once with stop and backstop attached, and followed until their outcome is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.market import book
from turbo_trader.market.events import SECOND, Rows
from turbo_trader.rules.assess import reprice
from turbo_trader.rules.candidates import SIDES, signals
from turbo_trader.rules.entry import entry_limit
from turbo_trader.rules.exits import entry_exits
from turbo_trader.rules.gates import Code, Verdict
from turbo_trader.rules.scan import BLOCK, PASS, TIER_A
from turbo_trader.rules.sizing import Entry, Sizing, size_entry
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.trader.commands import PlaceOrder, Read, SetLeverage
from turbo_trader.trader.desk import ZERO, Desk, PendingEntry, SymbolDesk
from turbo_trader.trader.events import CommandResult, OrderReport, Outcome, ReadResult, Source
from turbo_trader.trader.exposure import account, open_risks
from turbo_trader.trader.resting import Resting
from turbo_trader.trader.staging import Staging

_FINAL = frozenset({"Filled", "Cancelled", "Rejected", "Deactivated"})
_DUPLICATE = 110072
_LATE = 10 * SECOND  # an entry whose leverage took longer is not sent: it was decided on another market


def decimal(value: Any) -> Decimal:
    """A float figure as a Decimal with the digits it shows."""
    return Decimal(repr(float(value)))


def refused(sizing: Sizing) -> Verdict:
    """Gate 9's word where no size meets every limit."""
    return Verdict(BLOCK, Code.SIZE, sizing.refusal, sizing.needed, sizing.allowed)


class Entries:
    """One entry at a time per symbol; never sent twice."""

    def __init__(self, desk: Desk, staging: Staging) -> None:
        self._desk = desk
        self._staging = staging
        self.resting = Resting(desk)
        self._lookups: dict[str, str] = {}  # read id -> symbol

    # -- deciding

    def decide(
        self,
        desk: SymbolDesk,
        rows: Rows,
        gate_params: Rows,
        tier: CapitalTier,
        equity: Decimal,
        weight: Decimal,
    ) -> Verdict:
        """Gate 9: the size that meets every limit, cost and EV rechecked at it; a pass begins the entry."""
        d, row = self._desk, rows[desk.s]
        bid, ask = d.bid(desk), d.ask(desk)
        if bid is None or ask is None:
            return Verdict(BLOCK, Code.SIZE, "no two-sided book", "both sides of the book")
        direction = int(row["direction"])
        margin = max(ZERO, decimal(row["used_ev"]) - decimal(row["min_ev"]))
        limit = entry_limit(d.policy, desk.instrument, direction, bid, ask, margin)
        g = desk.s if len(gate_params) > 1 else 0
        cost = decimal(row["cost"]) - decimal(gate_params["slippage"][g])  # at the exact size below
        figures = self._entry(desk, row, limit, direction, weight, cost, ZERO)
        sizing = size_entry(d.policy, account(d, equity), open_risks(d), figures, d.session.losses)
        if not sizing.qty:
            return refused(sizing)
        # EV assumes a fill at the limit on the way in, the book's walk on the way out
        maker = d.policy.entry_style == "maker"
        reach = ZERO if maker else abs(limit / (ask if direction > 0 else bid) - 1)
        walk = self._book_walk(desk, direction, sizing.qty)
        rows["slippage"][desk.s] = float(reach + walk)
        if not reprice(gate_params, desk.s, rows, desk.s, float(cost + reach + walk)):
            text = f"limit {reach:.4%} beyond the touch, book walk {walk:.4%} at {sizing.qty}"
            return Verdict(BLOCK, Code.EV_AT_SIZE, text)
        if walk > 0:
            cost += walk
            figures = self._entry(desk, row, limit, direction, weight, cost, walk)
            sizing = size_entry(d.policy, account(d, equity), open_risks(d), figures, d.session.losses)
            if not sizing.qty:
                return refused(sizing)
        sized, stage = self._staging.size(desk, row, figures, sizing, tier, equity)
        if sized is None:
            return Verdict(PASS)  # a trade without an order
        desk.entry = self._pending(desk, row, direction, limit, cost, sized)
        desk.entry.figures |= {"capital": tier.name, "stage": stage}
        self._staging.paired(desk, desk.entry.id)
        self._begin(desk, desk.entry)
        return Verdict(PASS)

    def _pending(
        self, desk: SymbolDesk, row: Any, direction: int, limit: Decimal, cost: Decimal, sizing: Sizing
    ) -> PendingEntry:
        d = self._desk
        take_profit, stop_loss = decimal(row["take_profit"]), decimal(row["stop_loss"])
        stop, backstop = entry_exits(direction, limit, take_profit, stop_loss, desk.instrument, d.policy)
        figures = {
            name: float(row[name])
            for name in ("used_p_tp", "used_ev", "p_tp", "ev", "snr", "confidence", "forecast")
        }
        return PendingEntry(
            d.ids.next("entry"), direction, sizing.qty, limit, stop, backstop, sizing.leverage, sizing.margin,
            int(row["tier"]), take_profit, stop_loss, cost, decimal(row["range_tail"]),
            int(float(row["hold_s"]) * SECOND), d.now, resting=d.policy.entry_style == "maker",
            floor=sizing.floor,
            figures={
                **figures, "signals": signals(d.policy, row), "binding": sizing.binding, "allowed": sizing.allowed,
                "leverage_most": float(sizing.highest), "leverage_by": sizing.highest_by,
            },
        )  # fmt: skip

    def _entry(
        self,
        desk: SymbolDesk,
        row: Any,
        limit: Decimal,
        direction: int,
        weight: Decimal,
        cost: Decimal,
        slippage: Decimal,
    ) -> Entry:
        return Entry(
            instrument=desk.instrument,
            direction=direction,
            trade_tier=int(row["tier"]),
            price=limit,
            stop_loss=decimal(row["stop_loss"]),
            cost=cost,
            slippage=slippage,
            range_tail=decimal(row["range_tail"]),
            mark_gap=decimal(row["mark_gap"]),
            taker_fee=desk.taker,
            weight=weight,
            symbols=len(self._desk.symbols),
        )

    def _book_walk(self, desk: SymbolDesk, direction: int, qty: Decimal) -> Decimal:
        """Average price beyond the touch for leaving with `qty` now, as a fraction of the touch."""
        thin, lots = float(self._desk.policy.entry_slip_max), float(desk.instrument.lots(qty))
        return decimal(book.walk(self._desk.states, desk.s, direction, lots, thin))

    # -- sending

    def _begin(self, desk: SymbolDesk, entry: PendingEntry) -> None:
        if desk.leverage != entry.leverage:
            entry.leverage_id = self._desk.ids.next("lev")
            self._desk.give(SetLeverage(entry.leverage_id, desk.instrument.symbol, entry.leverage))
            return
        self._send(desk, entry)

    def _send(self, desk: SymbolDesk, entry: PendingEntry) -> None:
        d = self._desk
        entry.sent_ts = d.now
        tier = "A" if entry.trade_tier == TIER_A else "B"
        allowed = entry.figures.pop("allowed", {})  # told, not kept
        self.save(desk)
        d.note(
            "entry", symbol=desk.instrument.symbol, id=entry.id, tier=tier, direction=entry.direction, qty=entry.qty,
            limit=entry.limit, stop=entry.stop, backstop=entry.backstop, **self._described(entry), **entry.figures,
            allowed=allowed, bid=d.bid(desk), ask=d.ask(desk),
        )  # fmt: skip
        d.give(
            PlaceOrder(
                entry.id,
                desk.instrument.symbol,
                entry.direction,
                entry.qty,
                "Limit",
                "PostOnly" if entry.resting else "IOC",
                reduce_only=False,
                purpose="entry",
                price=entry.limit,
                stop_loss=entry.stop,
                take_profit=entry.backstop,
                recv_window_ms=d.policy.entry_recv_window,
            )
        )

    def on_leverage(self, desk: SymbolDesk, result: CommandResult, leverage: Decimal | None) -> None:
        """The leverage was set (or not): send the entry, or give it up."""
        entry = desk.entry
        if entry is None or entry.sent_ts:
            return
        if self._desk.over:
            self.abandon(desk, "the run is over")
            return
        if result.outcome is not Outcome.CONFIRMED:
            desk.leverage = None
            said = "was refused" if result.outcome is Outcome.REJECTED else "is not known to be set"
            answer = f"{result.code} {result.message}".strip() if result.code > 0 else result.message
            self.abandon(desk, f"its leverage {said}{f': {answer}' if answer else ''}")
            return
        waited = self._desk.now - entry.decided_ts
        desk.leverage = entry.leverage if leverage is None else leverage
        if waited <= _LATE:
            self._send(desk, entry)
            return
        self.abandon(
            desk,
            f"its leverage was set {waited / SECOND:.1f} s after the scan, more than {_LATE // SECOND} s",
        )

    def _described(self, entry: PendingEntry) -> dict[str, Any]:
        """The entry as its user reads it: USDT, percent of the balance and of the price."""
        balance = self._desk.balance()
        far, near = (
            Decimal(1) + entry.direction * entry.take_profit,
            Decimal(1) - entry.direction * entry.stop_loss,
        )
        return {
            "side": SIDES[entry.direction],
            "size_usdt": round(entry.qty * entry.limit, 2),
            "balance_pct": round(100 * entry.margin / balance, 1) if balance > 0 else None,
            "leverage": entry.leverage,
            "price": entry.limit,
            "take_profit": round(entry.limit * far, 8).normalize(),
            "stop_loss": round(entry.limit * near, 8).normalize(),
            "take_profit_pct": round(100 * entry.take_profit, 3),
            "stop_loss_pct": round(100 * entry.stop_loss, 3),
        }

    # -- outcomes

    def on_result(self, desk: SymbolDesk, result: CommandResult) -> None:
        """The answer to the order request. Confirmed is accepted, not filled; unknown is looked up; a duplicate may be ours."""
        entry = desk.entry
        if entry is None or entry.id != result.id:
            return
        entry.answered = True
        if result.outcome is Outcome.UNKNOWN or result.code == _DUPLICATE:
            entry.unknown_since = self._desk.now  # it may have left this late: its window begins here
            self._desk.note(
                "entry-unknown", "warning", symbol=desk.instrument.symbol, id=entry.id, code=result.code
            )
            self._look_up(desk, entry)
        elif result.outcome is Outcome.REJECTED:
            desk.barred = f"{result.code} {result.message}".strip() if result.barred else ""
            self.abandon(desk, f"refused: {result.code} {result.message}")

    def on_report(self, desk: SymbolDesk, report: OrderReport) -> None:
        """The venue's word on the entry: final ends it, with or without a fill. cumExecQty is the truth."""
        entry = desk.entry
        if entry is None or entry.id != report.link_id:
            return
        if report.status not in _FINAL:
            entry.answered = True
            entry.unknown_since = entry.unknown_since if entry.withdrawn else 0
            return
        if report.filled == 0:
            self.abandon(desk, f"not filled: {report.status} {report.reject_reason}".strip())
        elif entry.filled >= report.filled:
            self._done(desk)
        else:
            entry.unknown_since = entry.unknown_since or self._desk.now  # its fills are still missing
            if (
                report.source is Source.STREAM
            ):  # one look-up that lacks them does not call for the next at once
                self._look_up(desk, entry)

    def on_filled(self, desk: SymbolDesk) -> None:
        """A fill was booked: with all of them the entry is over."""
        if desk.entry is None or not desk.entry.filled:
            return
        if desk.entry.filled >= desk.entry.qty:
            self._done(desk)
        else:
            self.save(desk)

    def save(self, desk: SymbolDesk) -> None:
        """Persist the entry under way, so that a restart looks it up and knows its fills."""
        if desk.entry is not None:
            self._desk.persist(f"entry:{desk.instrument.symbol}", desk.entry)

    def on_lookup(self, result: ReadResult) -> None:
        """The answer to a look-up of ours; other reads are passed over."""
        symbol = self._lookups.pop(result.id, None)
        desk = self._desk.by_symbol.get(symbol or "")
        entry = desk.entry if desk is not None else None
        if desk is None or entry is None or result.outcome is not Outcome.CONFIRMED:
            return
        mine = [order for order in result.orders if order.link_id == entry.id]
        executed = [fill.qty for fill in result.fills if fill.link_id == entry.id]
        absent = not mine and not executed
        waited = result.asked_ts - max(entry.sent_ts, entry.unknown_since)
        entry.filled = max(
            entry.filled, sum(executed, ZERO)
        )  # all booked by now, some perhaps in an earlier life
        if absent and entry.answered and waited > self._window and not entry.filled:
            self.abandon(desk, "not found after its window: never placed")
        if mine and (mine[0].symbol, mine[0].side, mine[0].qty) == (symbol, entry.direction, entry.qty):
            self.on_report(desk, mine[0])
        elif mine:
            desk.frozen = f"order {entry.id} on the venue is not the one that was sent"
            self._desk.note("frozen", "error", symbol=symbol, why=desk.frozen)
            self._done(desk)

    def on_clock(self) -> None:
        """Look unknown entries up again, and give those up whose window has passed without a trace."""
        d = self._desk
        for desk in d.desks:
            entry = desk.entry
            if entry is None:
                continue
            if not entry.sent_ts:
                if d.now - entry.decided_ts > 2 * _LATE:
                    self.abandon(desk, "its leverage was never answered")
                continue
            if entry.resting:
                self.resting.tend(desk, entry)
            accepted = entry.resting and entry.answered  # it may stay without a final word
            silent = not accepted and d.now - entry.sent_ts > 2 * SECOND
            if not entry.unknown_since and silent:
                entry.unknown_since = d.now
            if entry.unknown_since and desk.instrument.symbol not in self._lookups.values():
                self._look_up(desk, entry)

    def on_cancel(self, desk: SymbolDesk, result: CommandResult) -> None:
        """The answer to the withdrawal of a resting entry. Refused or unknown: the order may be gone or filled, so look."""
        entry = desk.entry
        if entry is not None and entry.cancel_id == result.id and result.outcome is not Outcome.CONFIRMED:
            entry.unknown_since = entry.unknown_since or self._desk.now
            self._look_up(desk, entry)

    def next_ns(self) -> int:
        """When `on_clock` is due; 0 = nothing is under way."""
        return self._desk.now + SECOND if any(desk.entry is not None for desk in self._desk.desks) else 0

    def abandon(self, desk: SymbolDesk, why: str) -> None:
        """The entry ends without a fill: the rules made no trade, so nothing is followed either."""
        desk.ghost = None
        entry, symbol = desk.entry, desk.instrument.symbol
        if entry is not None:
            self._desk.note("entry-ended", symbol=symbol, id=entry.id, why=why)
            if entry.sent_ts:
                desk.ended = {**dict(list(desk.ended.items())[-3:]), entry.id: entry}
                kept = {each.id: each for each in desk.ended.values()}
                self._desk.persist(f"ended:{symbol}", kept)  # a fill may still come, even to the next life
            self._done(desk)

    @property
    def _window(self) -> int:
        policy = self._desk.policy
        return policy.entry_recv_window * (SECOND // 1000) + policy.lookup_extra * SECOND

    def _done(self, desk: SymbolDesk) -> None:
        desk.entry = None
        self._desk.persist(f"entry:{desk.instrument.symbol}", {})

    def _look_up(self, desk: SymbolDesk, entry: PendingEntry) -> None:
        read = Read(self._desk.ids.next("read"), ("order", "positions"), desk.instrument.symbol, entry.id)
        self._lookups[read.id] = desk.instrument.symbol
        self._desk.give(read)

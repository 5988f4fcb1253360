"""Entries: sized, their leverage set, sent once with stop and backstop attached, and followed until their outcome is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.market.order_terms import Direction, OrderStatus, OrderType, Side, TimeInForce
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.assess import reprice
from turbo_trader.rules.choices import EntryStyle
from turbo_trader.rules.entry import entry_limit
from turbo_trader.rules.gate import BLOCK, PASS, SignalTier, Verdict
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.sizing import Sizing, size_entry
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.trader.commands import PlaceOrder, Purpose, Read, SetLeverage
from turbo_trader.trader.entry_figures import book_walk, decimal, pending_entry, sizing_figures
from turbo_trader.trader.events import CommandResult, OrderReport, Outcome, ReadResult, Source
from turbo_trader.trader.exposure import account, open_risks
from turbo_trader.trader.pending_entry import EntryEvent, EntryState, PendingEntry
from turbo_trader.trader.persisted import EndedRecord
from turbo_trader.trader.resting import Resting
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trader_state import ZERO, SymbolState, TraderState

_FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.DEACTIVATED})
_DUPLICATE = 110072
_LATEST = 3600 * SECOND  # fills of an entry given up longer ago are not looked for at a start
_FILLS_COME = SECOND // 20  # after the report that an order is filled: they come with the next messages
_LATE = 10 * SECOND  # an entry whose leverage took longer is not sent: it was decided on another market


def refused(sizing: Sizing) -> Verdict:
    """Gate 9's answer where no size meets every limit."""
    return Verdict(BLOCK, Code.SIZE, sizing.refusal, sizing.needed, sizing.allowed)


class Entries:
    """One entry at a time per symbol; never sent twice."""

    def __init__(self, state: TraderState, staging: Staging) -> None:
        self._state = state
        self._staging = staging
        self.resting = Resting(state)
        self._lookups: dict[str, str] = {}  # read id -> symbol
        self._awaited: dict[str, tuple[int, str]] = {}  # symbol -> when its fills are looked up, and the read

    # -- deciding

    def decide(
        self,
        state: SymbolState,
        rows: Rows,
        gate_params: Rows,
        tier: CapitalTier,
        equity: Decimal,
        weight: Decimal,
    ) -> Verdict:
        """Gate 9: the size that meets every limit, cost and EV rechecked at it; a pass begins the entry."""
        d, row = self._state, rows[state.s]
        bid, ask = d.bid(state), d.ask(state)
        if bid is None or ask is None:
            return Verdict(BLOCK, Code.SIZE, "no two-sided book", "both sides of the book")
        direction = int(row["direction"])
        margin = max(ZERO, decimal(row["used_ev"]) - decimal(row["min_ev"]))
        limit = entry_limit(d.policy, state.instrument, direction, bid, ask, margin)
        g = state.s if len(gate_params) > 1 else 0
        cost = decimal(row["cost"]) - decimal(gate_params["slippage"][g])  # at the exact size below
        figures = sizing_figures(d, state, row, limit, direction, weight=weight, cost=cost, slippage=ZERO)
        sizing = size_entry(d.policy, account(d, equity), open_risks(d), figures, d.session.losses)
        if not sizing.qty:
            return refused(sizing)
        # EV assumes a fill at the limit on the way in, the book's walk on the way out
        maker = d.policy.entry_style is EntryStyle.MAKER
        reach = ZERO if maker else abs(limit / (ask if direction > 0 else bid) - 1)
        walk = book_walk(d, state, direction, sizing.qty)
        rows["slippage"][state.s] = float(reach + walk)
        if not reprice(gate_params, state.s, rows, state.s, float(cost + reach + walk)):
            text = f"limit {reach:.4%} beyond the touch, book walk {walk:.4%} at {sizing.qty}"
            return Verdict(BLOCK, Code.EV_AT_SIZE, text)
        if walk > 0:
            cost += walk
            figures = sizing_figures(d, state, row, limit, direction, weight=weight, cost=cost, slippage=walk)
            sizing = size_entry(d.policy, account(d, equity), open_risks(d), figures, d.session.losses)
            if not sizing.qty:
                return refused(sizing)
        sized, stage = self._staging.size(state, row, figures, sizing, tier, equity)
        if sized is None:
            return Verdict(PASS)  # a trade without an order
        state.entry = pending_entry(d, state, row, direction=direction, limit=limit, cost=cost, sizing=sized)
        state.entry.figures.update(capital=tier.name, stage=stage)
        state.shadows.accompany(state.entry.id)
        self._begin(state, state.entry)
        return Verdict(PASS)

    # -- sending

    def _begin(self, state: SymbolState, entry: PendingEntry) -> None:
        if state.venue.leverage != entry.leverage:
            entry.await_leverage(self._state.ids.next("lev"))
            self._state.give(SetLeverage(entry.leverage_id, state.instrument.symbol, entry.leverage))
            return
        self._send(state, entry)

    def _send(self, state: SymbolState, entry: PendingEntry) -> None:
        d = self._state
        entry.advance(EntryEvent.SEND, d.now)
        tier = SignalTier(entry.trade_tier).text
        allowed = entry.figures.pop("allowed", {})  # reported, not kept
        self.save(state)
        d.note(
            "entry", symbol=state.instrument.symbol, id=entry.id, tier=tier, direction=entry.direction, qty=entry.qty,
            limit=entry.limit, stop=entry.stop, backstop=entry.backstop, **self._described(entry), **entry.figures,
            allowed=allowed, bid=d.bid(state), ask=d.ask(state),
        )  # fmt: skip
        d.give(
            PlaceOrder(
                id=entry.id,
                symbol=state.instrument.symbol,
                side=Side.opening(entry.direction),
                qty=entry.qty,
                order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.POST_ONLY if entry.resting else TimeInForce.IOC,
                reduce_only=False,
                purpose=Purpose.ENTRY,
                price=entry.limit,
                stop_loss=entry.stop,
                take_profit=entry.backstop,
                recv_window_ms=d.policy.entry_recv_window,
            )
        )

    def on_leverage(self, state: SymbolState, result: CommandResult) -> None:
        """The leverage was set (or not): send the entry, or give it up."""
        entry = state.entry
        if entry is None or entry.left:
            return
        if self._state.over:
            self.abandon(state, "the run is over")
            return
        if result.outcome is not Outcome.CONFIRMED:
            state.venue.set_leverage(None)
            said = "was refused" if result.outcome is Outcome.REJECTED else "is not known to be set"
            answer = f"{result.code} {result.message}".strip() if result.code > 0 else result.message
            self.abandon(state, f"its leverage {said}{f': {answer}' if answer else ''}")
            return
        waited = self._state.now - entry.decided_ts
        state.venue.set_leverage(entry.leverage)
        if waited <= _LATE:
            self._send(state, entry)
            return
        self.abandon(
            state,
            f"its leverage was set {waited / SECOND:.1f} s after the scan, more than {_LATE // SECOND} s",
        )

    def _described(self, entry: PendingEntry) -> dict[str, Any]:
        """The entry as its user reads it: USDT, percent of the balance and of the price."""
        balance = self._state.balance()
        far, near = (
            Decimal(1) + entry.direction * entry.take_profit,
            Decimal(1) - entry.direction * entry.stop_loss,
        )
        return {
            "side": Direction(entry.direction).text,
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

    def on_result(self, state: SymbolState, result: CommandResult) -> None:
        """The answer to the order request. Confirmed is accepted, not filled; unknown is looked up; a duplicate may be ours."""
        entry = state.entry
        if entry is None or entry.id != result.id:
            return
        if result.outcome is Outcome.UNKNOWN or result.code == _DUPLICATE:
            entry.advance(EntryEvent.UNCLEAR, self._state.now)
            self._state.note(
                "entry-unknown", "warning", symbol=state.instrument.symbol, id=entry.id, code=result.code
            )
            self._look_up(state, entry)
        elif result.outcome is Outcome.REJECTED:
            state.blocks.bar(f"{result.code} {result.message}".strip() if result.barred else "")
            self.abandon(state, f"refused: {result.code} {result.message}")
        else:
            entry.advance(EntryEvent.ANSWER, self._state.now)

    def on_report(self, state: SymbolState, report: OrderReport) -> None:
        """The venue's report on the entry: final ends it, with or without a fill. cumExecQty is the truth."""
        entry = state.entry
        if entry is None or entry.id != report.link_id or not report.status:
            return
        if report.status not in _FINAL:
            event = EntryEvent.ANSWER if entry.withdrawn else EntryEvent.OPEN
            entry.advance(event, self._state.now)
            return
        if report.filled == 0 and report.status != OrderStatus.FILLED:
            self.abandon(state, f"not filled: {report.status} {report.reject_reason}".strip())
        elif entry.filled >= (report.filled or entry.qty):  # "filled" without a quantity: all of it
            self._done(state)
        else:
            entry.advance(EntryEvent.DOUBT, self._state.now)  # its fills are still missing
            if report.source is not Source.STREAM:
                return  # one look-up that lacks them does not call for the next at once
            if report.status != OrderStatus.FILLED:
                self._look_up(state, entry)
            elif report.symbol not in self._awaited:
                self._awaited[report.symbol] = self._state.now + _FILLS_COME, self._state.ids.next("read")

    def on_filled(self, state: SymbolState) -> None:
        """A fill was booked: with all of them the entry is over."""
        if state.entry is None or not state.entry.filled:
            return
        if state.entry.filled >= state.entry.qty:
            self._done(state)
        else:
            self.save(state)

    def save(self, state: SymbolState) -> None:
        """Persist the entry under way, so that a restart looks it up and knows its fills."""
        if state.entry is not None:
            self._state.persist(Key.ENTRY.of(state.instrument.symbol), state.entry)

    def on_lookup(self, result: ReadResult) -> None:
        """The answer to a look-up of ours; other reads are passed over."""
        symbol = self._lookups.pop(result.id, None)
        state = self._state.by_symbol.get(symbol or "")
        entry = state.entry if state is not None else None
        if state is None or entry is None or result.outcome is not Outcome.CONFIRMED:
            return
        mine = [order for order in result.orders if order.link_id == entry.id]
        executed = [fill.qty for fill in result.fills if fill.link_id == entry.id]
        absent = not mine and not executed
        waited = result.asked_ts - max(entry.sent_ts, entry.unknown_since)
        entry.found_filled(sum(executed, ZERO))
        if absent and entry.request_over and waited > self._window and not entry.filled:
            self.abandon(state, "not found after its window: never placed")
        if mine and (mine[0].symbol, mine[0].side, mine[0].qty) == (symbol, entry.direction, entry.qty):
            self.on_report(state, mine[0])
        elif mine:
            self._state.freeze(state, f"order {entry.id} on the venue is not the one that was sent")
            self._done(state)

    def on_clock(self) -> None:
        """Look unknown entries up again, and give those up whose window has passed without a trace."""
        d = self._state
        for state in d.per_symbol:
            entry = state.entry
            if entry is None:
                continue
            if not entry.left:
                if d.now - entry.decided_ts > 2 * _LATE:
                    self.abandon(state, "its leverage was never answered")
                continue
            if entry.resting:
                self.resting.tend(state, entry)
            accepted = (
                entry.resting and entry.state is EntryState.ACCEPTED
            )  # it may stay without a final report
            silent = not accepted and d.now - entry.sent_ts > 2 * SECOND
            if not entry.looked_up and silent:
                entry.advance(EntryEvent.DOUBT, d.now)
            symbol = state.instrument.symbol
            if symbol in self._awaited:
                due = (
                    self._awaited[symbol][0] <= d.now
                )  # also where a look-up from before the report is under way
            else:
                due = entry.looked_up and symbol not in self._lookups.values()
            if due:
                self._look_up(state, entry)

    def on_cancel(self, state: SymbolState, result: CommandResult) -> None:
        """The answer to the withdrawal of a resting entry. Refused or unknown: the order may be gone or filled, so look."""
        entry = state.entry
        if entry is not None and entry.cancel_id == result.id and result.outcome is not Outcome.CONFIRMED:
            entry.advance(EntryEvent.DOUBT, self._state.now)
            self._look_up(state, entry)

    def next_ns(self) -> int:
        """When `on_clock` is due; 0 = nothing is under way."""
        if not any(state.entry is not None for state in self._state.per_symbol):
            return 0
        return min([self._state.now + SECOND, *(due for due, _ in self._awaited.values())])

    def abandon(self, state: SymbolState, why: str) -> None:
        """The entry ends without a fill: the rules made no trade, so nothing is followed either."""
        state.shadows.forget_pair()
        entry, symbol = state.entry, state.instrument.symbol
        if entry is not None:
            self._state.note("entry-ended", symbol=symbol, id=entry.id, why=why)
            self._done(state)
            if entry.left:
                state.ended = {**dict(list(state.ended.items())[-3:]), entry.id: entry}
                record = EndedRecord(entries=list(state.ended.values()))
                self._state.persist(
                    Key.ENDED.of(symbol), record
                )  # a fill may still come, even after a restart

    def resume(
        self, state: SymbolState, sent: PendingEntry | None, ended: EndedRecord | None
    ) -> list[PendingEntry]:
        """Take up entries from before a restart; returns those whose fills may not have been heard of.

        The answer to one that was on its way will not come: it is looked up.
        """
        given_up = ended.entries if ended is not None else []
        state.ended = {each.id: each for each in given_up}
        found = [each for each in given_up if self._state.now - each.sent_ts < _LATEST]
        if sent is None:
            return found
        sent.advance(EntryEvent.UNCLEAR, self._state.now)
        state.entry = sent
        return [*found, sent]

    @property
    def _window(self) -> int:
        policy = self._state.policy
        return policy.entry_recv_window * (SECOND // 1000) + policy.lookup_extra * SECOND

    def _done(self, state: SymbolState) -> None:
        if state.entry is not None:
            state.entry.advance(EntryEvent.END, self._state.now)
        state.entry = None
        self._awaited.pop(state.instrument.symbol, None)
        self._state.persist(Key.ENTRY.of(state.instrument.symbol), {})

    def _look_up(self, state: SymbolState, entry: PendingEntry) -> None:
        symbol = state.instrument.symbol
        _, reserved = self._awaited.pop(symbol, (0, ""))
        read = Read(reserved or self._state.ids.next("read"), ("order", "positions"), symbol, entry.id)
        self._lookups[read.id] = symbol
        self._state.give(read)

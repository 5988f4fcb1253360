"""Fills become positions and trades; a trade that ends is counted, reported and kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from turbo_trader.market.order_terms import ExecKind, StopType
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.rules.exits import Bracket, ExitReason, exit_rules
from turbo_trader.rules.gate import SignalTier
from turbo_trader.rules.session_changes import HaltCause
from turbo_trader.rules.watchdog import tripped
from turbo_trader.trader.amending import Amending
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.events import Fill, PositionReport, WalletReport
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.persisted import StoppedOutRecord
from turbo_trader.trader.position_monitor import PositionMonitor
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trade import Trade
from turbo_trader.trader.trader_state import ZERO, SymbolState, TraderState

_FORCED = frozenset({ExecKind.LIQUIDATION, ExecKind.ADL})
#: Executions that no order of a person made, by what they are; a kind that is not here keeps the venue's own name.
_REASONS: Final[Mapping[str, ExitReason]] = {
    ExecKind.LIQUIDATION: ExitReason.LIQUIDATION,
    ExecKind.ADL: ExitReason.ADL,
    ExecKind.DELIVERY: ExitReason.DELIVERY,
    ExecKind.SETTLEMENT: ExitReason.SETTLEMENT,
    ExecKind.BLOCK_TRADE: ExitReason.BLOCK_TRADE,
    ExecKind.MOVED_POSITION: ExitReason.MOVED_POSITION,
    ExecKind.SPREAD_TRADE: ExitReason.SPREAD_TRADE,
    ExecKind.CORPORATE_ACTION: ExitReason.CORPORATE_ACTION,
}
_BY_STOP_TYPE: Final[dict[str, ExitReason]] = {
    StopType.STOP_LOSS: ExitReason.STOP,
    StopType.TAKE_PROFIT: ExitReason.BACKSTOP,
}


def _opened(fill: Fill, entry: PendingEntry) -> int:
    """When a fill of an entry opened the position: by its own time, unless that is long before the entry was sent."""
    sent = entry.sent_ts or entry.decided_ts
    return fill.ts if fill.ts >= sent - MINUTE else sent


class Booking:
    """Executions, each once, whichever channel brings them."""

    def __init__(
        self,
        state: TraderState,
        monitor: PositionMonitor,
        amending: Amending,
        closing: Closing,
        staging: Staging,
    ) -> None:
        self._state = state
        self._monitor = monitor
        self._amending = amending
        self._closing = closing
        self._staging = staging

    def on_fill(self, state: SymbolState, fill: Fill) -> bool:
        """Book one execution; False where it was booked before, or has to wait for the opening it closes."""
        if fill.kind != ExecKind.FUNDING and self._early(state, fill):
            return False
        if not self._book(state, fill):
            return False
        if state.early and state.held:
            waiting, state.early = sorted(state.early, key=lambda f: (f.ts, f.seq)), []
            for each in waiting:
                self.on_fill(state, each)
        return True

    def settle_early(self, state: SymbolState, before: int) -> None:
        """Closing fills older than `before` whose opening never came: the money is booked, the position is not ours."""
        stale = [fill for fill in state.early if fill.ts < before]
        state.early = [fill for fill in state.early if fill.ts >= before]
        for fill in stale:
            self._book(state, fill)

    def _early(self, state: SymbolState, fill: Fill) -> bool:
        """A fill that closes more than we hold while an opening of ours may be on its way: keep it until then."""
        held = abs(state.held) if state.held * fill.side < 0 else ZERO
        if fill.closed_qty <= held or state.blocks.frozen or fill.exec_id in self._state.ledger.seen:
            return False
        if state.entry is None and state.trade is None and not state.ended:
            return False
        if all(fill.exec_id != each.exec_id for each in state.early):
            state.early.append(fill)
        return True

    def _book(self, state: SymbolState, fill: Fill) -> bool:
        closing = self._closing_qty(state, fill)
        result = self._result(state, fill, closing)
        if not self._state.ledger.add(fill, result):
            return False
        self._state.persist_ledger()
        if fill.kind == ExecKind.FUNDING:
            self._fund(state, fill)
            return True
        self._state.session.on_result(result - fill.cost)
        self._state.persist_session()
        self._state.note(
            "fill", symbol=fill.symbol, id=fill.link_id, side=fill.side, qty=fill.qty, price=fill.price, fee=fill.fee,
            coin_fees=dict(fill.coin_fees),
            kind=fill.kind, stop_type=fill.stop_type, result=result, executed=fill.ts, exec_id=fill.exec_id,
            order_id=fill.order_id, maker=fill.is_maker,
        )  # fmt: skip
        held = state.held
        opening = fill.qty - max(closing, min(fill.qty, fill.closed_qty))
        if closing:
            self._close(state, fill, closing, result)
        if opening:
            self._open(state, fill, opening)
        self._agree(state, held)
        self._closing.go_on(state)
        self._monitor.watch(state)
        return True

    def _agree(self, state: SymbolState, before: Decimal) -> None:
        """Bring the venue's report on the size up to this fill where it is older; verify the position where it came first."""
        if state.held == before:
            return
        if state.venue.size == before:
            state.venue.resize(state.held)
        elif state.held and state.venue.size == state.held:
            self._verify(state)

    def _closing_qty(self, state: SymbolState, fill: Fill) -> Decimal:
        """How much of what we hold it closes: nothing where it is older than the trade, for it closed another."""
        if fill.kind == ExecKind.FUNDING or state.held * fill.side >= 0:
            return ZERO
        if state.trade is not None and fill.ts < state.trade.opened_ts:
            return ZERO
        return min(fill.qty, abs(state.held))

    def _result(self, state: SymbolState, fill: Fill, closing: Decimal) -> Decimal:
        """Realised result of the closing part before fees: the venue's figure, or from our own average entry."""
        if fill.pnl is not None:
            return fill.pnl
        if not closing or state.trade is None:
            return ZERO
        return state.trade.direction * closing * (fill.price - state.trade.entry)

    def _fund(self, state: SymbolState, fill: Fill) -> None:
        self._state.session.on_result(-fill.cost)
        if state.trade is not None:
            state.trade.funding -= fill.cost
        self._state.persist_session()
        self._state.note(
            "funding",
            symbol=fill.symbol,
            paid=fill.cost,
            rate_price=fill.price,
            executed=fill.ts,
            exec_id=fill.exec_id,
        )

    def _open(self, state: SymbolState, fill: Fill, qty: Decimal) -> None:
        entry = state.entry
        if entry is None or entry.id != fill.link_id:
            entry = state.ended.get(fill.link_id, entry)
        if (entry is None or entry.id != fill.link_id) and (
            state.trade is None or not self._state.ours(fill.link_id)
        ):
            state.blocks.freeze(f"fill {fill.exec_id} is not ours")
            self._state.note(
                "foreign-fill", "error", symbol=fill.symbol, id=fill.link_id, qty=fill.qty, side=fill.side
            )
            return
        opened = fill.ts if entry is None else _opened(fill, entry)
        if state.trade is None and entry is not None:
            state.trade = Trade(
                entry_id=entry.id, direction=entry.direction, trade_tier=entry.trade_tier, opened_ts=opened,
                range_tail=entry.range_tail,
                ev=entry.figures.get("used_ev"), honest_ev=entry.figures.get("ev"), floor=entry.floor,
                stage=str(entry.figures.get("stage", "")),
            )  # fmt: skip
        trade = state.trade
        if trade is None:
            return
        if entry is not None and entry.id == fill.link_id:
            entry.add_fill(qty)
            if entry.filled >= entry.qty:  # no crumb, however good its price
                trade.floor = ZERO
            if (
                entry is state.entry
            ):  # on disk with the fill it counts: a restart must not wait for that one again
                self._state.persist(Key.ENTRY.of(fill.symbol), entry)
        trade.opened_ts = min(trade.opened_ts, opened)
        trade.qty += qty
        trade.opened_value += qty * fill.price
        trade.fees += fill.cost
        state.held += fill.side * qty
        if entry is not None:
            self._bracket(state, trade, entry)

    def _bracket(self, state: SymbolState, trade: Trade, entry: PendingEntry) -> None:
        if state.bracket is not None and state.bracket.zone:  # its exits have moved on: they only tighten
            self._state.persist_position(state)
            return
        bracket = Bracket(
            direction=entry.direction,
            entry=trade.entry,
            tick=state.tick,
            take_profit=entry.take_profit,
            stop_loss=entry.stop_loss,
            cost=entry.cost,
            opened_ns=trade.opened_ts,
            hold_ns=entry.hold_ns,
            rules=exit_rules(self._state.policy),
        )
        self._monitor.begin(state, bracket, entry.stop, entry.backstop)
        self._state.persist_position(state)

    def _close(self, state: SymbolState, fill: Fill, qty: Decimal, result: Decimal) -> None:
        state.held += fill.side * qty
        trade = state.trade
        if trade is None:
            return
        state.close.book(fill.link_id, qty)
        trade.closed_qty += qty
        trade.closed_value += qty * fill.price
        trade.result += result
        trade.fees += fill.cost
        if fill.kind not in (ExecKind.TRADE, ""):
            trade.reason = _REASONS.get(fill.kind, fill.kind)
            self._state.counts["liquidations"] += fill.kind in _FORCED
        elif not self._state.ours(fill.link_id):  # whatever we had decided, this is what happened
            trade.reason = _BY_STOP_TYPE.get(fill.stop_type, ExitReason.OUTSIDE)
        elif fill.link_id.endswith("-guard"):
            trade.reason = ExitReason.GUARD
        if state.held:
            self._state.persist_position(state)
        else:
            self.end(state, fill.ts)

    def closed_outside(self, state: SymbolState) -> None:
        """The venue holds nothing any more, and no fill says why."""
        if state.trade is not None:
            state.trade.because(ExitReason.OUTSIDE)
        state.held = ZERO
        state.venue.resize(ZERO)
        self._state.note("closed-outside", "warning", symbol=state.instrument.symbol)
        self.end(state, self._state.now)

    def resume(self, state: SymbolState, trade: Trade, held: Decimal) -> None:
        """A trade from before a restart continues."""
        trade.opened_ts = min(trade.opened_ts, self._state.now)
        state.trade, state.held = trade, held

    def end(self, state: SymbolState, ts: int) -> None:
        """The trade is over: count it, report it, let its bracket go."""
        trade, d = state.trade, self._state
        state.trade = None
        self._covered(state, ts)
        self._monitor.flattened(state)
        if trade is None:
            return
        won = trade.net > 0
        d.counts["trades"] += 1
        d.counts["wins" if won else "losses"] += 1
        d.counts[SignalTier(trade.trade_tier).text] += 1
        d.session.on_trade(trade.net, crumb=trade.crumb)
        if trade.reason == ExitReason.STOP and not won:
            state.stop_out(trade.direction, ts)
            record = StoppedOutRecord(times=state.stopped_out)
            d.persist(Key.STOPPED_OUT.of(state.instrument.symbol), record)
        fraction = float(trade.net / trade.opened_value) if trade.opened_value else 0.0
        d.evidence.add(fraction)
        self._staging.on_closed(state, trade, ts, fraction)
        exit_price = trade.closed_value / trade.closed_qty if trade.closed_qty else ZERO
        d.note(
            "trade", symbol=state.instrument.symbol, id=trade.entry_id, tier=SignalTier(trade.trade_tier).text,
            direction=trade.direction, qty=trade.qty, entry=trade.entry, exit=exit_price, result=trade.result, fees=trade.fees,
            funding=trade.funding, net=trade.net, net_fraction=round(fraction, 8), ev=trade.ev, honest_ev=trade.honest_ev,
            reason=trade.reason, seconds=(ts - trade.opened_ts) // SECOND,
        )  # fmt: skip
        d.persist_counts()
        self._watch_edge()
        d.persist_session()

    def _watch_edge(self) -> None:
        """Halt where the trades so far leave too little hope of an edge."""
        d = self._state
        if not self._staging.active and tripped(d.policy, d.evidence):
            hope = f"less than {d.policy.watchdog_probability:.0%} hope of an edge"
            why = f"{HaltCause.WATCHDOG}: {d.evidence.trades} trades leave {hope}"
            d.session.halt(d.now, HaltCause.WATCHDOG, why, HaltCause.WATCHDOG)
            d.note("halt", "warning", what="watchdog", text=why)

    def on_wallet(self, report: WalletReport) -> None:
        """The venue's report on the wallet. Messages overtake each other: older reports are passed over."""
        known = self._state.wallet
        if known is None or report.ts >= known.ts:
            self._state.wallet = report

    def on_position(self, state: SymbolState, report: PositionReport) -> None:
        """The venue's report on the position: size, stop, leverage. Older reports are passed over."""
        if report.position_idx:
            self._hedged(state, report)
            return
        if report.seq < state.venue.seq and not state.venue.outlived(report):
            return
        state.venue.take(report)
        self._amending.on_report(state, report.ts)
        self._guarded(state, report)
        self._monitor.settled(state)
        if report.size and state.held == report.size:
            self._verify(state)
            self._amending.pump(state)

    def _hedged(self, state: SymbolState, report: PositionReport) -> None:
        """A row of hedge mode: positions of two sides are not guessed at; the symbol is left to its owner."""
        if not state.blocks.frozen:
            mode = f"hedge mode (position index {report.position_idx})"
            self._state.freeze(state, f"{mode}: switch the symbol to one-way mode")

    def _guarded(self, state: SymbolState, report: PositionReport) -> None:
        """Count the time in which the venue showed a position of ours without a stop: from its first report of that to the
        first of a stop, or the end of the position. A fill says nothing of the stop, which came with its entry.
        """
        if not report.size or report.stop_loss is not None or state.blocks.frozen:
            self._covered(state, report.ts)
        else:
            state.venue.unguarded(report.ts)

    def _covered(self, state: SymbolState, ts: int) -> None:
        self._state.unguarded_ns += state.venue.covered(ts)

    def _verify(self, state: SymbolState) -> None:
        """After a fill: stop there, and liquidation farther than the rules ask; what cannot be mended is closed."""
        bracket = state.bracket
        stop = state.venue.stop
        if stop is None or (bracket is not None and bracket.direction * (bracket.stop - stop) > 0):
            self._amending.require_stop(state)
            return
        self._amending.found_stop(state, stop)
        liquidation = state.venue.liq_price
        if not state.blocks.frozen and bracket is not None and liquidation is not None:
            distance = bracket.direction * (bracket.entry - liquidation)
            risk = bracket.direction * (bracket.entry - stop)
            if risk > 0 and distance < risk:
                self._state.note(
                    "liquidation-near", "error", symbol=state.instrument.symbol, liquidation=liquidation
                )
                self._closing.close(state, ExitReason.LIQUIDATION_NEAR)

"""Fills become positions and trades; a trade that ends is counted, told and kept."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.events import SECOND
from turbo_trader.rules.exits import Bracket, exit_rules
from turbo_trader.rules.scan import TIER_A
from turbo_trader.rules.session import WATCHDOG
from turbo_trader.rules.watchdog import tripped
from turbo_trader.trader.desk import ZERO, Desk, PendingEntry, SymbolDesk, Trade
from turbo_trader.trader.events import Fill, PositionReport, WalletReport
from turbo_trader.trader.guarding import Guarding, new_bracket
from turbo_trader.trader.staging import Staging

_FORCED = frozenset({"BustTrade", "AdlTrade"})
#: Executions that no order of a person made, by what they are; a kind that is not here goes by the venue's own name.
_REASONS = {
    "BustTrade": "liquidation",
    "AdlTrade": "adl",
    "Delivery": "delivery",
    "Settle": "settlement",
    "BlockTrade": "block trade",
    "MovePosition": "moved position",
    "FutureSpread": "spread trade",
    "CorporateAction": "corporate action",
}


class Booking:
    """Executions, each once, whichever channel brings them."""

    def __init__(self, desk: Desk, guarding: Guarding, staging: Staging) -> None:
        self._desk = desk
        self._staging = staging
        self._guarding = guarding

    def on_fill(self, desk: SymbolDesk, fill: Fill) -> bool:
        """Book one execution; False where it was booked before, or has to wait for the opening it closes."""
        if fill.kind != "Funding" and self._early(desk, fill):
            return False
        if not self._book(desk, fill):
            return False
        if desk.early and desk.held:
            waiting, desk.early = sorted(desk.early, key=lambda f: (f.ts, f.seq)), []
            for each in waiting:
                self.on_fill(desk, each)
        return True

    def settle_early(self, desk: SymbolDesk, before: int) -> None:
        """Closing fills older than `before` whose opening never came: the money is booked, the position is not ours."""
        stale = [fill for fill in desk.early if fill.ts < before]
        desk.early = [fill for fill in desk.early if fill.ts >= before]
        for fill in stale:
            self._book(desk, fill)

    def _early(self, desk: SymbolDesk, fill: Fill) -> bool:
        """A fill that closes more than we hold while an opening of ours may be on its way: keep it until then."""
        held = abs(desk.held) if desk.held * fill.side < 0 else ZERO
        if fill.closed_qty <= held or desk.frozen or fill.exec_id in self._desk.ledger.seen:
            return False
        if desk.entry is None and desk.trade is None and not desk.ended:
            return False
        if all(fill.exec_id != each.exec_id for each in desk.early):
            desk.early.append(fill)
        return True

    def _book(self, desk: SymbolDesk, fill: Fill) -> bool:
        closing = self._closing(desk, fill)
        result = self._result(desk, fill, closing)
        if not self._desk.ledger.add(fill, result):
            return False
        self._desk.persist("ledger", self._desk.ledger.to_dict())
        if fill.kind == "Funding":
            self._fund(desk, fill)
            return True
        self._desk.session.on_result(result - fill.cost)
        self._desk.persist("session", self._desk.session)
        self._desk.note(
            "fill", symbol=fill.symbol, id=fill.link_id, side=fill.side, qty=fill.qty, price=fill.price, fee=fill.fee,
            coin_fees=dict(fill.coin_fees),
            kind=fill.kind, stop_type=fill.stop_type,
        )  # fmt: skip
        held = desk.held
        opening = fill.qty - max(closing, min(fill.qty, fill.closed_qty))
        if closing:
            self._close(desk, fill, closing, result)
        if opening:
            self._open(desk, fill, opening)
        self._agree(desk, held)
        self._guarding.watch(desk)
        return True

    def _agree(self, desk: SymbolDesk, before: Decimal) -> None:
        """Bring the venue's word on the size up to this fill where it is older; verify the position where it came first."""
        if desk.held == before:
            return
        if desk.size == before:
            desk.size = desk.held
        elif desk.held and desk.size == desk.held:
            self._verify(desk)

    def _closing(self, desk: SymbolDesk, fill: Fill) -> Decimal:
        """How much of what we hold it closes: nothing where it is older than the trade, for it closed another."""
        if fill.kind == "Funding" or desk.held * fill.side >= 0:
            return ZERO
        if desk.trade is not None and fill.ts < desk.trade.opened_ts:
            return ZERO
        return min(fill.qty, abs(desk.held))

    def _result(self, desk: SymbolDesk, fill: Fill, closing: Decimal) -> Decimal:
        """Realised result of the closing part before fees: the venue's figure, or from our own average entry."""
        if fill.pnl is not None:
            return fill.pnl
        if not closing or desk.trade is None:
            return ZERO
        return desk.trade.direction * closing * (fill.price - desk.trade.entry)

    def _fund(self, desk: SymbolDesk, fill: Fill) -> None:
        self._desk.session.on_result(-fill.cost)
        if desk.trade is not None:
            desk.trade.funding -= fill.cost
        self._desk.persist("session", self._desk.session)
        self._desk.note("funding", symbol=fill.symbol, paid=fill.cost, rate_price=fill.price)

    def _open(self, desk: SymbolDesk, fill: Fill, qty: Decimal) -> None:
        entry = desk.entry
        if entry is None or entry.id != fill.link_id:
            entry = desk.ended.get(fill.link_id, entry)
        if (entry is None or entry.id != fill.link_id) and (
            desk.trade is None or not self._desk.ours(fill.link_id)
        ):
            desk.frozen = f"fill {fill.exec_id} is not ours"
            self._desk.note(
                "foreign-fill", "error", symbol=fill.symbol, id=fill.link_id, qty=fill.qty, side=fill.side
            )
            return
        if desk.trade is None and entry is not None:
            desk.trade = Trade(
                entry.id, entry.direction, entry.trade_tier, fill.ts, range_tail=entry.range_tail,
                ev=entry.figures.get("used_ev"), honest_ev=entry.figures.get("ev"), floor=entry.floor,
                stage=str(entry.figures.get("stage", "")),
            )  # fmt: skip
        trade = desk.trade
        if trade is None:
            return
        if entry is not None and entry.id == fill.link_id:
            entry.filled += qty
            if (
                entry is desk.entry
            ):  # on disk with the fill it counts: a restart must not wait for that one again
                self._desk.persist(f"entry:{fill.symbol}", entry)
        trade.opened_ts = min(trade.opened_ts, fill.ts)
        trade.qty += qty
        trade.opened_value += qty * fill.price
        trade.fees += fill.cost
        desk.held += fill.side * qty
        if entry is not None:
            self._bracket(desk, trade, entry)

    def _bracket(self, desk: SymbolDesk, trade: Trade, entry: PendingEntry) -> None:
        if desk.bracket is not None and desk.bracket.zone:  # its exits have moved on: they only tighten
            self._guarding.save(desk)
            return
        bracket = Bracket(
            entry.direction, trade.entry, desk.instrument.tick, entry.take_profit, entry.stop_loss, entry.cost,
            trade.opened_ts, entry.hold_ns, exit_rules(self._desk.policy),
        )  # fmt: skip
        new_bracket(desk, bracket, entry.stop, entry.backstop)
        self._guarding.save(desk)

    def _close(self, desk: SymbolDesk, fill: Fill, qty: Decimal, result: Decimal) -> None:
        desk.held += fill.side * qty
        trade = desk.trade
        if trade is None:
            return
        trade.closed_qty += qty
        trade.closed_value += qty * fill.price
        trade.result += result
        trade.fees += fill.cost
        if fill.kind not in ("Trade", ""):
            trade.reason = _REASONS.get(fill.kind, fill.kind)
            self._desk.counts["liquidations"] += fill.kind in _FORCED
        elif not self._desk.ours(fill.link_id):  # whatever we had decided, this is what happened
            trade.reason = {"StopLoss": "stop", "TakeProfit": "backstop"}.get(fill.stop_type, "outside")
        elif fill.link_id.endswith("-guard"):
            trade.reason = "guard"
        if desk.held:
            self._guarding.save(desk)
        else:
            self.end(desk, fill.ts)

    def end(self, desk: SymbolDesk, ts: int) -> None:
        """The trade is over: count it, tell it, let its bracket go."""
        trade, d = desk.trade, self._desk
        desk.trade = None
        self._covered(desk, ts)
        self._guarding.flattened(desk)
        if trade is None:
            return
        won = trade.net > 0
        d.counts["trades"] += 1
        d.counts["wins" if won else "losses"] += 1
        d.counts["A" if trade.trade_tier == TIER_A else "B"] += 1
        d.session.on_trade(trade.net, crumb=trade.crumb)
        if trade.reason == "stop" and not won:
            desk.stopped_out[trade.direction] = ts
            d.persist(
                f"stopped-out:{desk.instrument.symbol}", {str(k): v for k, v in desk.stopped_out.items()}
            )
        fraction = float(trade.net / trade.opened_value) if trade.opened_value else 0.0
        d.evidence.add(fraction)
        self._staging.on_closed(desk, trade, ts, fraction)
        exit_price = trade.closed_value / trade.closed_qty if trade.closed_qty else ZERO
        d.note(
            "trade", symbol=desk.instrument.symbol, id=trade.entry_id, tier="A" if trade.trade_tier == TIER_A else "B",
            direction=trade.direction, qty=trade.qty, entry=trade.entry, exit=exit_price, result=trade.result, fees=trade.fees,
            funding=trade.funding, net=trade.net, net_fraction=round(fraction, 8), ev=trade.ev, honest_ev=trade.honest_ev,
            reason=trade.reason, seconds=(ts - trade.opened_ts) // SECOND,
        )  # fmt: skip
        d.persist_counts()
        self._watch_edge()
        d.persist("session", d.session)

    def _watch_edge(self) -> None:
        """Halt where the trades so far leave too little hope of an edge."""
        d = self._desk
        if not self._staging.active and tripped(d.policy, d.evidence):
            hope = f"less than {d.policy.watchdog_probability:.0%} hope of an edge"
            why = f"{WATCHDOG}: {d.evidence.trades} trades leave {hope}"
            d.session.halt(d.now, WATCHDOG, why, WATCHDOG)
            d.note("halt", "warning", what="watchdog", text=why)

    def on_wallet(self, report: WalletReport) -> None:
        """The venue's word on the wallet. Messages overtake each other: older words are passed over."""
        known = self._desk.wallet
        if known is None or report.ts >= known.ts:
            self._desk.wallet = report

    def on_position(self, desk: SymbolDesk, report: PositionReport) -> None:
        """The venue's word on the position: size, stop, leverage. Older words are passed over."""
        if report.position_idx:
            self._hedged(desk, report)
            return
        if report.seq < desk.seq:
            return
        desk.seq = report.seq
        desk.size = report.size
        desk.leverage = report.leverage
        if report.ts >= desk.stop_since:
            desk.stop_on_venue = report.stop_loss
            desk.backstop_on_venue = report.take_profit
        desk.liq_price = report.liq_price
        desk.margin = report.margin or ZERO
        desk.entry_price = report.entry_price or ZERO
        self._guarded(desk, report)
        self._guarding.settled(desk)
        if report.size and desk.held == report.size:
            self._verify(desk)
            self._guarding.pump(desk)

    def _hedged(self, desk: SymbolDesk, report: PositionReport) -> None:
        """A row of hedge mode: positions of two sides are not guessed at; the symbol is left to its owner."""
        if not desk.frozen:
            desk.frozen = (
                f"hedge mode (position index {report.position_idx}): switch the symbol to one-way mode"
            )
            self._desk.note("frozen", "error", symbol=report.symbol, why=desk.frozen)

    def _guarded(self, desk: SymbolDesk, report: PositionReport) -> None:
        """Count the time in which the venue showed a position of ours without a stop: from its first report of that to the
        first of a stop, or the end of the position. A fill says nothing of the stop, which came with its entry.
        """
        if not report.size or report.stop_loss is not None or desk.frozen:
            self._covered(desk, report.ts)
        elif not desk.unguarded_since:
            desk.unguarded_since = report.ts

    def _covered(self, desk: SymbolDesk, ts: int) -> None:
        if desk.unguarded_since:
            self._desk.unguarded_ns += max(0, ts - desk.unguarded_since)
        desk.unguarded_since = 0

    def _verify(self, desk: SymbolDesk) -> None:
        """After a fill: stop there, and liquidation farther than the rules ask; what cannot be mended is closed."""
        bracket = desk.bracket
        stop = desk.stop_on_venue
        if stop is None or (bracket is not None and bracket.direction * (bracket.stop - stop) > 0):
            self._guarding.require_stop(desk)
            return
        self._guarding.found_stop(desk, stop)
        if desk.frozen == "" and bracket is not None and desk.liq_price is not None:
            distance = bracket.direction * (bracket.entry - desk.liq_price)
            risk = bracket.direction * (bracket.entry - stop)
            if risk > 0 and distance < risk:
                self._desk.note(
                    "liquidation-near", "error", symbol=desk.instrument.symbol, liquidation=desk.liq_price
                )
                self._guarding.close(desk, "liquidation-near")

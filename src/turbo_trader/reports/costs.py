"""What trades cost, split: fees, funding, spread, slippage. Together with the result at reference prices they make the net result.

Reference prices: the mid the decision was made at, for entries and for closes of ours; the trigger, for stops on the venue.
Spread is half of what was quoted then. Slippage is the rest of the way to the fill, latency included; below 0 the price came our
way. Where a quote was not kept, both are unknown and count as 0: the trade is in `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from turbo_trader.reports.run_data import ZERO, TradeRecord


@dataclass(slots=True)
class Costs:
    """USDT. `gross` - spread - slippage - fees + funding = net, to the last digit."""

    trades: int = 0
    unknown: int = 0  # trades of which a quote is missing
    gross: Decimal = ZERO  # the result had every fill been at its reference price
    spread: Decimal = ZERO
    slippage: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO  # > 0 received
    net: Decimal = ZERO


def split(trades: Iterable[TradeRecord]) -> Costs:
    """The costs of closed trades together."""
    total = Costs()
    for trade in trades:
        spread, slippage, known = _of(trade)
        total.trades += 1
        total.unknown += not known
        total.spread += spread
        total.slippage += slippage
        total.fees += trade.fees
        total.funding += trade.funding
        total.net += trade.net
        total.gross += trade.net - trade.funding + trade.fees + spread + slippage
    return total


def _of(trade: TradeRecord) -> tuple[Decimal, Decimal, bool]:
    """(spread, slippage, are both ends known?) of one trade."""
    spread = slippage = ZERO
    known = True
    for price, quote, leaving in (
        (trade.entry, trade.entry_quote, False),
        (trade.exit, trade.exit_quote, True),
    ):
        side = -trade.direction if leaving else trade.direction
        if leaving and trade.exit_trigger is not None:
            slippage += side * (price - trade.exit_trigger) * trade.qty
        elif quote is not None:
            bid, ask = quote
            spread += (ask - bid) / 2 * trade.qty
            slippage += side * (price - (ask if side > 0 else bid)) * trade.qty
        else:
            known = False
    return spread, slippage, known

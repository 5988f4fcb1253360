"""The wallet by our own books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.trader.events import Fill, Transfer, WalletReport
from turbo_trader.trader.ledger import Ledger

D = Decimal
CENTS = st.integers(-10_000, 10_000).map(lambda n: D(n) / 10_000)
EMPTY: dict[str, Any] = {
    "link_id": "",
    "order_id": "",
    "side": 1,
    "qty": D(1),
    "price": D(100),
    "closed_qty": D(0),
}


def fill(number: int, fee: Decimal, kind: str) -> Fill:
    return Fill(
        ts=number, symbol="A", exec_id=str(number), fee=fee, kind=kind, is_maker=False, seq=number, **EMPTY
    )


@given(st.lists(st.tuples(CENTS, CENTS, st.sampled_from(["Trade", "Funding"]))), CENTS)
def test_the_wallet_is_start_plus_every_change(
    changes: list[tuple[Decimal, Decimal, str]], deposit: Decimal
) -> None:
    ledger, wallet = Ledger(D(1000)), D(1000)
    for number, (result, fee, kind) in enumerate(changes):
        assert ledger.add(fill(number, fee, kind), result)
        assert not ledger.add(fill(number, fee, kind), result)
        wallet += (result if kind == "Trade" else 0) - fee
    moved = [Transfer(9_000, "t", "USDT", deposit, "TRANSFER_IN")] if deposit else []
    assert ledger.explain("USDT", deposit, moved) == (deposit, D(0))
    assert ledger.balance == wallet + deposit
    assert ledger.difference(WalletReport(0, wallet, wallet, D(0), D(0), D(0))) == -deposit
    again = Ledger.from_ledger_record(ledger.ledger_record(), 10**18)
    assert again.balance == ledger.balance
    assert again.ledger_record() == ledger.ledger_record()


def test_ids_are_remembered_across_a_restart() -> None:
    ledger = Ledger(D(0))
    ledger.add(fill(1, D(1), "Trade"), D(0))
    assert not Ledger.from_ledger_record(ledger.ledger_record(), 0).add(replace(fill(1, D(1), "Trade")), D(0))

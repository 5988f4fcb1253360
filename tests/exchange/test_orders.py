"""The table of order states: what the docs print is what the code enforces."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.exchange.messages import OPEN
from turbo_trader.exchange.orders import FINAL, TRANSITIONS, ImpossibleTransition, Order
from turbo_trader.market.order_terms import OrderStatus, Side

DOCS = Path(__file__).resolve().parents[2] / "docs" / "simulated-exchange.md"


def printed() -> dict[str, frozenset[str]]:
    """The table of the docs: state to the states it may become."""
    section = DOCS.read_text().partition("## Order states\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): frozenset(re.findall(r"`(\w+)`", row[2])) for row in rows}


def test_the_docs_print_the_table_that_is_enforced() -> None:
    assert printed() == TRANSITIONS
    assert list(printed()) == list(TRANSITIONS)


@pytest.mark.parametrize("state", TRANSITIONS)
def test_an_order_moves_only_where_the_table_lets_it(state: OrderStatus) -> None:
    for target in TRANSITIONS:
        order = Order(
            order_id="1",
            link_id="",
            symbol="BTCUSDT",
            side=Side.BUY,
            order_type="Limit",
            time_in_force="GTC",
            qty=Decimal(1),
            price=Decimal(1),
            reduce_only=False,
            created_ts=0,
            status=state,
        )
        if target in TRANSITIONS[state]:
            order.move(target)
            assert order.status == target
        else:
            with pytest.raises(ImpossibleTransition):
                order.move(target)
            assert order.status == state


def test_every_state_is_open_final_or_passed_through() -> None:
    assert TRANSITIONS.keys() - OPEN - FINAL == {"Created", "Triggered"}
    reached = frozenset().union(*TRANSITIONS.values())
    assert reached | {"Created"} == TRANSITIONS.keys()

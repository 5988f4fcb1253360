"""What the exchange holds beside what a client believes at its end: are the books equal?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

CENT: Final = Decimal("0.000001")  # USDT that balances may differ by: clients keep floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """Signed size of each position that is not flat, wallet balance in USDT, ids of open orders; and what was done."""

    positions: Mapping[str, Decimal]
    balance: Decimal
    orders: frozenset[str]
    created: int = 0
    trades: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How a play ended. `differences`: what is not equal in the books, "" in none."""

    version: str
    trades: int = 0
    orders: int = 0
    errors: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    seconds: float = 0.0
    played: bool = True

    @property
    def books_equal(self) -> bool:
        """Was it played, and is nothing different?"""
        return self.played and not self.differences

    @property
    def passed(self) -> bool:
        """Books equal, something traded, and no error that was not part of the play."""
        return self.books_equal and not self.errors and self.trades > 0

    def as_json(self) -> dict[str, Any]:
        """As `scripts/clients --json` prints it."""
        return {
            "version": self.version, "passed": self.passed, "trades": self.trades, "orders": self.orders,
            "errors": [*self.errors, *self.differences], "books_equal": self.books_equal, "seconds": round(self.seconds, 1),
        }  # fmt: skip


def of_exchange(account: Mapping[str, Any]) -> Books:
    """The books of an account as the exchange's control route shows them."""
    positions: dict[str, Decimal] = {}
    for row in account["positions"]:
        positions[row["symbol"]] = positions.get(row["symbol"], Decimal(0)) + Decimal(row["size"])
    return Books(
        positions={symbol: size for symbol, size in positions.items() if size},
        balance=Decimal(account["balance"]),
        orders=frozenset(row["orderId"] for row in account["orders"]),
        created=int(account["created"]),
        trades=int(account["trades"]),
    )


def of_client(belief: Mapping[str, Any]) -> Books:
    """The books as a driver prints them: positions by symbol, balance, ids of open orders. ValueError where it printed others."""
    try:
        sizes = {str(symbol): Decimal(str(size)) for symbol, size in belief["positions"].items()}
        return Books(
            positions={symbol: size for symbol, size in sizes.items() if size},
            balance=Decimal(str(belief["balance"])),
            orders=frozenset(map(str, belief["orders"])),
        )
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"the driver printed no books: {error!r}") from None


def differences(exchange: Books, client: Books) -> tuple[str, ...]:
    """What the client believes that is not so, a line each."""
    found = [
        f"position of {symbol}: exchange {exchange.positions.get(symbol, 0)}, client {client.positions.get(symbol, 0)}"
        for symbol in sorted({*exchange.positions, *client.positions})
        if exchange.positions.get(symbol) != client.positions.get(symbol)
    ]
    if abs(exchange.balance - client.balance) > CENT:
        found.append(f"balance: exchange {exchange.balance}, client {client.balance}")
    found += [
        f"order {each}: open at the exchange, unknown to the client"
        for each in sorted(exchange.orders - client.orders)
    ]
    found += [
        f"order {each}: open for the client, not at the exchange"
        for each in sorted(client.orders - exchange.orders)
    ]
    return tuple(found)


def refusals(record: Iterable[Mapping[str, Any]], expected: frozenset[int]) -> tuple[str, ...]:
    """The exchange's refusals and failed operations in its record, but for the expected codes; each kind once, with how often."""
    counts: dict[str, int] = {}
    for line in record:
        for said, asked in _answered(line):
            code = said.get("retCode", 0 if said.get("success", True) else -1)
            if code and code not in expected:
                text = f"{asked}: {code} {said.get('retMsg') or said.get('ret_msg') or ''}".strip()
                counts[text] = counts.get(text, 0) + 1
    return tuple(f"{text} ({times}x)" for text, times in counts.items())


def _answered(line: Mapping[str, Any]) -> Iterable[tuple[Mapping[str, Any], str]]:
    """Each answer of a line of the record, and what was asked."""
    if line["kind"] == "request":
        answer = line["answer"]
        asked = f"{line['asked']['method']} {line['asked']['path']}"
        if isinstance(answer, dict):
            yield answer, asked
            items = answer.get("retExtInfo")
            for item in items.get("list", ()) if isinstance(items, dict) else ():
                yield {"retCode": item.get("code", 0), "retMsg": item.get("msg", "")}, asked
        else:
            yield {"retCode": line["status"], "retMsg": str(answer)}, asked
    elif line["kind"] == "operation":
        asked = line["asked"].get("op", "") if isinstance(line["asked"], dict) else "what is no operation"
        for answer in line["answers"]:
            if isinstance(answer, dict):
                yield answer, f"stream {asked}"

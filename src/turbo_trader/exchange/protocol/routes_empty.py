"""Reads that bots commonly ask at their start and of which there is nothing here: lists of the right name, without a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import params as read

Params = Mapping[str, Any]

#: The name of the list by the path after /v5/, and whether further pages could follow.
LISTS: Final = {
    "account/instruments-info": ("list", True),
    "account/collateral-info": ("list", False),
    "account/borrow-history": ("list", True),
    "asset/coin/query-info": ("rows", False),
    "asset/transfer/query-inter-transfer-list": ("list", True),
    "asset/transfer/query-universal-transfer-list": ("list", True),
    "asset/deposit/query-record": ("rows", True),
    "asset/deposit/query-sub-member-record": ("rows", True),
    "asset/deposit/query-internal-record": ("rows", True),
    "asset/withdraw/query-record": ("rows", True),
}
BALANCES: Final = "asset/transfer/query-account-coins-balance"
BALANCE: Final = "asset/transfer/query-account-coin-balance"


def routes() -> dict[str, Any]:
    """All of them, by the path after /v5/: each takes (account id, parameters, now ns)."""
    return {**{route: _listing(route) for route in LISTS}, BALANCES: balances, BALANCE: balance}


def _listing(route: str) -> Any:
    name, pages = LISTS[route]

    def answer(uid: str, params: Params, now: int) -> Reply:
        del uid, now
        categories = (
            {"category": read.string(params, "category")} if route.endswith("instruments-info") else {}
        )
        return Reply(result={**categories, name: [], **({"nextPageCursor": ""} if pages else {})})

    return answer


def balances(uid: str, params: Params, now: int) -> Reply:
    """GET /v5/asset/transfer/query-account-coins-balance: nothing can be moved here."""
    del now
    kind = read.string(params, "accountType")
    return Reply(message="success", result={"memberId": uid, "accountType": kind, "balance": []})


def balance(uid: str, params: Params, now: int) -> Reply:
    """GET /v5/asset/transfer/query-account-coin-balance: the same of one coin."""
    del now
    kind, coin = read.string(params, "accountType"), read.string(params, "coin")
    none = {"coin": coin, "walletBalance": "0", "transferBalance": "0", "bonus": ""}
    return Reply(
        message="success",
        result={"accountType": kind, "bizType": 1, "accountId": uid, "memberId": uid, "balance": none},
    )

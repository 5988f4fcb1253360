"""Reads that bots commonly make at start and that have no data here: lists of the right name, without a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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
    "asset/deposit/query-allowed-list": ("configList", True),
    "asset/transfer/query-transfer-coin-list": ("list", False),
    "asset/exchange/order-record": ("orderBody", True),
    "asset/delivery-record": ("list", True),
    "asset/settlement-record": ("list", True),
    "position/move-history": ("list", True),
    "pre-upgrade/order/history": ("list", True),
    "pre-upgrade/execution/list": ("list", True),
    "pre-upgrade/position/closed-pnl": ("list", True),
    "pre-upgrade/account/transaction-log": ("list", True),
    "pre-upgrade/asset/delivery-record": ("list", True),
    "pre-upgrade/asset/settlement-record": ("list", True),
    "user/query-sub-members": ("subMembers", False),
    "user/sub-apikeys": ("result", True),
}
#: The same of reads that need no key; what else their result says is empty as well.
PUBLIC: Final[Mapping[str, Mapping[str, Any]]] = {
    "market/delivery-price": {"category": "linear", "list": [], "nextPageCursor": ""},
    "market/insurance": {"updatedTime": "0", "list": []},
    "market/new-delivery-price": {"category": "linear", "list": []},
    "announcements/index": {"total": 0, "list": []},
}
BALANCES: Final = "asset/transfer/query-account-coins-balance"
BALANCE: Final = "asset/transfer/query-account-coin-balance"


def routes() -> dict[str, Any]:
    """All of them, by the path after /v5/: each takes (account id, parameters, now ns)."""
    return {**{route: _listing(route) for route in LISTS}, BALANCES: balances, BALANCE: balance}


def public() -> dict[str, Callable[[Params, int], dict[str, Any]]]:
    """All that need no key, by the path after /v5/: each takes (parameters, now ns)."""
    return {route: partial(_same, result) for route, result in PUBLIC.items()}


def _same(result: Mapping[str, Any], params: Params, now: int) -> dict[str, Any]:
    del params, now
    return dict(result)


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

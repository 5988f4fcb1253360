"""Signed routes of the account and of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.market.rows import MINUTE

Params = Mapping[str, Any]
_DAY_MS = 86_400_000
_MOST_MONEY = 100_000  # a request


class AccountRoutes:
    """Each takes (account id, parameters, now ns) and returns a Reply whose result is the envelope's."""

    def __init__(self, exchange: Exchange, *, demo: bool = False) -> None:
        self._x = exchange
        self._demo = demo
        self._applied: dict[str, int] = {}  # when an account last asked for money

    def wallet(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/wallet-balance."""
        if read.string(params, "accountType") != "UNIFIED":
            raise read.Refused("accountType only support UNIFIED.")
        shown = render.wallet(self._x.wallet_message(uid, now))
        if coins := params.get("coin"):
            shown["coin"] = [each for each in shown["coin"] if each["coin"] in str(coins).split(",")]
        return Reply(result={"list": [shown]})

    def info(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/info."""
        del params
        return Reply(
            result={
                "marginMode": "REGULAR_MARGIN" if self._x.accounts[uid].cross else "ISOLATED_MARGIN",
                "updatedTime": str(now // 1_000_000),
                "unifiedMarginStatus": 5,
                "dcpStatus": "OFF",
                "timeWindow": 0,
                "smpGroup": 0,
                "isMasterTrader": False,
                "spotHedgingStatus": "OFF",
            }
        )

    def set_margin_mode(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/account/set-margin-mode: isolated or cross ("regular")."""
        mode = read.string(params, "setMarginMode")
        if mode == "PORTFOLIO_MARGIN":
            reasons = [{"reasonCode": "3400000", "reasonMsg": "portfolio margin is not simulated"}]
            return Reply(3400045, "Set margin mode failed", {"reasons": reasons})
        if mode not in ("ISOLATED_MARGIN", "REGULAR_MARGIN"):
            raise read.Refused("params error: setMarginMode invalid")
        return self._x.handle(now, uid, ask.SetMarginMode(mode == "REGULAR_MARGIN"))

    def fee_rate(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/fee-rate; refused to demo accounts."""
        del now
        if self._demo:
            return Reply(10001, "Demo trading are not supported.")
        read.linear(params, optional=True)  # ccxt leaves it out
        account = self._x.accounts[uid]
        symbol = read.known(params, self._x.index)
        rates = {"takerFeeRate": render.text(account.taker), "makerFeeRate": render.text(account.maker)}
        names = [i.symbol for i in self._x.instruments if symbol in ("", i.symbol)]
        return Reply(result={"category": "linear", "list": [{"symbol": name, **rates} for name in names]})

    def transaction_log(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/transaction-log, newest first; the last 24 hours unless asked otherwise."""
        read.linear(params, optional=True)
        account = self._x.accounts[uid]
        if read.string(params, "accountType", "UNIFIED") != "UNIFIED":
            raise read.Refused("accountType only support UNIFIED.")
        kind, coin, base = params.get("type"), params.get("currency"), params.get("baseCoin")
        start, end = read.period(params, now, default_days=1)
        rows = []
        for entry in account.log:
            wanted = kind in (None, "", entry.kind) and coin in (None, "", entry.coin)
            wanted = wanted and base in (None, "", entry.symbol.removesuffix("USDT"))
            if wanted and (start <= entry.ts <= end or not entry.ts):
                rows.append(render.log_entry(entry))
        rows.reverse()
        shown, cursor = read.page(rows, params, 50, 20, "id")
        return Reply(result={"list": shown, "nextPageCursor": cursor})

    def settings(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/user-setting-config: whether limit prices out of the band are refused (lpaPerp) or moved."""
        del params, now
        no = dict.fromkeys(("deltaEnable", "smsef", "fmsef"), False)
        return Reply(result={"lpaSpot": False, "lpaPerp": not self._x.accounts[uid].moves_prices, **no})

    def set_price_action(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/account/set-limit-px-action: move limit prices out of the band to its edge, or refuse the orders."""
        del now
        if (
            read.string(params, "category") not in ("linear", "inverse", "spot")
            or "modifyEnable" not in params
        ):
            raise read.Refused("params error: category or modifyEnable invalid")
        moves = read.flag(params, "modifyEnable")
        if params["category"] != "spot":
            self._x.accounts[uid].moves_prices = moves
        return Reply(message="success")

    def apply_money(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/account/demo-apply-money: USDT for a demo account (adjustType 0), or back (1); once a minute."""
        sign = {0: 1, 1: -1}.get(read.whole(params, "adjustType", 0, -1, 9))
        wanted = params.get("utaDemoApplyMoney", [])
        if sign is None or not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
            raise read.Refused("params error: adjustType or utaDemoApplyMoney invalid")
        amount = Decimal(0)
        for each in wanted:
            part = read.number(each, "amountStr")
            if read.string(each, "coin") != "USDT" or part is None or part <= 0:
                raise read.Refused("params error: coin or amountStr invalid: only USDT is simulated")
            amount += part
        if amount > _MOST_MONEY:
            raise read.Refused(f"params error: amountStr invalid: at most {_MOST_MONEY} USDT")
        if now < self._applied.get(uid, now - MINUTE) + MINUTE:
            raise read.Refused("Too many visits. Exceeded the API Rate Limit.", 10006)
        self._applied[uid] = now
        return self._x.transfer(uid, sign * amount, now) if amount else Reply()


def key_info(key: Key, now_ms: int) -> Reply:
    """GET /v5/user/query-api: what the asking key may do, and until when."""
    left = 365 if key.expires_ms is None else max(0, (key.expires_ms - now_ms) // _DAY_MS)
    expires = "2099-01-01T00:00:00Z" if key.expires_ms is None else _day(key.expires_ms)
    names = ("ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "CopyTrading", "BlockTrade",
             "Exchange", "NFT", "Affiliate", "Earn", "FiatP2P", "FiatConvertBroker",
             "FiatGlobalPay", "FiatBitPay", "BitCard", "ByXPost")  # fmt: skip
    return Reply(
        message="",
        result={
            "id": key.uid,
            "note": "simulated",
            "apiKey": key.key,
            "readOnly": int(key.read_only),
            "secret": "",
            "permissions": {name: list(key.permissions.get(name, ())) for name in names},
            "ips": list(key.addresses) or ["*"],
            "type": 1,
            "deadlineDay": left,
            "expiredAt": expires,
            "createdAt": "2026-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": int(key.uid) if key.uid.isdigit() else 0,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": False,
            "parentUid": "1",
            "kycLevel": "LEVEL_DEFAULT",
            "kycRegion": "",
            "userIDInt64": key.uid if key.uid.isdigit() else "0",
            "inviterIDInt64": "0",
            "affiliateIDInt64": "0",
        },
    )


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

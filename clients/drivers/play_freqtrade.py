"""freqtrade, live: futures, isolated, stops on the exchange, websockets, a restart with open trades."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import given

PAIRS = [f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "AVAX")]
ENOUGH = 10  # closed trades of a short play; more are open then
_STREAMS = {
    "public": dict.fromkeys(("spot", "inverse", "option", "linear"), "/v5/public/linear"),
    "private": {"spot": {"unified": "/v5/private", "nonUnified": "/v5/private"}, "contract": "/v5/private",
                "usdc": "/v5/private", "trade": "/v5/trade"},
}  # fmt: skip


def at(paths: Any, stream: str) -> Any:
    """The paths with the stream's host before them."""
    return (
        {name: at(path, stream) for name, path in paths.items()}
        if isinstance(paths, dict)
        else stream + paths
    )


class Bot:
    """A freqtrade process and its REST server."""

    def __init__(self, where: dict[str, Any], folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.log = folder / "freqtrade.log"
        self.log.unlink(missing_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config(where), indent=1))
        self.process: subprocess.Popen[bytes] | None = None

    def config(self, where: dict[str, Any]) -> dict[str, Any]:
        api = dict.fromkeys(("spot", "futures", "v2", "public", "private"), where["url"])
        urls = {"urls": {"api": {**api, "ws": at(_STREAMS, where["stream"])}}}
        return {
            "bot_name": "play", "max_open_trades": len(PAIRS), "stake_currency": "USDT", "stake_amount": 300,
            "tradable_balance_ratio": 0.9, "dry_run": False, "trading_mode": "futures", "margin_mode": "isolated",
            "cancel_open_orders_on_exit": False, "strategy": "InAndOut", "strategy_path": str(Path(__file__).parent),
            "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
            "unfilledtimeout": {"entry": 2, "exit": 2, "unit": "minutes"}, "db_url": "sqlite:///trades.sqlite",
            "exchange": {"name": "bybit", "key": where["key"], "secret": where["secret"], "ccxt_config": urls,
                         "pair_whitelist": PAIRS, "enable_ws": True},
            "pairlists": [{"method": "StaticPairList"}], "initial_state": "running",
            "internals": {"process_throttle_secs": 3},
            "api_server": {"enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": self.port, "username": "play",
                           "password": "play", "jwt_secret_key": "0123456789abcdef0123456789abcdef", "verbosity": "error"},
        }  # fmt: skip

    def start(self) -> None:
        command = [sys.executable, "-m", "freqtrade", "trade", "--config", "config.json", "--userdir", str(self.folder / "user"),
                   "--logfile", str(self.log)]  # fmt: skip
        (self.folder / "user").mkdir(exist_ok=True)
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=sys.stderr, stderr=sys.stderr)
        given.until(self._running, "freqtrade answers", 240, 1.0)

    def stop(self) -> None:
        """It stops trading first: ended in the middle of a transaction, its database refuses its cleanup."""
        assert self.process is not None
        if self._running():
            self.ask("stop", "POST")
            time.sleep(10)
        self.process.terminate()
        self.process.wait(60)

    def ask(self, path: str, method: str = "GET") -> Any:
        token = base64.b64encode(b"play:play").decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method,
            data=b"{}" if method == "POST" else None,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(request, timeout=20))

    def _running(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise SystemExit(f"freqtrade ended with {self.process.returncode}")
        try:
            return bool(self.ask("show_config")["state"] == "running")
        except (OSError, ValueError):
            return False

    def closed(self) -> int:
        return int(self.ask("trades")["total_trades"])

    def open(self) -> list[dict[str, Any]]:
        return list(self.ask("status"))


def play(where: dict[str, Any]) -> None:
    """Trade, hold, restart, compare what was open, say what it believes."""
    folder = Path(where["folder"])
    hold = folder / "hold"
    hold.unlink(missing_ok=True)
    (folder / "trades.sqlite").unlink(missing_ok=True)
    bot, ends = Bot(where, folder), time.monotonic() + where["seconds"] - (0 if where["long"] else 220)
    errors: list[str] = []
    bot.start()
    try:
        enough = 10**9 if where["long"] else ENOUGH
        while time.monotonic() < ends and bot.closed() < enough:
            time.sleep(5)
        if bot.closed() < ENOUGH:
            errors.append(f"{bot.closed()} trades were closed, not {ENOUGH}")
        hold.touch()
        given.until(lambda: len(bot.open()) >= 2, "open trades to restart with", 90, 2.0)
        time.sleep(15)  # stops are placed, what is under way is done
        before = {trade["trade_id"]: (trade["pair"], trade["amount"]) for trade in bot.open()}
        bot.stop()
        bot.start()
        bot.ask("stopentry", "POST")
        time.sleep(15)
        after = {trade["trade_id"]: (trade["pair"], trade["amount"]) for trade in bot.open()}
        if not before.items() <= after.items():
            errors.append(f"open before the restart {before}, after it {after}")
        believe(bot, [*errors, *given.logged(bot.log, ())])
    finally:
        bot.stop()


def believe(bot: Bot, errors: list[str]) -> None:
    """Its trades, its balance, its open orders (stops among them)."""
    trades = bot.open()
    positions = {
        trade["pair"].replace("/", "").partition(":")[0]: trade["amount"] * (-1 if trade["is_short"] else 1)
        for trade in trades
    }
    orders = [order["order_id"] for trade in trades for order in trade["orders"] if order["is_open"]]
    if len(orders) < len(trades):
        errors.append(f"{len(trades)} trades have {len(orders)} stops on the exchange")
    balance = next(row["balance"] for row in bot.ask("balance")["currencies"] if row["currency"] == "USDT")
    given.say(positions=positions, balance=balance, orders=orders, errors=errors)


if __name__ == "__main__":
    play(given.read())

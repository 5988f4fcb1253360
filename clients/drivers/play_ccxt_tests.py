"""ccxt's own tests, which its Python package brings along: `sync`, `async` (REST both) and `pro` (streams).

They refuse to run in site-packages and read their settings above the package, so they find it under another path. An account that
has traded is theirs to test; what they leave is read by REST.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import ccxt
import given
import play_ccxt

FLAGS = {"sync": ["--sync"], "async": [], "pro": ["--ws"]}
LEAST = {"sync": 20, "async": 20, "pro": 12}  # methods that have to be tested
#: Its own main file would run the tests of its base too, which need packages that it does not name.
RUN = """
import asyncio, inspect
from tests_helpers import IS_SYNCHRONOUS, argvExchange, argvSymbol, argvMethod
from tests_sync import testMainClass as Sync
from tests_async import testMainClass as Async
done = (Sync if IS_SYNCHRONOUS else Async)().init(argvExchange, argvSymbol, argvMethod)
if inspect.isawaitable(done):
    asyncio.run(done)
"""
#: The exchange lists USDT perpetuals alone.
LISTED = {
    "has": dict.fromkeys(("spot", "future", "option", "margin"), False),
    "options": {"fetchMarkets": {"types": ["linear"]}},
}
#: What is skipped, as ccxt skips methods of an exchange in the skip-tests.json of its repository.
NEVER = dict.fromkeys(
    ("marginMode", "percentage", "marginRatio", "collateral"), "ccxt itself has none for Bybit's positions"
)
SKIPPED = {
    "fetchPositions": NEVER,
    "watchPositions": NEVER,
    "fetchBorrowInterest": "there is no spot margin",
    "fetchOpenInterestHistory": "open interest is not modelled",
    "fetchLeverageTiers": "the test asks with a list in a list",
    "createOrder": "the test wants BTC in the wallet; orders are played before",
}


def play(where: dict[str, Any]) -> None:
    """Trade, let ccxt test, say what the client believes."""
    client = play_ccxt.made({**where, "mode": "sync"})
    client.rateLimit = 150  # ms: it knows no limit of orders
    client.load_markets()
    one = play_ccxt.Play(client, pro=False)
    for pair, qty in play_ccxt.PAIRS.items():
        asyncio.run(one.rounds(pair, qty))
    if (
        where["mode"] == "pro"
    ):  # without stops: their orders change later than they were made, and it wants them in order
        client.create_order(next(iter(play_ccxt.PAIRS)), "market", "buy", 0.02)
        one.errors += tested(where, client)
        asyncio.run(one.leave_something())
    else:
        asyncio.run(one.leave_something())
        one.errors += tested(where, client)
    asyncio.run(one.believe())


def tested(where: dict[str, Any], client: Any) -> list[str]:
    """What ccxt's tests of this exchange complain of. While they watch streams the account goes on trading: they wait for news."""
    root = Path(where["folder"]) / "ccxt"
    package = root / "python" / "ccxt"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(Path(ccxt.__file__).parent, package, copy_function=os.link)
    urls = play_ccxt.made({**where, "mode": "pro"}).urls["api"]
    account = {"apiKey": where["key"], "secret": where["secret"], "urls": {"api": urls}, **LISTED}
    (root / "keys.json").write_text(json.dumps({"bybit": account}))
    (root / "skip-tests.json").write_text(json.dumps({"bybit": {"skipMethods": SKIPPED}}))
    flags = ["--private", "--fundedTests", "--info", *FLAGS[where["mode"]]]
    pair = next(iter(play_ccxt.PAIRS))
    command = [sys.executable, "-c", RUN, "bybit", pair, *flags]
    log = root / "tests.log"
    with log.open("w") as lines:
        process = subprocess.Popen(
            command, cwd=root, stdout=lines, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": f"{package.parent}:{package / 'test'}"},
        )  # fmt: skip
        while process.poll() is None:
            for side in ("buy", "sell") if where["mode"] == "pro" else ():
                client.create_order(pair, "market", side, 0.01)
            time.sleep(1)
    said = log.read_text(errors="replace").splitlines()
    errors = [line[:300] for line in said if line.startswith(("[TEST_FAILURE]", "[TEST_WARNING]"))]
    methods = sum(line.startswith("[INFO] TESTING DONE") for line in said)
    if process.returncode or methods < LEAST[where["mode"]]:
        errors.append(f"ccxt's tests ended with {process.returncode} after {methods} methods")
    return errors


if __name__ == "__main__":
    play(given.read())

"""Section 1: which symbols are traded."""

import pytest

from turbo_trader.rules.policy import Policy


def test_fifteen_symbols_under_the_names_they_have_today() -> None:
    coins = "BTC ETH SOL XRP BNB AVAX ADA LINK DOGE LTC POL ARB OP RENDER INJ"
    assert Policy().symbols == tuple(f"{coin}USDT" for coin in coins.split())


@pytest.mark.parametrize(
    ("given", "symbols"),
    [("matic, BTCUSDT,RNDR", ("POLUSDT", "BTCUSDT", "RENDERUSDT")), ("MATIC,POL", ("POLUSDT",))],
)
def test_old_names_resolve_and_each_symbol_counts_once(given: str, symbols: tuple[str, ...]) -> None:
    assert Policy.from_env({"TARGET_ASSETS": given}).symbols == symbols

"""Evidence belongs to the rules it was gathered under."""

import pytest

from turbo_trader.rules.fingerprint import NOT_OF_TRADES, fingerprint
from turbo_trader.rules.policy import Policy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TP_MIN", "0.7%"),
        ("TARGET_ASSETS", "ETH"),
        ("MAX_LEVERAGE", "20"),
        ("TURBO_MIN_SNR", "1.1"),
        ("ENTRY_STYLE", "maker"),
    ],
)
def test_a_number_that_changes_trades_changes_the_fingerprint(name: str, value: str) -> None:
    assert fingerprint(Policy.from_env({name: value})) != fingerprint(Policy())


@pytest.mark.parametrize(
    ("name", "value"),
    [("SIZE", "earned"), ("SCOUT_BUDGET", "5%"), ("EARNED_FILLS", "40"), ("WARN_SHARE", "70%")],
)
def test_how_much_and_what_is_only_said_do_not(name: str, value: str) -> None:
    assert fingerprint(Policy.from_env({name: value})) == fingerprint(Policy())


def test_every_exception_is_a_number() -> None:
    assert {row.name for row in Policy().table()} >= NOT_OF_TRADES

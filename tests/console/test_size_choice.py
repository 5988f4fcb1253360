"""Live has no default of SIZE: the first start without it says what each costs."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.size_choice import choice, require_size, size_line
from turbo_trader.market.errors import Refused
from turbo_trader.rules.policy import Policy

KEYS = {"BYBIT_API_KEY": "k" * 18, "BYBIT_API_SECRET": "s" * 36, "I_ACCEPT_THE_RISK": "true"}


def test_a_live_start_without_size_is_refused_in_one_line_with_both_costs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**KEYS, "MODE": "live"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SIZE", raising=False)
    monkeypatch.setattr("sys.argv", ["turbo-trader", "run", "--no-ui"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    assert ended.value.code == exit_codes.REFUSED == 3
    assert len(said.err.strip().splitlines()) == 1
    for part in (
        "SIZE=earned or SIZE=full",
        "trades a day",
        "USDT a day in fees",
        "2% of your equity a day and 10% in all",
    ):
        assert part in said.err


@pytest.mark.parametrize("size", ["full", "earned"])
def test_a_size_that_is_given_is_taken(size: str) -> None:
    require_size({"SIZE": size}, Policy(), Decimal(18))


def test_blank_is_not_given() -> None:
    with pytest.raises(Refused):
        require_size({"SIZE": "  "}, Policy(), Decimal(18))


def test_the_cost_grows_with_the_balance_and_shrinks_with_the_symbols() -> None:
    def cost(policy: Policy, balance: int) -> float:
        found = re.search(r"cost ([\d.]+) USDT a day", choice(policy, Decimal(balance)))
        assert found is not None
        return float(found[1])

    assert cost(Policy(), 90) > 2 * cost(Policy(), 18) > 0
    few = Policy.from_env({"TARGET_ASSETS": "XRP,DOGE"})
    assert cost(few, 18) < cost(Policy(), 18)


def test_symbols_beyond_the_smallest_orders_are_named() -> None:
    earned = Policy.from_env({"SIZE": "earned"})
    assert size_line(earned, Decimal(18)).endswith("only watched at first: BTCUSDT, ETHUSDT, SOLUSDT")
    assert size_line(earned, Decimal(1000)).endswith("until trades show that more is earned")
    assert "full" in size_line(Policy(), Decimal(18))

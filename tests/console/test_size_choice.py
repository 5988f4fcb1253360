"""Live has no default of SIZE: the first start without it says what each costs."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.size_choice import choice, require_size, size_line, stage_facts
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import Refused
from turbo_trader.rules.fingerprint import fingerprint
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import Stage, Stages, stage_rules, to_dict
from turbo_trader.trader.commands import Persist
from turbo_trader.trader.state_keys import Key

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


def left_by(policy: Policy, folder: Path) -> None:
    """A journal of testnet account 7 in which 47 trades of tier A have cost 0.31 USDT."""
    stages = Stages(stage_rules(policy))
    for _ in range(47):
        stages.on_real("A", Stage.SCOUT, 10**18, 10**18 + 1, -0.0013, Decimal("-0.31") / 47)
    journal = Journal(folder, ("BTCUSDT",), "testnet")
    key = Key.STAGES.of(f"testnet:7:{fingerprint(policy)}")
    journal.persist(Persist(10**18, key, to_dict(stages)))
    journal.commit()
    journal.close(10**18, "test")


def test_the_banner_says_what_earlier_trades_have_earned(tmp_path: Path) -> None:
    policy = Policy.from_env({"SIZE": "earned"})
    left_by(policy, tmp_path)
    ((name, text),) = stage_facts(policy, "testnet", tmp_path, 10**18)
    assert name == "stage"
    assert text.startswith("47 trades, cost you 0.31 USDT, chance that this earns: ")
    for other in (
        stage_facts(policy, "demo", tmp_path, 10**18),
        stage_facts(Policy.from_env({"SIZE": "earned", "TP_MIN": "0.007"}), "testnet", tmp_path, 10**18),
        stage_facts(policy, "testnet", tmp_path / "none", 10**18),
    ):
        assert other == [("stage", "scout: no trade under these rules yet")]
    assert stage_facts(Policy(), "testnet", tmp_path, 10**18) == []


def test_a_damaged_journal_is_left_to_the_start_to_refuse(tmp_path: Path) -> None:
    policy = Policy.from_env({"SIZE": "earned"})
    left_by(policy, tmp_path)
    (tmp_path / FILE).write_bytes(b"by far no database" * 100)
    assert stage_facts(policy, "testnet", tmp_path, 10**18) == [
        ("stage", "scout: no trade under these rules yet")
    ]

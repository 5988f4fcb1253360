"""Numbers on the command line are read strictly; symbols that nobody knows are refused with the nearest."""

from inspect import signature
from pathlib import Path

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.settings import Settings
from turbo_trader.console.verbs.backtest import backtest


def ended(arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *arguments.split(" ")])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == exit_codes.USAGE
    said = capsys.readouterr().err.splitlines()
    (line,) = (
        each for each in said if not each.startswith("loading")
    )  # on a machine where that takes a second
    return line


@pytest.mark.parametrize(
    "value", ["1_0", "١٠", "１０", "+1", "0x1", "1.5", "nan", "inf", "9" * 40, "1e999", "1e-999x"]
)
@pytest.mark.parametrize(
    "option",
    [
        "backtest x --seed", "explain BTC --last", "run --seed", "run --fault-seed", "exchange --port", "exchange --vip",
        "chaos --seeds", "chaos --symbols", "tape import x y --seed", "logs --last",
    ],
)  # fmt: skip
def test_whole_numbers_are_plain(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert option.rsplit(" ", maxsplit=1)[-1] in ended(f"{option} {value}", monkeypatch, capsys)


def test_a_number_too_large_is_answered_with_the_largest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"must be 0 to {2**63 - 1}" in ended("run --seed 99999999999999999999", monkeypatch, capsys)
    assert "-1: must be 0 or more" in ended("run --seed -1", monkeypatch, capsys)


def test_a_tape_without_a_path_is_not_the_folder_it_is_called_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "market 'tape:': give the recording as tape:PATH" in ended(
        "run --market tape:", monkeypatch, capsys
    )


@pytest.mark.parametrize("value", ["1_0", "١٠", "+1", "nan", "inf", "-1", "1e999", "9" * 40])
@pytest.mark.parametrize(
    "option",
    [
        "run --speed",
        "run --edge",
        "exchange --ban",
        "exchange --footprint",
        "chaos --hours",
        "chaos --edge",
        "backtest x --days",
        "backtest x --edge",
    ],
)
def test_numbers_are_plain_and_finite(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert option.rsplit(" ", maxsplit=1)[-1] in ended(f"{option} {value}", monkeypatch, capsys)


@pytest.mark.parametrize("value", ["1e999", "1e-400", "nan", "inf", "1_8", "١٨", "+18", "0", "9" * 40])
@pytest.mark.parametrize("verb", ["run", "feasible", "chaos", "backtest x", "exchange"])
def test_balances_are_plain_and_in_range(
    verb: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--balance" in ended(f"{verb} --balance {value}", monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "explain BTCUSD",
            "'BTCUSD' is no USDT perpetual; write it like BTC or BTCUSDT; the nearest is BTCUSDT",
        ),
        ("explain BTC-USDT", "'BTC-USDT' is no USDT perpetual"),
        ("explain BTCPERP", "the nearest is BTCUSDT"),
        (
            "explain NOSUCHUSDT",
            "NOSUCHUSDT is not in TARGET_ASSETS and has no scan in the journal; the nearest is",
        ),
        ("explain DOGEE", "the nearest is DOGEUSDT"),
        ("feasible --price BTCUSD=1", "the nearest is BTCUSDT"),
        ("feasible --price FOO=1", "FOOUSDT is not in the universe; the nearest is"),
        ("tape info pyproject.toml --symbols BTC-USDT", "--symbols: 'BTC-USDT' is no USDT perpetual"),
        ("backtest pyproject.toml --symbols ETHUSD", "the nearest is ETHUSDT"),
    ],
)
def test_unknown_symbols_are_refused_with_the_nearest(
    arguments: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("JOURNAL_DIR", str(tmp_path))  # the checkout may have runs
    assert said in ended(arguments, monkeypatch, capsys)


@pytest.mark.parametrize(
    "verb", ["feasible", "policy", "run", "exchange --market synthetic", "backtest x", "chaos"]
)
def test_a_malformed_target_asset_is_refused(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TARGET_ASSETS", "ETH,BTC-USDT")
    said = (
        "TARGET_ASSETS: 'BTC-USDT' is no USDT perpetual; write it like BTC or BTCUSDT; the nearest is BTCUSDT"
    )
    assert ended(verb, monkeypatch, capsys) == f"turbo-trader: {said}"


def test_feasible_refuses_a_target_asset_without_reference_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TARGET_ASSETS", "ETH,BTX")
    said = "TARGET_ASSETS: BTXUSDT is not in the reference figures; the nearest is BTCUSDT"
    assert ended("feasible", monkeypatch, capsys) == f"turbo-trader: {said}"


def test_a_backtest_and_a_run_put_the_same_edge_into_a_made_up_market() -> None:
    assert signature(backtest).parameters["edge"].default == Settings.model_fields["edge"].default

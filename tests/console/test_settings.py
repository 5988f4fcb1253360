"""Settings: defaults are paper, bad values name themselves, secrets never show."""

from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.console.setting_names import RENAMED, Renamed
from turbo_trader.console.settings import Settings, environment, load_settings, positive_decimal
from turbo_trader.console.venues import live_endpoints
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_default_is_paper_with_18_usdt_and_no_key() -> None:
    settings = load_settings()
    assert (settings.mode, settings.balance, settings.bybit_api_key.get_secret_value()) == (
        "paper",
        Decimal(18),
        "",
    )


def test_options_win_over_the_environment_and_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("BALANCE=20\nSEED=5\nSPEED=2\n")
    monkeypatch.setenv("BALANCE", "30")
    monkeypatch.setenv("SEED", "6")
    settings = load_settings(balance="40")
    assert (settings.balance, settings.seed, settings.speed) == (Decimal(40), 6, 2.0)
    assert environment()["SPEED"] == "2"
    assert environment()["SEED"] == "6"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TURBO_HORIZN", "TURBO_HORIZON"),
        ("MICRO_TURBO_MODEE", "MICRO_TURBO_MODE"),
        ("micro_turbo_mode", "MICRO_TURBO_MODE"),
        ("seed", "SEED"),
        ("BYBIT_APIKEY", "BYBIT_API_KEY"),
    ],
)
def test_a_misspelt_name_in_the_file_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    Path(".env").write_text(f"SEED=5\n{name}=1\n")
    with pytest.raises(InputError, match=f"{name} is no setting; did you mean {meant}"):
        environment()


def test_a_name_in_the_file_that_is_none_of_ours_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text("COMPOSE_PROJECT=5\nSEED=5\n")
    assert (environment()["COMPOSE_PROJECT"], load_settings().seed) == ("5", 5)
    environment()
    assert capsys.readouterr().err == (
        "turbo-trader: .env: COMPOSE_PROJECT is no setting and does nothing; .env.example has them all\n"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MICRO_TURBO_MOD", "MICRO_TURBO_MODE"),
        ("TARGET_ASSET", "TARGET_ASSETS"),
        ("target_assets", "TARGET_ASSETS"),
        ("BELEIF", "BELIEF"),
        ("MICRO_TURBO_INTERVAL", "MICRO_TURBO_SIGNAL_INTERVAL"),
        ("BYBIT_TESTNET", "BYBIT_"),
        ("SPEEED", "SPEED"),
        ("MOD", "MODE"),
    ],
)
def test_a_misspelt_name_in_the_environment_is_reported_with_the_one_that_was_meant(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "secret-value")
    assert load_settings().mode == "paper"
    environment()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(
        f"turbo-trader: environment: {name} is no setting and does nothing; did you mean {meant}"
    )
    assert "secret-value" not in lines[0]


def test_names_of_other_programs_in_the_environment_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = (
        "MODEL MAX_CONNECTIONS JOURNAL_STREAM INVOCATION_ID EDITOR SHELL LOGNAME NODE_ENV PYTHONPATH XDG_STATE_HOME GIT_EDITOR "
        "MAKEFLAGS TURBO_TRADER_CACHE BASH_ENV SIGNATURE TMUX NO_COLOR HTTP_PROXY NUMBA_DISABLE_JIT DISPLAY CI GITHUB_ACTIONS"
    )
    for name in others.split():
        monkeypatch.setenv(name, "1")
    environment()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "real"),
        ("BALANCE", "0"),
        ("BALANCE", "-5"),
        ("BALANCE", "NaN"),
        ("BALANCE", "inf"),
        ("BALANCE", "1e999"),
        ("BALANCE", "1e-400"),
        ("BALANCE", "1e99999999999"),
        ("BALANCE", "9" * 500),
        ("BALANCE", "1_000"),
        ("BALANCE", "١٨"),
        ("BALANCE", "１８"),
        ("BALANCE", "+18"),
        ("BALANCE", "0x12"),
        ("SPEED", "1e999"),
        ("SPEED", "nan"),
        ("EDGE", "1_0"),
        ("SEED", "1_0"),
        ("SEED", "٣"),
        ("SEED", "1e3"),
        ("SEED", "9" * 30),
        ("I_ACCEPT_THE_RISK", "maybe"),
        ("SPEED", "-1"),
        ("SEED", "x"),
        ("LOG_LEVEL", "loud"),
        ("ORDER_ENTRY", "fax"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=name) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "typed"), [("MAX_LEVERAGE", "50%"), ("MAX_LEVERAGE", "1e400"), ("SESSION_LOSS", "-2000bp")]
)
def test_a_refused_value_is_quoted_as_it_was_typed(name: str, typed: str) -> None:
    with pytest.raises(InputError, match=f"^{name} = '{typed}': expected a number"):
        Policy.from_env({name: typed})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("METRICS", "ADDRESS:PORT such as 127.0.0.1:9108"),
        ("RECORD", "off, decisions, or full"),
        ("MODE", "paper, testnet, demo or live"),
    ],
)
def test_a_refused_choice_is_answered_with_the_form_expected(name: str, form: str) -> None:
    with pytest.raises(InputError, match=rf"^{name} = 'foo': expected {form}"):
        Settings.read({name: "foo"})


def test_a_symbol_that_stands_twice_is_refused_as_that() -> None:
    with pytest.raises(InputError, match=r"TARGET_ASSETS = 'BTC,BTC': .*, each once"):
        Policy.from_env({"TARGET_ASSETS": "BTC,BTC"})


def test_a_bad_option_is_named_as_an_option() -> None:
    with pytest.raises(InputError, match="--balance"):
        load_settings(balance="0")


def test_keys_never_show_in_a_repr_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYBIT_API_KEY", "verysecretkey")
    monkeypatch.setenv("BYBIT_API_SECRET", "verysecretsecret")
    assert "verysecret" not in repr(load_settings())
    monkeypatch.setenv("SEED", "x")
    with pytest.raises(InputError) as caught:
        load_settings()
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "abc",
        "inf",
        "nan",
        "",
        "1e999",
        "1e-400",
        "1e99999999",
        "1_000",
        "١٨",
        "１８",
        "+18",
        "0x12",
    ],
)
def test_money_on_the_command_line_is_above_zero(text: str) -> None:
    with pytest.raises(InputError, match="--balance"):
        positive_decimal(text, "--balance")


def test_an_old_name_is_refused_with_the_new_one_and_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RENAMED, "OLD_NAME", Renamed("SEED", "SEED=1 is what OLD_NAME=one was"))
    monkeypatch.setenv("OLD_NAME", "one")
    with pytest.raises(
        InputError, match=r"^environment: OLD_NAME is SEED now; SEED=1 is what OLD_NAME=one was$"
    ):
        load_settings()
    monkeypatch.delenv("OLD_NAME")
    Path(".env").write_text("OLD_NAME=one\n")
    with pytest.raises(InputError, match=r"^\.env: OLD_NAME is SEED now"):
        environment()


def test_new_names_are_settings_and_old_ones_are_not() -> None:
    known = {name.upper() for name in (*Settings.model_fields, *Policy.model_fields)}
    assert not known & RENAMED.keys()
    assert {now.name for now in RENAMED.values()} <= known


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BYBIT_REST_URL", "https://user:hunter2@127.0.0.1:9000"),
        ("BYBIT_STREAM_URL", "http://127.0.0.1:9000"),
    ],
)
def test_an_address_that_is_not_plain_loopback_is_named_without_what_it_carries(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"{name}: expected plain .* to this machine, such as") as raised:
        load_settings()
    assert "hunter2" not in str(raised.value)


def test_another_venue_is_given_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYBIT_REST_URL", "http://127.0.0.1:9000/")
    with pytest.raises(InputError, match="BYBIT_REST_URL is set and BYBIT_STREAM_URL is not"):
        live_endpoints(load_settings(mode="testnet"))
    monkeypatch.setenv("BYBIT_STREAM_URL", "ws://127.0.0.1:9000")
    where = live_endpoints(load_settings(mode="live"))
    assert (where.environment, where.rest) == ("mainnet", "http://127.0.0.1:9000")
    assert where.private == "ws://127.0.0.1:9000/v5/private"
    monkeypatch.delenv("BYBIT_REST_URL")
    with pytest.raises(InputError, match="BYBIT_STREAM_URL is set and BYBIT_REST_URL is not"):
        live_endpoints(load_settings(mode="demo"))


@pytest.mark.parametrize(
    ("old", "now"), [("off", "BELIEF=weighed"), ("report", "BELIEF=weighed"), ("enforce", "BELIEF=measured")]
)
def test_calibration_in_env_is_refused_with_belief_and_what_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, now: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"CALIBRATION={old}\n")
    with pytest.raises(InputError, match=f"CALIBRATION is BELIEF now.*{now} for [a-z ]*{old}"):
        environment()

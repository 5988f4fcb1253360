"""What a verb refuses: one line that says what and where, a documented exit code, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from turbo_trader.console import main as console
from turbo_trader.console.settings import Settings
from turbo_trader.rules.policy import Policy

Refused = Callable[..., tuple[int, str]]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a verb in a folder and an environment of its own; returns its exit code and the one line it says."""
    monkeypatch.chdir(tmp_path)
    for name in (*Settings.model_fields, *Policy.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)

    def run(*args: str, **env: str) -> tuple[int, str]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["turbo-trader", *args])
        with pytest.raises(SystemExit) as ended:
            console.main()
        out, err = capsys.readouterr()
        assert out == ""
        text = " ".join(line.strip() for line in err.splitlines())  # a long line is folded
        assert text.count("turbo-trader: ") == 1, err
        return int(ended.value.code or 0), text

    return run


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (["run", "--market", "tape:nowhere"], {}, "nowhere: no such tape"),
        (["run", "--market", "moon"], {}, "must be synthetic, tape:PATH, bybit or bybit:URL"),
        (["run", "--market", "bybit:moon"], {}, "bybit:http://HOST:PORT"),
        (["run", "--market", "bybit", "--speed", "2"], {}, "leave it out"),
        (["run", "--balance", "0"], {}, "--balance"),
        (["run", "--for", "soon"], {}, "40s or 2m"),
        (["run"], {"MICRO_TURBO_SIGNAL_INTERVAL": "x"}, "MICRO_TURBO_SIGNAL_INTERVAL"),
        (["run"], {"SEED": "x"}, "SEED"),
        (["run"], {"TARGET_ASSETS": "FOO"}, "FOOUSDT"),
        (["run", "--mode", "real"], {}, "--mode"),
        (["run", "--nonsense"], {}, "--nonsense"),
        (["backtest", "nowhere"], {}, "nowhere: no such tape"),
        (["tape", "info", "nowhere.parquet"], {}, "no such tape"),
        (["stop"], {}, "running"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(
    refused: Refused, tmp_path: Path, args: list[str], env: dict[str, str], said: str
) -> None:
    code, line = refused(*args, **env)
    assert (code, said in line) == (2, True), line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["live", "testnet"])
def test_a_real_venue_without_keys_is_refused_with_what_is_missing(
    refused: Refused, tmp_path: Path, mode: str
) -> None:
    code, line = refused("run", "--mode", mode)
    assert (code, "BYBIT_API_KEY" in line) == (3, True), line
    assert not list(tmp_path.iterdir())


def test_an_unwritable_journal_folder_is_refused(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    code, line = refused("run")
    assert (code, "journal folder" in line) == (2, True), line


def test_orders_by_websocket_are_refused_at_start_where_the_venue_takes_none(
    refused: Refused, tmp_path: Path
) -> None:
    given = {"MODE": "demo", "BYBIT_API_KEY": "a-key", "BYBIT_API_SECRET": "a-secret"}
    code, line = refused("run", ORDER_ENTRY="websocket", **given)
    assert code == 2
    assert line.endswith("the demo environment takes orders by REST only; set ORDER_ENTRY=rest")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["60000,1,1,1,1,5", "180000,1,1,1,1,5"], "line 3: a gap"),
        (["60000,1,1,1,1,5", "60000,1,1,1,1,5"], "line 3: a repeated time"),
        (["120000,1,1,1,1,5", "60000,1,1,1,1,5"], "line 3: a time before"),
        (["60000,1,2,x,1,5"], "line 2: not 6 numbers"),
        (["60000,1,0.5,1,1,5"], "line 2: high or low"),
    ],
)
def test_malformed_bars_name_file_and_line(
    refused: Refused, tmp_path: Path, lines: list[str], said: str
) -> None:
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "BTCUSDT.csv").write_text(
        "ts_ms,open,high,low,close,volume\n" + "\n".join(lines) + "\n"
    )
    order = (
        () if said == "line 3: a gap" else ("--order", "high-first")
    )  # else both, each in a process of its own
    code, line = refused("backtest", "bars", *order)
    assert code == 2
    assert "BTCUSDT.csv" in line
    assert said in line

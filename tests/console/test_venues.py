"""Keys come from the environment or from a file that is the owner's alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turbo_trader.console.settings import Settings, load_settings
from turbo_trader.console.venues import given_keys, missing_keys
from turbo_trader.market.errors import Refused


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def dotenv(mode: int) -> None:
    Path(".env").write_text("BYBIT_API_KEY=the-key\nBYBIT_API_SECRET=the-secret\n")
    Path(".env").chmod(mode)


def test_nothing_given_is_named() -> None:
    assert missing_keys(given_keys(load_settings())) == ["BYBIT_API_KEY", "BYBIT_API_SECRET"]


def test_keys_in_a_dotenv_that_others_read_are_refused() -> None:
    dotenv(0o600)
    keys = given_keys(load_settings())
    assert (keys.key, keys.secret) == ("the-key", "the-secret")
    dotenv(0o644)
    with pytest.raises(Refused, match=r"0644.*chmod 600 \.env") as caught:
        given_keys(load_settings())
    assert "the-" not in str(caught.value)


def test_keys_of_the_environment_need_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MODE=testnet\n")
    Path(".env").chmod(0o644)
    monkeypatch.setenv("BYBIT_API_KEY", "a")
    monkeypatch.setenv("BYBIT_API_SECRET", "b")
    assert missing_keys(given_keys(load_settings())) == []


def test_a_wide_key_file_ends_the_run_with_one_line_and_code_3(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("the-key\nthe-secret\n")
    path.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-m", "turbo_trader.console", "run", "--mode", "testnet", "--for", "1s"],
        env={**os.environ, "BYBIT_KEY_FILE": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    said = " ".join(done.stderr.split())  # on a slow machine, after how long it loads
    assert said.count("turbo-trader:") == 1
    assert said.endswith(
        f"turbo-trader: refused: key file {path}: others can read it (0644); chmod 600 {path}"
    )

"""`turbo-trader init`: by flags and on a terminal. Nothing that exists is lost, and what is written is what a start takes."""

import json
import os
import pty
import select
import stat
import subprocess
import sys
import termios
import time
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.console import main
from turbo_trader.console.dotenv import dotenv
from turbo_trader.console.first_settings import first_settings, write_settings
from turbo_trader.console.settings import Settings
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(monkeypatch: pytest.MonkeyPatch, flags: str) -> int:
    monkeypatch.setattr("sys.argv", ["turbo-trader", "init", *flags.split()])
    with pytest.raises(SystemExit) as end:
        main.main()
    return int(str(end.value.code))


def test_flags_write_a_private_file_that_a_start_takes(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, "--yes --no-doctor --balance 50 --session-loss 8% --max-leverage 20") == 0
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600
    given = dotenv(here / ".env")
    assert (Settings.read(given).mode, Settings.read(given).balance) == ("paper", Decimal(50))
    rules = Policy.from_env(given)
    assert (f"{rules.session_loss:.2f}", rules.max_leverage) == ("0.08", Decimal(20))


@pytest.mark.parametrize("loss", ["19%", "10%", "5%", "0.9%", "12bp"])
def test_a_tighter_session_loss_moves_what_it_bounds(loss: str) -> None:
    rules = Policy.from_env(first_settings({"SESSION_LOSS": loss}).values)
    assert rules.drawdown_pause <= rules.session_loss
    assert rules.b_risk <= rules.a_risk <= rules.session_loss


def test_what_moved_is_said_with_its_reason() -> None:
    (pause,) = [line for line in first_settings({"SESSION_LOSS": "12%"}).moved if "DRAWDOWN" in line]
    assert pause == ("DRAWDOWN_PAUSE 15% -> 9%, as SESSION_LOSS is 12%: else the halt comes before the pause")


def test_defaults_are_not_written() -> None:
    assert first_settings({"MODE": "paper"}).values == {"MODE": "paper"}


@pytest.mark.parametrize(
    "asked",
    [
        {"SESSION_LOSS": "5%", "DRAWDOWN_PAUSE": "8%"}, {"A_RISK": "150%"}, {"B_RISK": "12%"}, {"MODE": "real"},
        {"BALANCE": "much"}, {"MAX_LEVERAGE": "0"}, {"SIZE": "huge"}, {"SESSION_LOSS": "ten"},
    ],
)  # fmt: skip
def test_contradictions_and_bad_values_are_refused_by_name(asked: dict[str, str]) -> None:
    with pytest.raises(InputError) as refused:
        first_settings(asked)
    assert any(name in str(refused.value) for name in asked)
    assert len(str(refused.value)) <= 200


def test_a_file_that_exists_is_left_without_force(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text("SEED=7\n")
    assert ended(monkeypatch, "--yes --no-doctor") == 3
    assert (here / ".env").read_text() == "SEED=7\n"


def test_force_keeps_the_old_file_beside_the_new_one(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / ".env").write_text("SEED=7\n")
    assert ended(monkeypatch, "--yes --force --json") == 0
    assert json.loads(capsys.readouterr().out)["kept"] == ".env.old"
    assert (here / ".env.old").read_text() == "SEED=7\n"
    assert "MODE=paper" in (here / ".env").read_text()


def test_nothing_is_written_where_a_value_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, "--yes --balance nothing") == 2
    assert list(here.iterdir()) == []


class Typist:
    """A person at a terminal."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "turbo_trader.console", "init", *flags], stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=folder, start_new_session=True, env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""
        self._read = 0  # so far the questions are answered

    def answer(self, question: str, text: str, *, hidden: bool = False) -> None:
        """`hidden`: not before the terminal has stopped to show what is typed; what comes earlier is thrown away."""
        while (found := self.seen.find(question, self._read)) < 0:
            assert select.select([self._ours], [], [], 60)[0], f"never asked: {question}\n{self.seen}"
            self.seen += os.read(self._ours, 65_536).decode()
        self._read = found + len(question)
        while hidden and termios.tcgetattr(self._ours)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(self._ours, f"{text}\n".encode())

    def ended(self) -> int:
        try:
            while part := os.read(self._ours, 65_536):
                self.seen += part.decode()
        except OSError:  # the other end is closed
            pass
        os.close(self._ours)
        return self._process.wait(30)


def test_a_person_is_asked_and_the_numbers_follow_each_other(here: Path) -> None:
    typist = Typist(here, "--no-doctor")
    typist.answer("mode", "")
    typist.answer("balance", "25")
    typist.answer("SESSION_LOSS", "8%")
    typist.answer("[6%]", "12%")  # above the session's loss: asked again, with the reason
    typist.answer("[6%]", "")
    typist.answer("[4%]", "")
    typist.answer("[2%]", "")
    typist.answer("MAX_LEVERAGE", "")
    assert typist.ended() == 0, typist.seen
    assert "DRAWDOWN_PAUSE 12% is above SESSION_LOSS 8%" in typist.seen
    assert dotenv(here / ".env") == {
        "MODE": "paper", "BALANCE": "25", "SESSION_LOSS": "8%", "DRAWDOWN_PAUSE": "6%", "A_RISK": "4%", "B_RISK": "2%",
    }  # fmt: skip


def test_a_key_is_written_to_a_private_file_and_never_shown(here: Path) -> None:
    typist = Typist(here, "--no-doctor", "--mode", "testnet")
    typist.answer("API key", "key12345")
    typist.answer("its secret", "secret67890", hidden=True)
    for name in ("SESSION_LOSS", "DRAWDOWN_PAUSE", "A_RISK", "B_RISK", "MAX_LEVERAGE"):
        typist.answer(name, "")
    assert typist.ended() == 0, typist.seen
    assert stat.S_IMODE((here / "bybit.key").stat().st_mode) == 0o600
    assert (here / "bybit.key").read_text() == "key12345\nsecret67890\n"
    assert dotenv(here / ".env") == {"MODE": "testnet", "BYBIT_KEY_FILE": "bybit.key"}
    assert "secret67890" not in typist.seen


def test_a_person_who_says_no_keeps_the_file(here: Path) -> None:
    (here / ".env").write_text("SEED=7\n")
    typist = Typist(here)
    typist.answer("exists. Replace it?", "n")
    assert typist.ended() == 3
    assert (here / ".env").read_text() == "SEED=7\n"


@pytest.mark.parametrize("typed", ["-1", "150%", "nan"])
def test_a_bad_number_is_refused_under_the_name_it_was_given_for(typed: str) -> None:
    with pytest.raises(InputError, match=rf"^SESSION_LOSS '{typed}': "):
        first_settings({"SESSION_LOSS": typed})


def test_a_folder_that_cannot_be_written_is_one_line_and_changes_nothing(here: Path) -> None:
    (here / ".env").write_text("SEED=7\n")
    (here / ".env.new").mkdir()  # stops root too
    with pytest.raises(InputError, match=r"\.env: .*; call `init` in a folder that you may write to"):
        write_settings(here / ".env", first_settings({}), replace=True)
    assert (here / ".env").read_text() == "SEED=7\n"
    assert not (here / ".env.old").exists()

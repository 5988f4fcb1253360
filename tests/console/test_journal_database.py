"""JOURNAL_URL on the command line: one line and a documented exit code for what is wrong with it, its password nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journal.test_address import QUOTED, SECRET, closed_port

from turbo_trader.console import main as console
from turbo_trader.console.journal_database import database_of, sign_in
from turbo_trader.console.settings import Settings
from turbo_trader.journal.address import Address, write_address
from turbo_trader.market.errors import InputError, Refused

Verb = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def _signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PGPASSWORD", "JOURNAL_URL", "JOURNAL_NAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    def ended(*given: str, **env: str) -> tuple[int, str]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["turbo-trader", *given])
        with pytest.raises(SystemExit) as end:
            console.main()
        text = " ".join(line.strip() for line in "".join(capsys.readouterr()).splitlines())
        assert "Traceback" not in text
        assert "s3cr3t" not in text
        return int(end.value.code or 0), text

    return ended


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://trader:{QUOTED}@host/trading", "JOURNAL_URL: names no PostgreSQL database"),
        (f"postgresql://trader:{QUOTED}@host", "JOURNAL_URL: names no database"),
        ("postgresql://trader:pass@s3cr3t@host/trading", "%40"),
    ],
)
def test_a_wrong_url_ends_a_start_with_2_and_leaves_nothing(
    verb: Verb, tmp_path: Path, url: str, said: str
) -> None:
    code, text = verb("run", "--no-ui", "--for", "1s", JOURNAL_URL=url)
    assert (code, said in text) == (2, True), text
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("name", ["sub 1", "../up", "-x", "a" * 40])
def test_a_wrong_name_is_refused(verb: Verb, name: str) -> None:
    code, text = verb("run", "--no-ui", "--for", "1s", JOURNAL_NAME=name)
    assert (code, "JOURNAL_NAME" in text) == (2, True), text


@pytest.mark.parametrize(
    "given",
    [("status",), ("status", "--json"), ("report",), ("explain", "BTCUSDT"), ("funnel",), ("calibration",),
     ("journal", "check"), ("journal", "export"), ("journal", "backup")],
)  # fmt: skip
def test_a_verb_says_that_the_server_is_down(verb: Verb, tmp_path: Path, given: tuple[str, ...]) -> None:
    folder = tmp_path / "var" / "live"
    write_address(folder, Address(f"postgresql://trader@127.0.0.1:{closed_port()}/trading", "journal-live"))
    code, text = verb(*given)
    assert (code, "is the server up" in text) == (1, True), text


def test_the_password_goes_to_libpq_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGPASSWORD", "another")
    (tmp_path / ".env").write_text(f"JOURNAL_URL=postgresql://trader:{QUOTED}@host/trading\n")
    sign_in()
    assert os.environ["PGPASSWORD"] == SECRET
    (tmp_path / ".env").write_text("JOURNAL_URL=postgresql://trader@host/trading\n")
    monkeypatch.setenv("PGPASSWORD", "mine")
    sign_in()
    assert os.environ["PGPASSWORD"] == "mine"
    (tmp_path / ".env").write_text("nonsense\n")
    sign_in()  # the verb says what is wrong


def test_a_password_that_others_can_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"postgresql://trader:{QUOTED}@host/trading"
    settings = Settings.model_validate({"journal_url": url, "journal_name": "sub1"})
    (tmp_path / ".env").write_text(f"JOURNAL_URL={url}\n")
    (tmp_path / ".env").chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        database_of(settings, tmp_path / "live")
    (tmp_path / ".env").chmod(0o600)
    found = database_of(settings, tmp_path / "live")
    assert found is not None
    assert found.schema == "journal-sub1-live"
    assert "s3cr3t" not in f"{found!r} {settings!r} {settings}"
    monkeypatch.setenv("JOURNAL_URL", url)
    (tmp_path / ".env").chmod(0o644)
    assert database_of(settings, tmp_path / "live") == found


def test_without_a_url_the_journal_is_a_file(tmp_path: Path) -> None:
    assert database_of(Settings.model_validate({}), tmp_path) is None
    with pytest.raises(InputError, match="JOURNAL_URL"):
        database_of(Settings.model_validate({"journal_url": "nonsense"}), tmp_path)

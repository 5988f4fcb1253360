"""`turbo-trader service`: the units it writes, what it refuses, and what systemd says of them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.units import MADE_BY, Service

SERVICE = {
    "name": "turbo-trader", "program": Path("/bin/true"), "folder": Path("/"), "writable": (Path("/var/lib"), Path("/var/tmp")),
}  # fmt: skip


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The verb in a folder with a private .env, without systemctl."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    (home / ".env").write_text("MODE=testnet\n")
    (home / ".env").chmod(0o600)

    def ended(*given: str) -> tuple[int, Any]:
        monkeypatch.setattr("sys.argv", ["turbo-trader", "service", *given])
        with pytest.raises(SystemExit) as end:
            main.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), json.loads(out) if "--json" in given else out + err

    return ended


@pytest.mark.parametrize("user", ["", "trader"])
def test_both_units_notify_are_watched_and_confined(user: str) -> None:
    units = Service(**SERVICE, mode="live", user=user).units  # type: ignore[arg-type]
    assert list(units) == ["turbo-trader.service", "turbo-trader-guard.service"]
    for text in units.values():
        found = lines(text)
        wanted = {
            "Type": "notify",
            "Restart": "always",
            "NoNewPrivileges": "yes",
            "ProtectSystem": "strict",
            "PrivateTmp": "yes",
        }
        assert wanted.items() <= found.items()
        assert int(found["WatchdogSec"]) > 0
        assert found["MemoryMax"] == "1G"
        assert "ReadWritePaths=/var/lib\n" in text
        assert found.get("User", "") == user
        assert found["WantedBy"] == ("multi-user.target" if user else "default.target")
    daemon = lines(units["turbo-trader.service"])
    assert daemon["RestartPreventExitStatus"] == f"{exit_codes.USAGE} {exit_codes.REFUSED}"
    assert "turbo-trader-guard.service" in daemon["Wants"]


def test_a_paper_daemon_has_no_guard() -> None:
    units = Service(**SERVICE, mode="paper").units  # type: ignore[arg-type]
    assert list(units) == ["turbo-trader.service"]
    assert "guard" not in units["turbo-trader.service"]


@pytest.mark.external("systemd-analyze")
@pytest.mark.parametrize("user", ["", "daemon"])
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path, user: str) -> None:
    service = Service(**SERVICE, mode="live", user=user, env_file=Path("/etc/passwd"))  # type: ignore[arg-type]
    for file, text in service.units.items():
        (tmp_path / file).write_text(text)
    scope = [] if user else ["--user"]
    done = subprocess.run(
        ["systemd-analyze", *scope, "verify", *map(str, tmp_path.glob("*.service"))], capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "turbo-trader" in line]
    assert (done.returncode, said) == (0, [])


def test_print_changes_nothing_and_install_writes_what_it_shows(verb: Any, tmp_path: Path) -> None:
    code, shown = verb("print", "--user", "--json")
    assert code == exit_codes.OK
    assert not (tmp_path / "config").exists()
    code, done = verb("install", "--user", "--json")
    assert code == exit_codes.OK
    folder = tmp_path / "config/systemd/user"
    assert {path.name: path.read_text() for path in folder.iterdir()} == shown["units"]
    assert done["begin"] == "systemctl --user enable --now turbo-trader.service turbo-trader-guard.service"
    found = lines(shown["units"]["turbo-trader.service"])
    assert found["WorkingDirectory"] == str(tmp_path / "home")
    assert "--mode testnet" in found["ExecStart"]
    for path in (tmp_path / "home/var", tmp_path / "state/turbo-trader"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    code, gone = verb("uninstall", "--user", "--json")
    assert (code, len(gone["removed"])) == (exit_codes.OK, 2)
    assert not list(folder.iterdir())
    code, text = verb("uninstall", "--user")
    assert (code, "no unit" in text) == (exit_codes.USAGE, True)


def test_a_second_account_gets_units_of_its_own_name(verb: Any, tmp_path: Path) -> None:
    assert verb("install", "--user", "--name", "second", "--mode", "paper")[0] == exit_codes.OK
    assert [path.name for path in (tmp_path / "config/systemd/user").iterdir()] == ["second.service"]


def test_keys_that_others_can_read_are_refused(verb: Any, tmp_path: Path) -> None:
    (tmp_path / "home/.env").chmod(0o644)
    code, text = verb("install", "--user")
    assert (code, "chmod 600" in text) == (exit_codes.USAGE, True)
    (tmp_path / "home/.env").chmod(0o600)
    (tmp_path / "mine.env").write_text("BYBIT_API_KEY=x\n")
    (tmp_path / "mine.env").chmod(0o640)
    code, text = verb("install", "--user", "--env-file", str(tmp_path / "mine.env"))
    assert (code, "chmod 600" in text) == (exit_codes.USAGE, True)
    assert not (tmp_path / "config").exists()


def test_a_unit_of_somebody_else_is_left_alone(verb: Any, tmp_path: Path) -> None:
    unit = tmp_path / "config/systemd/user/turbo-trader.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/mine\n")
    for what in ("install", "uninstall"):
        code, text = verb(what, "--user")
        assert (code, "was not written by" in text) == (exit_codes.USAGE, True)
    assert MADE_BY not in unit.read_text()


@pytest.mark.parametrize("name", ["", "../evil", "a b", "x\n"])
def test_a_name_is_a_plain_one(verb: Any, name: str) -> None:
    code, text = verb("print", "--user", "--name", name)
    assert (code, "--name" in text) == (exit_codes.USAGE, True)

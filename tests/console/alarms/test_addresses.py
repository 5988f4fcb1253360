"""Addresses of alarms: where they are read from, and that nothing shows them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from turbo_trader.console.alarms.addresses import Target, read_targets
from turbo_trader.console.alarms.alarm_settings import chosen, targets_of
from turbo_trader.console.alarms.catalogue import Alarm
from turbo_trader.console.settings import Settings
from turbo_trader.market.errors import InputError, Refused

TOKEN = "123456789:AAfakefakefakefakefake"
URL = f"tgram://{TOKEN}/987654321/?silent=yes"


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_an_address_is_in_no_repr_copy_or_pickle() -> None:
    target = Target(1, URL)
    assert repr(target) == "Target(1 (tgram))"
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            write(target)
    settings = Settings.read({"NOTIFY": URL})
    assert TOKEN not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("url", "said", "clean"),
    [
        (URL, f"refused {TOKEN}", "refused ***:***"),
        (URL, "chat 987654321 unknown", "chat *** unknown"),
        (
            "mailto://user:p%40ssword@mail.example.com",
            "p@ssword at mail.example.com",
            "*** at mail.example.com",
        ),
        ("json://127.0.0.1:9000/path", "no route to 127.0.0.1", "no route to 127.0.0.1"),
        ("slack://TokenA1234/TokenB1234/TokenC1234/#channel", "TokenB1234 is revoked", "*** is revoked"),
    ],
)
def test_what_is_said_of_a_target_shows_no_part_of_its_address(url: str, said: str, clean: str) -> None:
    assert Target(1, url).redact(said) == clean


def test_addresses_come_from_the_setting_and_from_a_file(tmp_path: Path) -> None:
    file = private(tmp_path / "targets", "# at home\n\njson://home:1/\n  xml://other/ \n")
    found = read_targets("json://127.0.0.1:1/  form://127.0.0.1:2/", file)
    assert [target.name for target in found] == ["1 (json)", "2 (form)", "3 (json)", "4 (xml)"]
    assert found[3].url == "xml://other/"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = private(tmp_path / "targets", URL)
    file.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600") as refused:
        read_targets("", file)
    assert TOKEN not in str(refused.value)


def test_an_address_in_a_dotenv_that_others_may_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOTIFY", raising=False)
    (tmp_path / ".env").write_text(f"NOTIFY={URL}\n")
    (tmp_path / ".env").chmod(0o644)
    with pytest.raises(Refused, match=r"chmod 600 \.env"):
        targets_of(Settings.read({"NOTIFY": URL}))


@pytest.mark.parametrize(
    ("text", "wrong"), [("", "no address in it"), ("# none\n", "no address in it"), (None, "No such file")]
)
def test_a_file_without_addresses_is_one_clear_line(tmp_path: Path, text: str | None, wrong: str) -> None:
    file = tmp_path / "targets"
    if text is not None:
        private(file, text)
    with pytest.raises(InputError, match=wrong):
        read_targets("", file)


def test_what_is_no_address_is_named_by_its_number_alone() -> None:
    with pytest.raises(InputError, match="address 2") as wrong:
        read_targets("json://a/ my-secret-token", None)
    assert "my-secret-token" not in str(wrong.value)


@pytest.mark.parametrize(
    ("kinds", "has", "lacks"),
    [
        (("all",), {Alarm.ENTRY, Alarm.HALT}, set()),
        (("entry", "exit"), {Alarm.ENTRY, Alarm.EXIT}, {Alarm.HALT}),
        (("-entry", "-exit"), {Alarm.HALT}, {Alarm.ENTRY, Alarm.EXIT}),
        (("all", "-digest"), {Alarm.ENTRY}, {Alarm.DIGEST}),
    ],
)
def test_kinds_name_alarms_or_leave_some_out(
    kinds: tuple[str, ...], has: set[Alarm], lacks: set[Alarm]
) -> None:
    found = set(chosen(kinds))
    assert has <= found
    assert not lacks & found


@pytest.mark.parametrize("given", ["nonsense", "entry,-nonsense", "--entry"])
def test_an_unknown_kind_is_refused_with_the_known_ones(given: str) -> None:
    with pytest.raises(InputError, match=r"NOTIFY_KINDS.*expected.*unprotected"):
        Settings.read({"NOTIFY_KINDS": given})

"""`turbo-trader guard` guards also where it cannot be found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from turbo_trader.console.verbs.guard import registered


def test_a_guard_that_cannot_register_guards_and_says_how_to_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    guarded = False
    with registered("testnet", tmp_path / "var" / "testnet"):
        guarded = True
    assert guarded
    assert f"this guard runs unregistered: end it with kill {os.getpid()}" in capsys.readouterr().err

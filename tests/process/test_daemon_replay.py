"""A real daemon is killed with SIGKILL and started again: both lives of its recording are decided again the same."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.console.command_line import app
from turbo_trader.console.exit_codes import Failed
from turbo_trader.rules import records, tiers


def replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    app(["replay", str(folder), "--verify", "--json"], standalone_mode=False)
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.slow  # two lives of half an hour of the venue's each; tests/simulation/test_replay.py plays the same in-process
def test_a_session_that_was_killed_and_restarted_is_decided_again_the_same(
    lives: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lives.end(lives.begin(240, "entry-booked", RECORD="full"), 300) is None
    known = len(lives.notes("recovered"))
    second = lives.begin(6, RECORD="full")
    lives.wait(lambda: len(lives.notes("recovered")) > known)
    assert lives.end(second, 90) is not None
    with pytest.raises(Failed, match="differs"):  # the daemons' rules are patched, these are not
        replayed(lives.journal, capsys)
    for room in (records, tiers):
        monkeypatch.setattr(room, "minimum_ev", lambda *_: Decimal(-1))
    found = replayed(lives.journal, capsys)
    first, last = found["lives"]
    assert found["same"]
    assert found["complete"]
    assert (first["ended"], last["ended"]) == (False, True)
    assert min(first["commands"], last["commands"]) > 10

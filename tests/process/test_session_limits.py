"""Session limits as real processes (S40): what they set outlives SIGKILL, a restart and midnight; only its own command lifts it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

from turbo_trader.journal.readers import state
from turbo_trader.market.rows import DAY, MINUTE

MIDNIGHT = 20_459 * DAY
HAND = "XRPUSDT"  # what somebody else trades

#: Trades so small that somebody else finds margin enough beside them.
SMALL = {
    "A_RISK": "0.002", "B_RISK": "0.002", "A_MARGIN_LOW": "0.02", "A_MARGIN_HIGH": "0.04", "B_MARGIN_LOW": "0.01",
    "B_MARGIN_HIGH": "0.02",
}  # fmt: skip


def verb(journal: Path, *arguments: str) -> str:
    args = [sys.executable, "-m", "turbo_trader.console", *arguments, "--journal-dir", str(journal)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def session(journal: Path) -> dict[str, Any]:
    return state(journal)["session"]


def nothing_of_ours(lives: Any) -> bool:
    """Has the daemon nothing, by its own report and the venue's, on which somebody else holds something too?"""
    return set(lives.held()) <= {HAND} and not lives.ask("status")["view"]["positions"]


def said(lives: Any, name: str, what: str) -> list[dict[str, Any]]:
    return [note for note in lives.notes(name) if note["what"] == what]


def lose(lives: Any, name: str, what: str, symbol: str = HAND) -> None:
    """Somebody pays fees on the account with another client until the daemon says that a limit is reached."""
    hand = HTTP(api_key="key", api_secret="secret", retry_codes={-1}, max_retries=1, recv_window=20_000)
    hand.endpoint = f"http://127.0.0.1:{lives.served.port}"
    hand.set_leverage(category="linear", symbol=symbol, buyLeverage="50", sellLeverage="50")
    sides = cycle(("Buy", "Sell"))
    lives.wait(
        lambda: (
            said(lives, name, what)
            or not hand.place_order(
                category="linear", symbol=symbol, side=next(sides), orderType="Market", qty="40"
            )
        )
    )


@pytest.mark.process
@pytest.mark.parametrize("lives", [(1, "", 60.0, MIDNIGHT - 40 * MINUTE)], indirect=True)
def test_s40_a_session_loss_outlives_kill_nine_and_midnight_until_session_new(lives: Any) -> None:
    limits = {**SMALL, "SESSION_LOSS": "0.01", "DRAWDOWN_PAUSE": "0.01"}
    first = lives.begin(300, **limits)
    lives.wait(lambda: lives.notes("recovered"))
    lose(lives, "halt", "session-loss")
    lives.wait(lambda: session(lives.journal)["halts"])
    first.kill()
    assert lives.end(first) is None
    entries = lives.entries()
    second = lives.begin(300, **limits)
    lives.wait(lambda: len(lives.notes("recovered")) > 1)
    lives.wait(lambda: nothing_of_ours(lives))  # what the first had begun is over
    lives.wait(lambda: lives.now() > MIDNIGHT + 2 * MINUTE)  # 24 scans into the next day
    assert "needed: `turbo-trader session new`" in verb(lives.journal, "resume")
    time.sleep(1.0)  # a minute of the venue's, 12 scans
    assert lives.entries() == entries
    assert session(lives.journal)["day"] * DAY < MIDNIGHT
    assert "entries: allowed" in verb(lives.journal, "session", "new")
    second.send_signal(signal.SIGTERM)
    assert lives.end(second) is not None
    reported = [(each["what"], each["by"]) for each in session(lives.journal)["history"]]
    assert ("halt", "limit") in reported
    assert [what for what, by in reported if by.endswith("(control)")] == ["resume", "session new"]


@pytest.mark.slow  # the session loss above shows the same in the suite
@pytest.mark.parametrize("lives", [(1, "", 60.0)], indirect=True)
def test_s40_a_drawdown_pause_outlives_kill_nine_and_ends_by_itself(lives: Any) -> None:
    limits = {**SMALL, "SESSION_LOSS": "0.5", "DRAWDOWN_PAUSE": "0.01", "PAUSE_TIME": "480"}
    first = lives.begin(300, **limits)
    lives.wait(lambda: lives.notes("recovered"))
    lose(lives, "limit", "drawdown-pause")
    (pause,) = said(lives, "limit", "drawdown-pause")
    lives.wait(lambda: session(lives.journal)["paused_until_ns"] == pause["until"])
    first.kill()
    assert lives.end(first) is None
    second = lives.begin(300, **limits)
    lives.wait(lambda: said(lives, "limit", "pause-over"))
    names = [note["event"] for note in lives.notes()]
    again = len(names) - names[::-1].index("recovered")
    over = next(i for i, note in enumerate(lives.notes()) if note.get("what") == "pause-over")
    assert "entry" not in names[again:over]
    lives.wait(lambda: session(lives.journal)["paused_until_ns"] == 0)
    second.send_signal(signal.SIGTERM)
    assert lives.end(second) is not None

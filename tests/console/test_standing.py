"""`status` for a person: a running daemon and an ended run, each within 80 columns."""

from __future__ import annotations

from typing import Any

import pytest

from turbo_trader.console.standing import entries_line, status_lines
from turbo_trader.console.tables import WIDTH

NOON = 1_767_614_400_000_000_000
VIEW: dict[str, Any] = {
    "session_result": "-0.1234", "capital_tier": "turbo", "equity": "15.78", "refusal": "halted: session result -20.10%",
    "lifted_by": "`turbo-trader session new`", "frozen": {"XRPUSDT": "a fill that is not ours"},
    "limits": {"session result": "0.617", "same direction": "1", "open positions": "0.3333"},
    "history": [{"ts": NOON, "what": "halt", "by": "limit", "why": "session result -20.10%"},
             {"ts": NOON + 10**9, "what": "resume", "by": "alice (control)", "why": ""}],
    "positions": [{
        "symbol": "SOLUSDT", "direction": -1, "qty": "1.4", "entry": "169.87", "price": "169.10", "stop": "170.88",
        "target": None, "zone": 2, "extensions": 1, "seconds": 61, "reason": "session-loss",
    }],
}  # fmt: skip
RUNNING: dict[str, Any] = {
    "name": "paper", "folder": "/x/var/x", "error": "",
    "mode": "paper", "environment": "loopback", "pid": 7, "speed": 30.0, "venue_time": NOON,
    "public_up": True, "private_up": False, "frames": 12_345, "gaps": 0, "journal": "var/x", "journal_failed": "", "view": VIEW,
    "trader": {
        "start_equity": "18", "trades": 3, "wins": 1, "losses": 2, "fees": "0.51", "net_pnl": "-2.22",
        "funnel": {"scans": 840, "candidates": 76, "passed": 4},
    },
}  # fmt: skip


def test_a_running_daemon_says_what_it_does_holds_and_has_used_up() -> None:
    lines = status_lines({"daemons": [RUNNING], "guards": []})
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= WIDTH
    for said in (
        "paper on loopback, process 7, 30x real time", "2026-01-05T12:00:00Z", "public up, private DOWN",
        "15.7800 USDT (began with 18.0000), session -12.34%", "needed: `turbo-trader session new`",
        "SOLUSDT short 1.4 at 169.87, price 169.10, stop 170.88, target -, zone 2+1, 61 s, closing: session-loss",
        "XRPUSDT: a fill that is not ours", "session result 62%, same direction 100%, open positions 33%",
        "3 closed (1 won, 2 lost), fees of all fills 0.5100, net -2.2200 USDT", "840, of them candidates 76, passed 4",
        "halt by limit (session result -20.10%)", "resume by alice (control)",
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "none yet; `turbo-trader run` starts one"),
        ({"mode": "paper", "pid": 7, "ended": None, "reason": None}, "ended uncleanly"),
        (
            {"mode": "live", "pid": 7, "ended": NOON, "reason": "stopped by SIGTERM"},
            "2026-01-05T12:00:00Z: stopped",
        ),
    ],
)
def test_a_run_that_is_over_says_how_it_ended(last: dict[str, Any] | None, said: str) -> None:
    ended = {
        "journal": "var/x/journal.sqlite",
        "boots": 1,
        "scans": 36,
        "notes": 9,
        "intents": {},
        "session": {},
    }
    last_run = {**ended, "last_boot": last} if last else ended
    lines = status_lines({"daemons": [], "guards": [], "last_run": last_run})
    assert lines[0] == "running     no"
    assert said in lines[1]


def test_a_halt_that_outlives_the_run_is_reported_with_its_history() -> None:
    ended = {
        "journal": "x",
        "boots": 1,
        "scans": 36,
        "notes": 9,
        "intents": {"confirmed": 2},
    }
    session = {"halts": {"halt": "halted by command"}, "history": VIEW["history"]}
    text = "\n".join(status_lines({"daemons": [], "guards": [], "last_run": {**ended, "session": session}}))
    assert "halted      halted by command; the next start is halted too" in text
    assert ": 1 start, " in text
    assert "resume by alice (control)" in text
    assert "2 confirmed" in text


def test_entries_are_allowed_or_say_why_not() -> None:
    assert entries_line({"refusal": ""}) == "allowed"
    assert entries_line({"refusal": "flattening", "lifted_by": ""}) == "none, flattening"


def test_several_daemons_and_guards_are_listed_even_if_one_does_not_answer() -> None:
    mute = {
        "name": "live",
        "mode": "live",
        "pid": 8,
        "folder": "/x/live",
        "error": "it does not answer: timed out",
    }
    guard = {"name": "live", "mode": "live", "pid": 9, "folder": "/x/live"}
    lines = status_lines({"daemons": [mute, RUNNING], "guards": [guard]})
    assert [line for line in lines if line.startswith("daemon ")] == ["daemon      live", "daemon      paper"]
    text = "\n".join(lines)
    assert "error       it does not answer: timed out" in text
    assert "guard       live, process 9, watches /x/live" in text
    assert "15.7800 USDT" in text  # the other one is printed whole

"""The text of `turbo-trader --help`: a table beside the verbs, because loading their options takes longer than reading it."""
# ruff: noqa: E501 - a sentence a line

from __future__ import annotations

from textwrap import fill
from typing import Final

ABOUT: Final = (
    "A truthful, crash-only trader for Bybit USDT perpetuals. Paper is the default and needs no key."
)
VERBS: Final = {
    "init": "Write the first .env: mode, balance, key file, the five numbers that bound a loss; then `doctor`. Asks at a terminal.",
    "run": "Listen, decide, trade, guard. Paper on the built-in synthetic market by default; Ctrl-C ends it cleanly.",
    "backtest": "Run the rules over recorded market data and report the result.",
    "chaos": "Play seeds of faults against the daemon and the simulated exchange; exit code 1 when an invariant broke.",
    "exchange": "Serve Bybit V5 (REST, public and private websockets) on loopback, to any client.",
    "status": "What the running daemons and guards are doing; without a daemon, how the last run ended.",
    "halt": "No new entries until `resume`; open positions are still managed.",
    "resume": "Lift a halt set by a person or by the edge watchdog.",
    "flatten": "Emergency stop: cancel entries, close everything, halt.",
    "stop": "Close everything and end the daemon; with --leave end it and leave positions to their stops.",
    "session": "`session new` begins a new session: lifts halts set by a limit and pauses.",
    "explore": "SIZE=earned: allow the smallest orders once more after they have cost 10 % of the account.",
    "explain": "Print scans of a symbol with every gate's figures, the first gate that blocked and what it needed to pass.",
    "logs": "The log of the running daemon or of the last run, one sentence per line.",
    "funnel": "Counts of the run's scans by hour, symbol and gate, beside the targets.",
    "calibration": "Forecast, confidence and p_tp against their outcomes, EV against results, with intervals; over all and per symbol.",
    "report": "Trades, win rate with its interval, wins and losses, durations, growth, fees, signal strengths; beside the targets.",
    "replay": "Replay what `run` recorded (RECORD=decisions or full): the same events must give the same decisions and commands.",
    "sweep": "Search parameters of a signal, or numbers of the rules; every trial counts, and the best is shown beside what luck gives.",
    "walk-forward": "Choose parameters inside each fold and apply them in the next, forwards and backwards. Exit code 0 for an edge, else 1.",
    "lookahead": "Cut off the future, falsify it, change the past: exit code 0 if no score changes, 1 if a signal knows more.",
    "qualify": "Edge, no edge or not enough evidence over closed trades: exit code 0 for an edge, 1 for any other verdict.",
    "dashboard": "Serve a page with every daemon: positions, equity, limits, evidence, funnel, log, emergency stop.",
    "feasible": "Per symbol: smallest order, margin, cost against target, break-even win rate, distance to liquidation, and why not.",
    "doctor": "Check keys, permissions, expiry, region, clock, account and position mode, balance, disk, journal; change nothing.",
    "policy": "Print every number of the rules by section: who set it, unit, meaning, overrides. NAME: where it comes from.",
    "guard": "Look every 3 s. If the daemon is gone, cancel its resting entries, restore stops, close what is overdue. It never opens.",
    "notify": "Show where alarms go and test that they arrive.",
    "tape": "Inspect, import, download and record market data.",
    "service": "Print, install or uninstall the systemd units of daemon and guard.",
    "journal": "Back up, check, export and restore the journal of a run.",
    "study": "Test signals for an edge on data; every trial is counted.",
}
_WIDTH: Final = 80
_NAME: Final = 4 + max(map(len, VERBS))  # columns: two before a verb, two behind it


def text() -> str:
    """The verbs with a sentence each, 80 columns."""
    verbs = [
        fill(about, _WIDTH, initial_indent=f"  {name:<{_NAME - 2}}", subsequent_indent=" " * _NAME)
        for name, about in VERBS.items()
    ]
    lines = ["usage: turbo-trader VERB [OPTIONS]", "", fill(ABOUT, _WIDTH), "", *verbs, ""]
    return "\n".join(
        [
            *lines,
            "turbo-trader VERB --help   the options of a verb",
            "turbo-trader --version     the version",
            "turbo-trader --install-completion   verbs and options in the shell",
            "exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 refused for safety",
        ]
    )

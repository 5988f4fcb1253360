"""What `turbo-trader --help` says. A table beside the verbs, as their options take a library longer to load than to read this."""
# ruff: noqa: E501 - a sentence a line

from __future__ import annotations

from textwrap import fill
from typing import Final

ABOUT: Final = (
    "A truthful, crash-only trader for Bybit USDT perpetuals. Paper is the default and needs no key."
)
VERBS: Final = {
    "init": "Write the first .env: mode, balance, key file, the five numbers that bound a loss; then `doctor`. Asks at a terminal.",
    "run": "Listen, decide, trade, guard. Paper on the built-in synthetic market unless asked otherwise; Ctrl-C ends it cleanly.",
    "backtest": "Run the rules over recorded market data and report the result.",
    "chaos": "Play seeds of faults against the daemon and the simulated exchange; exit code 1 when an invariant broke.",
    "exchange": "Serve Bybit V5 (REST, public and private websockets) on loopback, to any client.",
    "status": "What the running daemons and guards are doing; without a daemon, how the last run ended.",
    "halt": "No new entries until `resume`; open positions are managed on.",
    "resume": "Lift a halt set by a person or by the edge watchdog.",
    "flatten": "Emergency stop: cancel entries, close everything, halt.",
    "stop": "Close everything and end the daemon; with --leave end it and leave positions to their stops.",
    "session": "`session new` begins a new session: lifts halts set by a limit and pauses.",
    "explore": "SIZE=earned: after the smallest orders have cost 10 % of the account, let them find out once more.",
    "explain": "Print scans of a symbol with every gate's figures, the first blocker and what would have had to differ.",
    "logs": "The log of the running daemon, or of the last run, one sentence a line.",
    "funnel": "Counts of the run's scans by hour, symbol and gate, and the targets beside them.",
    "calibration": "Forecast, confidence and p_tp against their outcomes, EV against results, with intervals; over all and per symbol.",
    "report": "Trades, win rate with its interval, wins and losses, durations, growth, fees, signal strengths; beside the targets.",
    "replay": "What `run` recorded (RECORD=decisions or full): the same events must give the same decisions and commands.",
    "sweep": "Search parameters of a signal, or numbers of the rules; every trial counts, and the best is shown beside its luck.",
    "walk-forward": "Choose parameters inside each fold, pay for them in the next; forwards and backwards. Exit code 0 for an edge, else 1.",
    "lookahead": "Cut the future off, lie about it, show another past: exit code 0 where no score changes, 1 where a signal knows more.",
    "qualify": "Edge, no edge or not enough evidence over closed trades: exit code 0 for an edge, 1 for any other verdict.",
    "dashboard": "Serve a page with every daemon: positions, equity, limits, evidence, funnel, log, emergency stop.",
    "feasible": "Per symbol: smallest order, margin, cost against target, break-even win rate, distance to liquidation, and why not.",
    "doctor": "Keys, permissions, expiry, region, clock, account and position mode, balance, disk, journal; nothing is changed.",
    "policy": "Print every number of the rules by section: whose it is, unit, meaning, what was overridden. NAME: where it comes from.",
    "guard": "Look every 3 s; when the daemon is gone: cancel its resting entries, restore stops, close what is late. Never opens.",
    "notify": "Alarms: where they go, and whether they arrive there.",
    "tape": "Recordings: what is in them, and turning them into our own format.",
    "service": "Run by systemd: print, install or uninstall the units of daemon and guard.",
    "journal": "Back up, check, export and restore the journal of a run.",
    "study": "Is there an edge? Signals held against data; every trial is counted.",
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

"""Starting the daemon: what must be true first, the banner, the venue it talks to."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import uvloop

from turbo_trader.bybit.endpoints import Endpoints, Keys, endpoints, loopback
from turbo_trader.console.folders import new_run_folder
from turbo_trader.console.guarding import guard_beside
from turbo_trader.console.keys import given_keys, missing_keys
from turbo_trader.console.logs import open_log
from turbo_trader.console.observer import ConsoleObserver
from turbo_trader.console.output import say
from turbo_trader.console.paper import paper_venue
from turbo_trader.console.settings import Settings
from turbo_trader.console.terminal import Screen
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.live.daemon import run_daemon
from turbo_trader.live.settings import DaemonSettings, Summary
from turbo_trader.market.errors import Refused
from turbo_trader.rules.policy import Policy

ADVICE = (
    "before the first live trade: run on testnet or paper first; watch the first 10-20 trades; expect about 70 % A and 30 % B; "
    "a win rate of 60-70 % is hoped for, not promised; respect the session limit"
)


def start(
    settings: Settings, policy: Policy, seconds: float | None, *, ui: bool, take_over: bool = False
) -> tuple[Summary, Path]:
    """Run the daemon to its end; returns its summary and the journal folder. Refused where keys or acknowledgement are missing."""
    keys = None if settings.mode == "paper" else live_keys(settings)
    if keys is not None:
        live_endpoints(settings).check_order_entry(settings.order_entry)
    folder = new_run_folder(settings.journal_dir, settings.mode)
    with ExitStack() as stack:
        if keys is None:
            venue = stack.enter_context(paper_venue(settings))
            where, keys = loopback(venue.port), Keys(venue.key, venue.secret)
            symbols, market = tuple(venue.facts["symbols"]), str(venue.facts["market"])
            symbols = tuple(
                symbol for symbol in symbols if settings.market != "synthetic" or symbol in policy.symbols
            )
            speed = float(venue.facts["speed"])
            push_ms = int(venue.facts["book_push_ms"])
            lasts = venue.facts["lasts_s"]  # a tape ends; the run ends with it
            seconds = seconds if lasts is None else min(lasts, seconds or lasts)
        else:
            where, symbols, market, speed, push_ms = (
                live_endpoints(settings),
                policy.symbols,
                "Bybit",
                1.0,
                20,
            )
        tty = ui and sys.stderr.isatty() and sys.stdout.isatty()
        open_log(folder, level=settings.log_level, terminal=not tty, secrets=(keys.key, keys.secret))
        for line in banner(settings, policy, symbols, market, speed, folder):
            say(line)
        if speed > 1:
            say(
                f"the simulated venue merges book pushes to one in {push_ms} ms of its time, so that frames stay bearable"
            )
        if settings.mode != "paper":
            stack.enter_context(guard_beside(settings.mode, settings.journal_dir, folder))
        compile_once()
        screen = (
            stack.enter_context(Screen(f"turbo-trader {settings.mode}: {market}", symbols)) if tty else None
        )
        daemon = DaemonSettings(
            endpoints=where, keys=keys, symbols=symbols, journal=folder, duration_s=seconds,
            mode=settings.mode, lease=lease_rules(policy), order_entry=settings.order_entry, take_over=take_over,
        )  # fmt: skip
        return uvloop.run(run_daemon(daemon, policy, ConsoleObserver(screen))), folder


def lease_rules(policy: Policy) -> LeaseRules:
    """The lease of daemon and guard: nothing signed under an old one may still be accepted by the venue."""
    longest = policy.entry_recv_window * 1_000_000
    return LeaseRules(window_ns=max(LeaseRules().window_ns, longest))


def live_keys(settings: Settings) -> Keys:
    """The keys of a real environment; Refused with what is missing."""
    missing = []
    if settings.mode == "live" and not settings.i_accept_the_risk:
        missing.append("I_ACCEPT_THE_RISK=true (you may lose all of it)")
    keys = given_keys(settings)
    missing += missing_keys(keys)
    if missing:
        raise Refused(f"MODE={settings.mode} needs {', '.join(missing)}: set it in .env; {ADVICE}")
    return keys


def live_endpoints(settings: Settings) -> Endpoints:
    """Where a real environment is."""
    environment = "mainnet" if settings.mode == "live" else settings.mode
    return endpoints(environment, settings.bybit_domain, settings.bybit_tld)


def banner(
    settings: Settings, policy: Policy, symbols: tuple[str, ...], market: str, speed: float, folder: Path
) -> list[str]:
    """What is about to run, in a few lines."""
    lines = [f"turbo-trader {settings.mode} on {market}"]
    if settings.mode == "paper":
        tier = policy.capital_tier(settings.balance)
        weights = "equal" if settings.balance < policy.portfolio_from else "minimum variance"
        fast = f", time runs {speed:g} times faster" if speed != 1 else ""
        lines[0] += f"{fast}; nothing here is real money"
        every = tier.scan_interval_ns // 10**9
        lines.append(
            f"balance {settings.balance} USDT, tier {tier.name}, weights {weights}, scan every {every} s"
        )
    else:
        lines.append(ADVICE)
    lines.append(
        f"limits  session {policy.session_loss:.0%} of its start, pause at {policy.drawdown_pause:.0%} drawdown, "
        f"at most {policy.a_risk:.0%} (A) or {policy.b_risk:.0%} (B) of equity per stop"
    )
    lines.append(
        f"worst   the margin, where a price jumps its stop: up to {policy.total_margin:.0%} of the balance together"
    )
    return [*lines, f"symbols {', '.join(symbols)}", f"journal {folder}"]


def compile_once() -> None:
    """Make sure the kernels are compiled, saying so when it takes a while."""
    from turbo_trader.market.compiled import cache_folder

    if not cache_folder().exists():
        say("compiling once (about 15 s) ...")
    from turbo_trader.console.warm_up import warm_up

    warm_up()

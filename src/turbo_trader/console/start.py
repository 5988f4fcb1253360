"""Starting the daemon: what must be true first, the banner, the venue it talks to."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from turbo_trader.bybit.endpoints import Endpoints, Keys, Mode, loopback
from turbo_trader.console.alarms.addresses import Target
from turbo_trader.console.alarms.alarm_settings import alarms, targets_of
from turbo_trader.console.alarms.alarms_process import AlarmsBeside
from turbo_trader.console.banner import banner_lines, edge_fact, journal_fact, time_text
from turbo_trader.console.folders import made_for, require_folder, run_folder
from turbo_trader.console.guard_process import GuardBeside
from turbo_trader.console.journal_database import database_of
from turbo_trader.console.kernels import Use, compile_missing, load
from turbo_trader.console.markets import in_lockstep, require_market
from turbo_trader.console.metrics.metrics_settings import metrics_of
from turbo_trader.console.observer import ConsoleObserver, EventObserver, Observers, log_event
from turbo_trader.console.options import FASTEST
from turbo_trader.console.output import say
from turbo_trader.console.progress import Progress
from turbo_trader.console.qualified import qualified_facts
from turbo_trader.console.screen import view_messages
from turbo_trader.console.screen.screen_process import ScreenBeside, terminal_can
from turbo_trader.console.settings import MarketKind, Settings
from turbo_trader.console.size_choice import stage_facts
from turbo_trader.console.structured_logs import open_log
from turbo_trader.console.tables import wrapped
from turbo_trader.console.venues import ADVICE, lease_rules, live_venue
from turbo_trader.journal.address import Address, password_of
from turbo_trader.journal.segments import Keep
from turbo_trader.live.daemon import run_daemon
from turbo_trader.live.daemon_settings import Clocks, DaemonSettings, Observer, Summary
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.live.score_feed import InPlace, Scorer
from turbo_trader.live.systemd import Systemd
from turbo_trader.rules.policy import Policy

if TYPE_CHECKING:  # prometheus-client is an extra
    from turbo_trader.console.metrics.daemon_metrics import Metrics


@dataclass(kw_only=True, frozen=True, slots=True)
class Ground:
    """What a run stands on: the venue and its market. `lasts_s`: wall seconds after which the market ends, None: it does not."""

    endpoints: Endpoints
    keys: Keys
    symbols: tuple[str, ...]
    market: str
    speed: float = 1.0
    push_ms: int = 20
    lasts_s: float | None = None
    clocks: Clocks = field(default_factory=Clocks)
    run: Callable[[Coroutine[Any, Any, Summary]], Summary] = uvloop.run
    pace: float = 1.0  # seconds of the daemon's clock in a second of --for
    log_lines: Callable[[], None] = lambda: None  # from now on log what the simulated venue says of itself


def start(
    settings: Settings, policy: Policy, seconds: float | None, *, ui: bool, take_over: bool = False
) -> tuple[Summary, Path]:
    """Run the daemon to its end; returns its summary and the journal folder.

    Refused where keys or acknowledgement are missing. Nothing is written before all settings are checked, and a start that is
    refused later (by the venue, by another instance) leaves nothing of its own.
    """
    folder = run_folder(settings.journal_dir, settings.mode)
    database = database_of(settings, folder)
    systemd = Systemd.from_environment()  # before any process is started that would inherit it
    with ExitStack() as stack:
        metrics, targets = metrics_of(settings, free=not take_over), targets_of(settings)
        asked = scorer(policy, simulated=settings.mode == Mode.PAPER and in_lockstep(settings))
        require_folder(folder)
        ground = stack.enter_context(ground_of(settings, policy))
        if ground.lasts_s is not None:
            seconds = min(ground.lasts_s, seconds or ground.lasts_s)
        registration = stack.enter_context(Registry(Kind.DAEMON).claim(settings.mode, folder))
        stack.enter_context(made_for(registration, folder))
        tty = ui and terminal_can()
        _open_log(settings, ground, folder, targets, terminal=not tty)
        for line in banner(settings, policy, ground, registration.running.name, folder, database):
            say(line)
        sending = stack.enter_context(alarms(settings, targets, "daemon"))
        emit = log_event if sending is None else sending.emit
        guard = GuardBeside(settings.mode, settings.journal_dir, folder, emit)
        stack.callback(guard.leave)
        stack.enter_context(_loaded())
        screen = stack.enter_context(ScreenBeside(_about(settings, ground, folder, policy))) if tty else None
        # old names are named by it
        configured = tuple(policy.configured.get(symbol, symbol) for symbol in ground.symbols)
        daemon = DaemonSettings(
            endpoints=ground.endpoints, keys=ground.keys, symbols=configured, journal=folder, clocks=ground.clocks,
            database=database, journal_days=settings.journal_days,
            duration_s=None if seconds is None else seconds * ground.pace,
            mode=settings.mode, market=ground.market,
            lease=lease_rules(policy), order_entry=settings.order_entry, take_over=take_over,
            record=settings.record, keep=Keep(days=settings.record_days, size=int(settings.record_gb * 1e9)),
            self_check=(sys.executable, "-m", "turbo_trader.console", "replay", str(folder), "--verify", "--json"),
            services=() if metrics is None else (metrics.serve,), registration=registration, scorer=asked,
            systemd=systemd,
            on_started=guard.begin if settings.mode != Mode.PAPER else lambda: None,
        )  # fmt: skip
        observer = ConsoleObserver(policy, screen)
        summary = ground.run(run_daemon(daemon, policy, Observers(observer, *_listening(sending, metrics))))
        if sending is not None:
            sending.because(summary.reason)
        return summary, folder


@contextmanager
def _loaded() -> Iterator[None]:
    """The Trader's kernels are linked. Until the context ends, what is there by then is left out when garbage is searched for: a
    search through all of it would stop the daemon for a tenth of a second."""
    load(Use.TRADER)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def ground_of(settings: Settings, policy: Policy) -> Iterator[Ground]:
    """The venue of MODE, for as long as the context lasts."""
    if settings.mode != Mode.PAPER:
        yield live_ground(settings, policy)
        return
    with paper_ground(settings, policy) as ground:
        yield ground


def _open_log(
    settings: Settings, ground: Ground, folder: Path, targets: Sequence[Target], *, terminal: bool
) -> None:
    """From here on events are lines of the run's log; no secret of the run is in one."""
    password = password_of(settings.journal_url.get_secret_value())
    secrets = (ground.keys.key, ground.keys.secret, password, *(target.url for target in targets))
    open_log(folder, level=settings.log_level, terminal=terminal, secrets=secrets)
    ground.log_lines()


def _about(settings: Settings, ground: Ground, folder: Path, policy: Policy) -> dict[str, Any]:
    title = f"turbo-trader {settings.mode}: {ground.market}"
    return view_messages.about(title, ground.symbols, str(folder), policy)


def _listening(sending: AlarmsBeside | None, metrics: Metrics | None) -> Iterator[Observer]:
    """The other receivers of events besides the log."""
    if sending is not None:
        yield EventObserver(sending.event)
    if metrics is not None:
        yield metrics.said


def scorer(policy: Policy, *, simulated: bool) -> Scorer | None:
    """The panel signal of SIGNAL; None where entries come from the five signals. In simulated time it answers while time stands
    still, else in a process of its own. InputError where it cannot be had."""
    if not policy.scored:
        return None
    if simulated:
        from turbo_trader.lab.serving import serving

        asked = serving(policy)
        return None if asked is None else InPlace(asked)
    from turbo_trader.lab.score_process import ScoreProcess
    from turbo_trader.lab.serving import Order

    return ScoreProcess(Order.of(policy), float(policy.signal_time_limit))


@contextmanager
def paper_ground(settings: Settings, policy: Policy) -> Iterator[Ground]:
    """The simulated venue, for as long as the context lasts. Its kernels are compiled here: two processes would compile twice."""
    require_market(settings, policy)
    compile_missing(Use.TRADER, Use.VENUE)
    with ExitStack() as stack:
        with Progress("preparing the market"):
            ground = lockstep_ground if in_lockstep(settings) else process_ground
            entered = stack.enter_context(ground(settings, policy))
        yield entered


@contextmanager
def process_ground(settings: Settings, policy: Policy) -> Iterator[Ground]:
    """The simulated venue as a process of its own, on the wall's clock."""
    from turbo_trader.console.paper import paper_venue  # live modes need nothing of the simulated exchange

    with paper_venue(settings) as venue:
        facts = venue.facts
        symbols = [
            s for s in facts["symbols"] if settings.market != MarketKind.SYNTHETIC or s in policy.symbols
        ]
        yield Ground(
            endpoints=loopback(venue.port), keys=Keys(venue.key, venue.secret), symbols=tuple(symbols), market=str(facts["market"]),
            speed=float(facts["speed"]), push_ms=int(facts["book_push_ms"]), lasts_s=facts["lasts_s"], log_lines=venue.log_lines,
        )  # fmt: skip


@contextmanager
def lockstep_ground(settings: Settings, policy: Policy) -> Iterator[Ground]:
    """The simulated venue in the daemon's own process and time: it waits for the daemon, however slow the machine."""
    from turbo_trader.console.paper import lockstep_venue

    with lockstep_venue(settings, policy) as (steps, market, keys):
        venue = steps.venue
        names = tuple(instrument.symbol for instrument in venue.source.instruments)
        yield Ground(
            endpoints=loopback(venue.config.port),
            keys=keys,
            symbols=names,
            market=venue.source.label,
            speed=market.speed,
            push_ms=venue.push_ns // 1_000_000,
            lasts_s=market.lasts_s,
            clocks=steps.clocks,
            run=steps.run,
            pace=1.0 if market.speed == FASTEST else market.speed,
        )


def live_ground(settings: Settings, policy: Policy) -> Ground:
    """The venue of testnet, demo or live. Refused where keys or acknowledgement are missing."""
    where, keys = live_venue(settings)
    compile_missing(Use.TRADER)
    return Ground(
        endpoints=where,
        keys=keys,
        symbols=policy.symbols,
        market=f"the V5 venue at {where.rest}" if where.local else "Bybit",
    )


def banner(
    settings: Settings,
    policy: Policy,
    ground: Ground,
    name: str,
    folder: Path,
    database: Address | None = None,
) -> list[str]:
    """What is about to run, within 80 columns; `folder`, and where its tables are not in it `database`: of the journal."""
    head = [f"turbo-trader {settings.mode} on {ground.market}"]
    facts = []
    if settings.mode == Mode.PAPER:
        head = [*head, f"nothing here is real money{time_text(settings, ground.speed)}"]
    else:
        head = [*head, ADVICE]
    if ground.endpoints.local and settings.mode != Mode.PAPER:
        where = f"not Bybit's {settings.mode} environment but this machine"
        facts.append(("venue", f"BYBIT_REST_URL and BYBIT_STREAM_URL: {where}"))
    if ground.speed > 1:
        facts.append(
            (
                "pushes",
                f"the simulated venue merges those of a book to one in {ground.push_ms} ms of its time",
            )
        )
    if policy.scored:
        facts.append(("entries", f"by the panel signal {policy.signal}, trades of {policy.horizon}"))
    facts += stage_facts(policy, settings.mode, folder, time.time_ns())
    facts += qualified_facts(settings.mode, folder, settings.journal_dir)
    facts += [*edge_fact(settings), *journal_fact(name, database or folder)]
    return [
        *(part for line in head for part in wrapped(line)),
        *banner_lines(settings, policy, ground.symbols, facts),
    ]

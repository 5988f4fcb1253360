"""The asyncio shell: start, the tasks that feed the Trader, signals and the ends. What passes through is in `router`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.opening import believable
from turbo_trader.journal.recorder import Life
from turbo_trader.journal.store import Journal
from turbo_trader.live import startup
from turbo_trader.live.admission import admit, be_alone
from turbo_trader.live.control_server import ControlServer
from turbo_trader.live.daemon_settings import DaemonSettings, Observer, Summary
from turbo_trader.live.feeds import Decoder, PrivateFeed, PublicFeeds
from turbo_trader.live.gateway import Gateway, open_gateway
from turbo_trader.live.inside import Inside
from turbo_trader.live.record import RecordedFrames, keep_recording, recorder_of
from turbo_trader.live.router import Machine, Router
from turbo_trader.live.score_feed import ScoreFeed
from turbo_trader.live.self_check import check_daily
from turbo_trader.live.upkeep import Upkeep
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.instruments import Instrument, resolve
from turbo_trader.rules.choices import OnTerm
from turbo_trader.rules.policy import Policy
from turbo_trader.runtime.fencing import Fence
from turbo_trader.trader.commands import Regridded
from turbo_trader.trader.control_verbs import STATUS, ControlVerb
from turbo_trader.trader.events import Clock, ClockOffset, Control, Woken
from turbo_trader.trader.persisted import BOOTS, INTENTS, OUTCOMES, WORLD
from turbo_trader.trader.recovery import YOUNG

VIEW_S = 0.5
WAKE_S = 0.25  # the timer looks at the clock at least so often

Build = Callable[[tuple[Instrument, ...], Policy, str, int, dict[str, Any] | None], Machine]
BuildDecoder = Callable[[tuple[Instrument, ...]], Decoder]


def build_trader(
    instruments: tuple[Instrument, ...],
    policy: Policy,
    boot: str,
    start_ts: int,
    restored: dict[str, Any] | None,
) -> Machine:
    """The Trader of this project."""
    from turbo_trader.trader.machine import Trader

    machine: Machine = Trader(instruments, policy, boot=boot, start_ts=start_ts, restored=restored)
    return machine


def build_decoder(instruments: tuple[Instrument, ...]) -> Decoder:
    """A decoder of V5 public frames."""
    from turbo_trader.market.frames import FrameDecoder

    decoder: Decoder = FrameDecoder(instruments)
    return decoder


class Shell:
    """One run of the daemon."""

    def __init__(
        self,
        settings: DaemonSettings,
        policy: Policy,
        observer: Observer | None,
        build: Build = build_trader,
        decoder: BuildDecoder = build_decoder,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._observer = observer
        self._build = build
        self._build_decoder = decoder
        self._clock = VenueClock(settings.clocks.steady, settings.clocks.wall)
        self._stopping = False
        self._leaving = False  # a person or ON_TERM said to leave positions to their stops
        self._router: Router
        self._gateway: Gateway
        self._public: PublicFeeds
        self._private: PrivateFeed

    async def run(self) -> Summary:
        """Start, trade until the end, and leave everything written; see `daemon.run_daemon`."""
        settings = self._settings
        names = list(dict.fromkeys(resolve(symbol) for symbol in settings.symbols))
        journal = Journal(
            settings.journal, names, settings.mode, self._clock.now, take_over=settings.take_over, there=settings.database,
        )  # fmt: skip
        self._router = Router(journal, self._clock, settings.keys, self._observer)
        self._router.recorder = recorder_of(settings)
        self._fence = Fence(
            EpochFiles(settings.journal), settings.lease, self._router.emit, self._woken, self._fenced, settings.clocks.steady,
        )  # fmt: skip
        self._router.catch_up = self._fence.catch_up
        self._gateway = open_gateway(
            settings, self._clock, self._router.emit, self._fence.permit, self._router.meter
        )
        self._gateway.on_fatal = self._refused
        self._inside = Inside(settings, self._clock, self._router, self._gateway, self._fence)
        self._upkeep = Upkeep(
            settings, self._gateway, self._router, terms=lambda: self._instruments, offset=lambda: self._inside.offset,
            listed=self._listed,
        )  # fmt: skip
        self._router.gateway = self._gateway
        if journal.copy is not None:
            self._router.emit("journal-brought-up", "info", {"copy": str(journal.copy)})
        self._router.regridded = self._on_regridded
        try:
            async with contextlib.AsyncExitStack() as stack:
                for service in settings.services:
                    await stack.enter_async_context(service(self._inside))
                await self._start()
                if settings.registration is not None:
                    await stack.enter_async_context(ControlServer(settings.registration, self._asked))
                if settings.handle_signals:
                    stack.callback(self._listen_to_signals())
                settings.on_started()
                settings.systemd.ready()
                await self._work()
        except BaseException as error:
            self._router.end(settings.keys.redact(f"{type(error).__name__}: {error}"))
            raise
        finally:
            await self._finish()
        return Summary(
            self._router.reason, self._router.failed, self._inside.summary(), self._inside.status()
        )

    # -- life

    async def _start(self) -> None:
        settings, gateway = self._settings, self._gateway
        self._fence.begin()
        keeping = asyncio.create_task(
            self._keep_lease()
        )  # the Trader's timer does it from its first event on
        try:
            while not self._fence.permit():  # noqa: ASYNC110 - after a guard that did not give its lease back: time alone helps
                await asyncio.sleep(WAKE_S)
            await self._prepare(settings, gateway)
        finally:
            keeping.cancel()

    async def _prepare(self, settings: DaemonSettings, gateway: Gateway) -> None:
        await startup.reach(gateway, settings.endpoints.rest)
        if settings.mode != Mode.PAPER:
            names = [resolve(symbol) for symbol in settings.symbols]
            await admit(gateway, settings.endpoints.rest, names, self._policy, self._router.emit)
        await be_alone(gateway, self._router.journal, self._router.emit, take_over=settings.take_over)
        instruments, fees, _ = await asyncio.gather(
            startup.read_instruments(gateway, settings.symbols, self._router.emit),
            self._fees(),
            startup.prepare_account(gateway, self._router.emit),
        )
        self._instruments = instruments
        self._router.journal.name_rows([each.symbol for each in instruments])
        account = await startup.account_id(gateway, settings.keys, settings.mode)
        with believable(settings.journal):
            self._router.trader = self._make_trader(account)
        for rates in fees:
            self._router.deliver(rates)
        self._router.deliver(ClockOffset(self._clock.now(), self._inside.offset))
        self._private = PrivateFeed(
            settings.endpoints.private, settings.keys, self._clock, self._router.deliver, self._router.emit
        )
        self._public = PublicFeeds(
            settings.feeds, instruments, self._clock, self._router.deliver, self._router.emit,
            last_ts=lambda s: int(self._router.trader.states["ts"][s]),
            new_decoder=self._new_decoder, rest_s=self._router.rest_s, take_rows=self._router.take_rows,
        )  # fmt: skip
        self._router.read_on = self._public.read_on
        self._inside.private, self._inside.public = self._private, self._public
        self._router.emit(
            "started", "info",
            {"mode": settings.mode, "market": settings.market, "venue": settings.endpoints.rest, "speed": self._clock.speed,
             "symbols": [i.symbol for i in instruments], "boot": self._router.journal.boot},
        )  # fmt: skip

    def _make_trader(self, account: str) -> Machine:
        """The Trader with what the journal knows; what it is made of is recorded first."""
        boot, now, restored = self._router.journal.boot, self._clock.now(), self._restored(account)
        if (recorder := self._router.recorder) is not None:
            recorder.begin(
                Life(
                    instruments=self._instruments,
                    policy=self._policy,
                    boot=boot,
                    start_ts=now,
                    restored=restored,
                )
            )
        return self._build(self._instruments, self._policy, boot, now, restored)

    def _new_decoder(self) -> Decoder:
        decoder, recorder = self._build_decoder(self._instruments), self._router.recorder
        if recorder is None or not recorder.full:
            return decoder
        return RecordedFrames(decoder, self._instruments, recorder)

    def _restored(self, account: str) -> dict[str, Any]:
        """What the journal knows of earlier runs and of the guard, by key; mode and account with it."""
        journal = self._router.journal
        restored: dict[str, Any] = {
            **(journal.restored() or {}),
            WORLD: {
                "name": f"{self._settings.mode}:{account}",
                "signal": "" if self._settings.scorer is None else self._settings.scorer.wanted.fingerprint,
            },
            BOOTS: {"nonces": journal.boots()},
            INTENTS: {"unresolved": journal.unresolved(since=self._clock.now() - YOUNG)},
        }
        if len(outcomes := journal.outcomes()):
            restored[OUTCOMES] = {"rows": outcomes}
        return restored

    async def _keep_lease(self) -> None:
        while True:
            self._fence.beat()
            await asyncio.sleep(WAKE_S)

    def _woken(self, epoch: int) -> None:
        if hasattr(self._router, "trader"):
            known: list[str] = []
            with contextlib.suppress(
                sqlite3.Error, JournalError
            ):  # a journal that fails is reported elsewhere
                known = self._router.journal.boots()
            self._router.deliver(Woken(self._clock.now(), epoch, tuple(known)))

    def _refused(self, why: str) -> None:
        """The venue takes nothing of this key or account: no entries until a person says so."""
        if hasattr(self._router, "trader"):
            self._router.deliver(Control(self._clock.now(), ControlVerb.HALT, f"the venue: {why}"))

    def _fenced(self, why: str) -> None:
        """Another process writes now: decide nothing more, end, and let a new start recover."""
        self._router.failed = True
        self._router.end(why)

    async def _fees(self) -> Any:
        symbols = [resolve(symbol) for symbol in self._settings.symbols]
        return (
            await startup.read_fees(self._gateway, symbols) if self._settings.endpoints.has_fee_rates else []
        )

    async def _work(self) -> None:
        jobs: list[Awaitable[None]] = [
            self._private.stream.run(), self._run_timer(), self._run_view(), self._run_limit(), *self._upkeep.jobs(),
            self._settings.systemd.live(),
        ]  # fmt: skip
        for feed in self._public.feeds:
            jobs += [feed.stream.run(), feed.watch()]
        jobs += self._gateway.jobs()
        if self._settings.scorer is not None:
            symbols = [instrument.symbol for instrument in self._instruments]
            scores = ScoreFeed(
                self._settings.scorer, symbols, self._gateway, self._router.deliver, self._router.emit
            )
            jobs.append(scores.run())
        if self._router.recorder is not None:
            jobs.append(keep_recording(self._router.recorder, self._router.emit))
            if self._settings.self_check and self._settings.clocks.reached is None:
                jobs.append(check_daily(self._settings.self_check, self._router.emit))
        jobs += [self._backfill(i) for i in range(len(self._instruments))]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._router.guarded(job)) for job in jobs]
            await self._router.ended.wait()
            for task in tasks:
                task.cancel()

    async def _finish(self) -> None:
        """Let requests under way end, write their outcomes, close everything."""
        self._settings.systemd.stopping()
        await self._router.drain(self._settings.request_timeout_s + 1)
        await self._gateway.close()
        self._fence.end(left=self._leaving and not self._router.failed)
        self._router.journal.close(self._clock.now(), self._router.reason)
        if self._router.recorder is not None:
            self._router.recorder.close()

    async def _backfill(self, index: int) -> None:
        symbol = self._instruments[index].symbol
        event = await startup.backfill(
            self._gateway, symbol, index, self._settings.backfill_minutes, self._router.emit
        )
        if event is not None:
            self._router.deliver(event)

    async def _run_timer(self) -> None:
        while True:
            self._fence.beat()
            due = self._router.trader.next_time()
            wait = self._clock.wall_seconds(due)
            if wait <= 0:
                self._router.deliver(Clock(self._clock.now()))
                stuck = self._router.trader.next_time() <= due
                await asyncio.sleep(0.001 if stuck else 0)
                continue
            self._router.changed.clear()
            with contextlib.suppress(
                TimeoutError
            ):  # not wait_for: it can swallow a cancellation (Python 3.11)
                async with asyncio.timeout(min(wait, WAKE_S)):
                    await self._router.changed.wait()

    def _listed(self, instrument: Instrument) -> None:
        self._public.listed(instrument)

    def _on_regridded(self, reported: Regridded) -> None:
        """A symbol's tick or step is another from now on: frames in the new units, bars sent again."""
        known = self._instruments
        self._instruments = (*known[: reported.symbol], reported.instrument, *known[reported.symbol + 1 :])
        self._public.regrid(self._instruments, reported.symbol)
        self._router.spawn(self._backfill(reported.symbol))

    async def _run_view(self) -> None:
        shown = 0.0
        while True:
            await asyncio.sleep(VIEW_S)
            if time.monotonic() - shown < VIEW_S:
                continue  # simulated time runs faster than anyone reads
            shown = time.monotonic()
            self._router.observe(
                lambda observer: observer.view(self._router.trader.view(), self._inside.status())
            )

    async def _run_limit(self) -> None:
        if self._settings.duration_s is None:
            return
        await asyncio.sleep(self._settings.duration_s)
        self._stop("time limit")

    # -- ends

    def _stop(self, by: str) -> None:
        """Ask the Trader to end; if it does not in time, end without it."""
        if self._stopping:
            self._router.end(f"{by} (again)")
            return
        self._stopping = True
        self._leaving = self._policy.on_term is OnTerm.LEAVE
        self._router.deliver(Control(self._clock.now(), ControlVerb.STOP, by, {"leave": self._leaving}))
        if not self._router.ended.is_set():
            asyncio.get_running_loop().call_later(
                self._settings.stop_timeout_s, self._router.end, f"{by} (the trader did not end in time)"
            )

    def _listen_to_signals(self) -> Callable[[], None]:
        loop = asyncio.get_running_loop()
        actions: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._stop("SIGTERM"),
            signal.SIGINT: lambda: self._stop("SIGINT"),
            signal.SIGUSR1: lambda: self._router.deliver(
                Control(self._clock.now(), ControlVerb.FLATTEN, "SIGUSR1")
            ),
        }
        for number, action in actions.items():
            loop.add_signal_handler(number, action)

        def restore() -> None:
            for number in actions:
                loop.remove_signal_handler(number)

        return restore

    def _asked(self, verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """A verb from the control port."""
        if verb != STATUS:
            self._stopping = self._stopping or verb == ControlVerb.STOP
            self._leaving = bool(args.get("leave")) if verb == ControlVerb.STOP else self._leaving
            by = f"{str(args.get('by', 'somebody'))[:64]} (control)"
            self._router.deliver(Control(self._clock.now(), verb, by, dict(args)))
        inside = self._inside
        return inside.status() | {"trader": inside.summary(), "view": inside.view()}

"""What the daemon is started with, and what it reports to its starter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from turbo_trader.bybit.endpoints import Endpoints, Keys, Mode
from turbo_trader.journal.address import Address
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.journal.segments import Keep
from turbo_trader.live.inside import Inside
from turbo_trader.live.registry import Registration
from turbo_trader.live.systemd import Systemd
from turbo_trader.trader.commands import Note, Scanned

if TYPE_CHECKING:
    from turbo_trader.live.score_feed import Scorer

OrderEntry = Literal["rest", "websocket"]
Service = Callable[
    [Inside], AbstractAsyncContextManager[object]
]  # beside the daemon, on its loop, while it runs


class Record(StrEnum):
    """What is recorded for `replay`: nothing, what the Trader is given and commands, raw public frames too."""

    OFF = "off"
    DECISIONS = "decisions"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """How the public streams of a venue are listened to. `silence_s` of the daemon's seconds without a message end a connection."""

    url: str
    book_depth: int = 50
    symbols_per_connection: int = 5
    silence_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks a daemon goes by, in ns: one that never jumps, and UTC. `reached`: simulated seconds a wall second, where they are
    simulated."""

    steady: Callable[[], int] = time.monotonic_ns
    wall: Callable[[], int] = time.time_ns
    reached: Callable[[], float] | None = None


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """One run of the daemon. `duration_s` and the timeouts are seconds of its event loop, whose time may be simulated;
    the venue's own speed is learned from it.

    InputError where `order_entry` is not to be had at `endpoints`.
    """

    endpoints: Endpoints
    keys: Keys
    symbols: tuple[str, ...]
    journal: Path  # folder; made if absent
    database: Address | None = None  # that the journal's tables are in; None: a file of its folder
    journal_days: int = 30  # scans and what no money hangs on are kept so long; 0: for ever
    duration_s: float | None = None  # None: until asked to stop
    mode: Mode = Mode.PAPER
    market: str = ""  # what it trades on, as text: reports say whether it is made up
    backfill_minutes: int = 1_500
    request_timeout_s: float = 5.0
    silence_s: float = 10.0  # a public connection that says nothing for so long is renewed
    stop_timeout_s: float = 15.0  # given to the Trader to end by itself
    handle_signals: bool = True
    refresh_s: float = 3_600.0  # instruments and key are read again so often
    notices_s: float = 300.0  # announced maintenance is looked for so often
    book_depth: int = 50
    symbols_per_connection: int = 5
    lease: LeaseRules = field(default_factory=LeaseRules)
    clocks: Clocks = field(default_factory=Clocks)
    order_entry: OrderEntry = (
        "rest"  # what orders other than closes leave by; REST wherever the socket is not up
    )

    services: tuple[
        Service, ...
    ] = ()  # entered before the venue is asked anything; InputError refuses the start
    systemd: Systemd = field(default_factory=Systemd)  # hears that it is ready, lives and ends
    record: Record = Record.OFF
    keep: Keep = field(default_factory=Keep)  # of what is recorded
    self_check: tuple[str, ...] = ()  # the command that verifies the recording, run once a day; (): none
    registration: Registration | None = None  # where it says how it is controlled; None: by signals alone
    scorer: Scorer | None = None  # the panel signal that entries come from; None: the five signals
    take_over: bool = False  # orders of an instance the journal does not know are ours from now on

    on_started: Callable[[], None] = lambda: None  # called once, when all is read and it begins to trade

    def __post_init__(self) -> None:
        self.endpoints.check_order_entry(self.order_entry)

    @property
    def feeds(self) -> FeedSettings:
        """Of the venue's public streams."""
        return FeedSettings(
            self.endpoints.public, self.book_depth, self.symbols_per_connection, self.silence_s
        )


class Observer(Protocol):
    """The terminal's and the logs' ear; called on the event loop, must return at once and not raise."""

    def note(self, note: Note) -> None:
        """A line worth showing: the Trader's notes and the daemon's own."""

    def scanned(self, scanned: Scanned) -> None:
        """The rows of one scan."""

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """About twice a wall second: `Trader.view()` and the daemon's own figures (`Daemon.status`)."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: why, the Trader's own summary, and the daemon's figures.

    `failed`: the process ended by an error of its own (the message is `reason`); positions were left to their venue stops.
    """

    reason: str
    failed: bool
    trader: Mapping[str, Any]
    daemon: Mapping[str, Any] = field(default_factory=dict)

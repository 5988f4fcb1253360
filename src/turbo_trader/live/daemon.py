"""The daemon: streams to events, events to the Trader, commands to the venue. Nothing is decided here."""

from __future__ import annotations

from turbo_trader.live.daemon_settings import DaemonSettings, Observer, Summary
from turbo_trader.rules.policy import Policy


async def run_daemon(settings: DaemonSettings, policy: Policy, observer: Observer | None = None) -> Summary:
    """Recover, trade and guard until asked to stop, `duration_s` is over, or the Trader stops by itself.

    Raises InputError for what a person must mend before anything starts (journal folder, keys, symbols, address in use).
    """
    from turbo_trader.live.shell import Shell

    return await Shell(settings, policy, observer).run()

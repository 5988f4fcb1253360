"""`turbo-trader exchange`: the simulated Bybit alone, for any V5 client."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from typing import Annotated

import typer


def exchange(
    port: Annotated[int, typer.Option(help="0: any free port", min=0, max=65535)] = 9000,
    market: Annotated[str | None, typer.Option(help="synthetic or tape:PATH")] = None,
    speed: Annotated[float | None, typer.Option(help="venue seconds a wall second")] = None,
    balance: Annotated[str | None, typer.Option(help="USDT of the one account")] = None,
    seed: Annotated[int | None, typer.Option(help="of the synthetic market")] = None,
    edge: Annotated[float | None, typer.Option(help="predictability put into the synthetic market")] = None,
    faults: Annotated[
        str | None, typer.Option(help="what goes wrong: drop=0.05,delay=0.05,error=0.05 (--faults help: all)")
    ] = None,
    fault_seed: Annotated[int | None, typer.Option(help="of the faults", min=0)] = None,
    control: Annotated[
        bool, typer.Option("--control", help="serve /control/faults, /adl, /keys and /disconnect")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="as demo accounts: no /v5/trade, no fee rates")
    ] = False,
    hedge: Annotated[bool, typer.Option("--hedge", help="accounts begin in hedge mode")] = False,
    cross: Annotated[bool, typer.Option("--cross", help="accounts begin with cross margin")] = False,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="rate and connection limits")] = True,
    vip: Annotated[int, typer.Option(help="VIP level: raises the limits of orders", min=0, max=5)] = 0,
    footprint: Annotated[
        float | None,
        typer.Option(
            help="seconds that fills stay taken from the book (default: until the level changes)", min=0
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout when it listens")] = False,
) -> None:
    """Serve Bybit V5 (REST, public and private websockets) on loopback, to any client."""
    import uvloop

    from turbo_trader.console.markets import open_market, speed_of
    from turbo_trader.console.settings import environment, load_settings
    from turbo_trader.exchange.protocol.faults import FaultPlan, explained
    from turbo_trader.live.venue import Venue, VenueConfig
    from turbo_trader.rules.policy import Policy

    if faults == "help":
        print("\n".join(f"{name:<12} {meaning}" for name, meaning in explained().items()))
        return
    settings = load_settings(
        market=market,
        speed=speed,
        balance=balance,
        seed=seed,
        edge=edge,
        faults=faults,
        fault_seed=fault_seed,
    )
    plan = FaultPlan.parse(settings.faults)
    key, secret = _keys() if json and not sys.stdin.isatty() else ("simulated-key", "simulated-secret")
    source = open_market(settings, Policy.from_env(environment()))
    config = VenueConfig(
        key, secret, settings.balance, speed_of(settings), port=port, faults=plan, fault_seed=settings.fault_seed,
        control=control, demo=demo, hedge=hedge, cross=cross, limits=limits, vip=vip,
        footprint_ns=None if footprint is None else round(footprint * 1e9),
    )  # fmt: skip
    venue = Venue(source, config)
    uvloop.run(_serve(venue, as_json=json))


def _keys() -> tuple[str, str]:
    import json

    from turbo_trader.market.errors import InputError

    try:
        given = json.loads(sys.stdin.readline())
        return str(given["key"]), str(given["secret"])
    except (ValueError, KeyError, TypeError):
        raise InputError(
            'with --json, key and secret are read from stdin: {"key": "...", "secret": "..."}'
        ) from None


def _end_with_stdin(stopped: asyncio.Event) -> None:
    """Stop when whoever started us closes our stdin, by ending in whatever way."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=wait, daemon=True).start()


async def _serve(venue: object, *, as_json: bool) -> None:
    import json
    import signal

    from turbo_trader.live.venue import Venue, serve
    from turbo_trader.live.venue_market import TapeSource

    assert isinstance(venue, Venue)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if as_json and not sys.stdin.isatty():
        _end_with_stdin(stopped)
    async with serve(venue) as port:
        symbols = [instrument.symbol for instrument in venue.source.instruments]
        source = venue.source
        lasts = (
            (source.end - source.start) / 1e9 / venue.config.speed if isinstance(source, TapeSource) else None
        )
        facts = {"port": port, "market": venue.source.label, "speed": venue.config.speed, "symbols": symbols,
                 "book_push_ms": venue.push_ns // 1_000_000, "lasts_s": lasts}  # fmt: skip
        if as_json:
            sys.stdout.write(json.dumps(facts) + "\n")
            sys.stdout.flush()
        else:
            print(
                f"simulated Bybit V5 on http://127.0.0.1:{port} (ws://127.0.0.1:{port}/v5/public/linear, /v5/private, /v5/trade)"
            )
            print(f"market      {venue.source.label}")
            print(f"symbols     {', '.join(symbols)}")
            print(
                f"account     {venue.config.balance} USDT, key {venue.config.key}, secret {venue.config.secret}"
            )
            print(
                f"faults      {venue.config.faults if venue.config.faults.rates else 'none'}"
                f"{', control routes on' if venue.config.control else ''}"
            )
            print(
                f"speed       {venue.config.speed:g}, book pushes merged to {facts['book_push_ms']} ms of the venue's time"
            )
        await stopped.wait()
    if venue.slipped_s >= 1.0:
        lost = f"{venue.slipped_s:.0f} s of wall time were left out of the market's"
        print(f"turbo-trader: too slow here for speed {venue.config.speed:g}: {lost}", file=sys.stderr)

"""`turbo-trader exchange`: the simulated exchange alone, for any V5 client."""

from __future__ import annotations

import contextlib
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console import exit_codes
from turbo_trader.console.options import Edge, FaultSeed, MarketStart, Seed, figure, whole

if TYPE_CHECKING:
    import asyncio
    from socket import socket

    from turbo_trader.console.settings import Settings
    from turbo_trader.exchange.accounts import FeeCoin
    from turbo_trader.exchange.protocol.signing import Key
    from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
    from turbo_trader.rules.policy import Policy


Port = Annotated[int, typer.Option(help="0: any free port", parser=whole(0, 65535))]
Host = Annotated[str, typer.Option(help="address to serve on; the default serves only this machine")]
Market = Annotated[str | None, typer.Option(help="synthetic, tape:PATH, bybit, or bybit:URL")]
Speed = Annotated[
    float | None, typer.Option(help="venue seconds a wall second (default: 1)", parser=figure())
]
Balance = Annotated[str | None, typer.Option(help="USDT of each account")]
Accounts = Annotated[
    int,
    typer.Option(
        help="how many accounts; the second one's key is KEY-2, its secret SECRET-2", parser=whole(1, 100)
    ),
]
Record = Annotated[Path | None, typer.Option(help="file for all requests and answers, as JSON lines")]
Plan = Annotated[
    str | None, typer.Option(help="faults: drop=0.05,delay=0.05,error=0.05 (--faults help lists all)")
]
Control = Annotated[
    bool, typer.Option("--control", help="serve the control routes: /control/faults and so on")
]
Demo = Annotated[bool, typer.Option("--demo", help="as demo accounts: no /v5/trade, no fee rates")]
Hedge = Annotated[bool, typer.Option("--hedge", help="accounts begin in hedge mode")]
Cross = Annotated[bool, typer.Option("--cross", help="accounts begin with cross margin")]
Limits = Annotated[bool, typer.Option("--limits/--no-limits", help="rate and connection limits")]
Ban = Annotated[
    float, typer.Option(help="seconds for which an address over its limit is barred", parser=figure())
]
Vip = Annotated[int, typer.Option(help="VIP level: lower fees, higher limits of orders", parser=whole(0, 5))]
Footprint = Annotated[
    float | None,
    typer.Option(
        help="seconds that fills stay taken from the book (default: until the level changes)", parser=figure()
    ),
]
Fees = Annotated[
    str | None,
    typer.Option(
        "--fee-coin", help="accounts pay fees in it and have 1,000 of it: MNT, or MNT=PRICE (0.8 USDT)"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout when it listens")]


def exchange(
    *, port: Port = 9000, host: Host = "127.0.0.1", market: Market = None, speed: Speed = None, start: MarketStart = None,
    balance: Balance = None, accounts: Accounts = 1, record: Record = None,
    seed: Seed = None, edge: Edge = None, faults: Plan = None, fault_seed: FaultSeed = None, control: Control = False,
    demo: Demo = False, hedge: Hedge = False, cross: Cross = False, limits: Limits = True, ban: Ban = 600.0, vip: Vip = 0,
    footprint: Footprint = None, fee_coin: Fees = None, json: Json = False,
) -> None:  # fmt: skip
    """Serve Bybit V5 (REST, public and private websockets) on loopback, to any client."""
    from turbo_trader.console.settings import load_settings
    from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, explained
    from turbo_trader.exchange_server.exchange_host import VenueConfig

    if faults == "help":
        print("\n".join(f"{name:<12} {meaning}" for name, meaning in explained().items()))
        return
    settings = load_settings(
        market=market,
        speed=speed,
        market_start=start,
        balance=balance,
        seed=seed,
        edge=edge,
        faults=faults,
        fault_seed=fault_seed,
    )
    given = (
        "" if not json or sys.stdin.isatty() else sys.stdin.readline()
    )  # "": at its end, as with </dev/null
    key, secret = _keys(given) if given else ("simulated-key", "simulated-secret")
    config = VenueConfig(
        key, secret, settings.balance, host=host, port=port, faults=FaultPlan.parse(settings.faults),
        fault_seed=settings.fault_seed, control=control, demo=demo, hedge=hedge, cross=cross, limits=limits,
        ban_ns=round(ban * 1e9), vip=vip, footprint_ns=None if footprint is None else round(footprint * 1e9),
        fee_coin=None if fee_coin is None else _fee_coin(fee_coin), record=record,
        keys=_more_keys(key, secret, accounts),
    )  # fmt: skip
    _run(settings, config, as_json=json, while_stdin=bool(given))


def _run(settings: Settings, config: VenueConfig, *, as_json: bool, while_stdin: bool) -> None:
    """Serve until stopped. InputError for what cannot be had, before anything long begins."""
    import uvloop

    from turbo_trader.console.kernels import Use, compile_missing
    from turbo_trader.console.markets import require_market
    from turbo_trader.console.settings import environment
    from turbo_trader.exchange_server.request_record import RequestRecord
    from turbo_trader.exchange_server.server import bound
    from turbo_trader.rules.policy import Policy

    policy = Policy.from_env(environment())
    require_market(settings, policy)
    if config.record is not None:
        RequestRecord(config.record).close()
    with contextlib.closing(bound(config.host, config.port)) as place:
        _raise_file_limit()
        compile_missing(Use.VENUE)
        uvloop.run(_serve(settings, policy, config, place, as_json=as_json, while_stdin=while_stdin))


def _fee_coin(text: str) -> FeeCoin:
    """A coin and its price, as MNT=0.8; InputError for anything else."""
    from turbo_trader.console.settings import positive_decimal
    from turbo_trader.exchange.accounts import FeeCoin
    from turbo_trader.market.errors import InputError

    name, _, price = text.partition("=")
    if not name.isascii() or not name.isalnum() or not name.isupper() or name == "USDT":
        raise InputError(f"--fee-coin {text!r}: give a coin other than USDT and its price, as MNT=0.8")
    return FeeCoin(name, positive_decimal(price or "0.8", "--fee-coin price", Decimal("0.00000001")))


def _more_keys(key: str, secret: str, accounts: int) -> tuple[Key, ...]:
    """The keys of the accounts after the first."""
    from turbo_trader.exchange.protocol.signing import Key

    return tuple(Key(key=f"{key}-{n}", secret=f"{secret}-{n}", uid=str(n)) for n in range(2, accounts + 1))


def _keys(line: str) -> tuple[str, str]:
    import json

    from turbo_trader.market.errors import InputError

    try:
        given = json.loads(line)
        return str(given["key"]), str(given["secret"])
    except (ValueError, KeyError, TypeError):
        raise InputError(
            'with --json, key and secret may be given on stdin, else nothing: {"key": "...", "secret": "..."}'
        ) from None


def _raise_file_limit() -> None:
    """As many connections as the system allows: a thousand and more may come, and shells often allow 1,024 files."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # where the system allows no more after all
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end_with_stdin(stopped: asyncio.Event) -> None:
    """Stop when whoever started us closes our stdin, by ending in whatever way."""
    import asyncio

    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=wait, daemon=True).start()


async def _serve(
    settings: Settings,
    policy: Policy,
    config: VenueConfig,
    place: socket,
    *,
    as_json: bool,
    while_stdin: bool,
) -> None:
    import asyncio
    import signal
    from dataclasses import replace

    from turbo_trader.console.markets import open_market
    from turbo_trader.exchange_server.exchange_host import Venue
    from turbo_trader.exchange_server.server import serve

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if while_stdin:
        _end_with_stdin(stopped)
    async with open_market(settings, policy, _reported) as market:
        venue = Venue(
            market.source,
            replace(config, speed=market.speed),
            frames=market.frames,
            clock=market.clock,
            report=_reported,
        )
        async with serve(venue, place) as port:
            _announce(venue, port, as_json=as_json)
            await stopped.wait()
    if venue.feed.unreadable:
        left = f"{venue.feed.unreadable} frames of the market could not be read and were left out"
        exit_codes.report(left)
    if venue.clock.slipped_ns >= 1e9:
        lost = f"{venue.clock.slipped_ns / 1e9:.0f} s of wall time were left out of the market's"
        exit_codes.report(f"too slow here for speed {venue.config.speed:g}: {lost}")


def _announce(venue: Venue, port: int, *, as_json: bool) -> None:
    """Say what is served, and where."""
    import json

    from turbo_trader.exchange_server.market_source import TapeSource

    source, config = venue.source, venue.config
    symbols = [instrument.symbol for instrument in source.instruments]
    push_ms = venue.push_ns // 1_000_000
    if as_json:
        lasts = (source.end - source.start) / 1e9 / config.speed if isinstance(source, TapeSource) else None
        facts = {"port": port, "market": source.label, "speed": config.speed, "symbols": symbols,
                 "book_push_ms": push_ms, "lasts_s": lasts, "url": f"http://{config.host}:{port}",
                 "stream": f"ws://{config.host}:{port}", "accounts": len(venue.exchange.accounts)}  # fmt: skip
        print(json.dumps(facts), flush=True)
        return
    where = f"{config.host}:{port}"
    control = ", control routes on" if config.control else ""
    print(f"simulated Bybit V5 on http://{where} (ws://{where}/v5/public/linear, /v5/private, /v5/trade)")
    print(f"market      {source.label}")
    print(f"symbols     {', '.join(symbols)}")
    print(f"account     {config.balance} USDT, key {config.key}, secret {config.secret}")
    for more in config.keys:
        print(f"account     {config.balance} USDT, key {more.key}, secret {more.secret}")
    print(f"faults      {config.faults if config.faults.rates else 'none'}{control}")
    print(f"speed       {config.speed:g}, book pushes merged to {push_ms} ms of the venue's time")
    print(f"ready       http://{where}/health", flush=True)


def _reported(name: str, level: str, fields: dict[str, Any]) -> None:
    """What is said of an upstream, or of a machine too slow for the speed, on stderr; `run` takes it into its log."""
    said = ", ".join(f"{key} {value}" for key, value in fields.items() if value != "")
    exit_codes.report(f"{level}: {name} {said}".rstrip())

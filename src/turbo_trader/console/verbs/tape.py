"""`turbo-trader tape`: recordings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from turbo_trader.console.options import whole
from turbo_trader.numbers.text import parts

if TYPE_CHECKING:
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.download import Fetched
    from turbo_trader.live.frame_recorder import FrameRecorder

app = typer.Typer(help="Inspect, import, download and record market data.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Symbols = Annotated[str, typer.Option(help="comma-separated; default: those of it that are in the universe")]


@app.command("info")
def info(
    tape: Annotated[Path, typer.Argument(help="a tape of any format")],
    symbols: Symbols = "",
    json: Json = False,
) -> None:
    """What is in a tape. Span, symbols, events by kind, and whether it is rebuilt from bars or made up."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.market.tape import read_tape

    with Progress(f"reading {tape}"):
        facts = read_tape(tape, parts(symbols) or None).facts()
    if json:
        print_json(facts)
        return
    origin = "rebuilt from bars" if facts["rebuilt"] else "made up" if facts["made_up"] else "recorded"
    seconds = (facts["end_ns"] - facts["start_ns"]) / 1e9
    print(
        f"{facts['source']}: {origin}, {facts['events']:,} events of {facts['bytes_an_event']} bytes, {seconds:,.0f} s"
    )
    for symbol, counts in facts["symbols"].items():
        print(f"  {symbol:<12}" + "  ".join(f"{name} {count:,}" for name, count in counts.items()))
    for reason, count in facts["left_out"].items():
        print(f"  left out: {count:,} {reason}")


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="raw V5 frames, the venue's public archives, or one-minute bars")
    ],
    target: Annotated[Path, typer.Argument(help="a .parquet file to write")],
    symbols: Symbols = "",
    seed: Annotated[int, typer.Option(help="of the path inside rebuilt bars", parser=whole())] = 1,
    bars: Annotated[
        bool, typer.Option("--bars", help="keep bars as bars, of any interval and any symbols, for studies")
    ] = False,
    json: Json = False,
) -> None:
    """Write a recording as a Parquet tape, or bars as bars."""
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.progress import Progress
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.tape import read_tape, write_tape
    from turbo_trader.market.tape_cache import TapeCache, tapes_folder

    if target.suffix != ".parquet":
        raise InputError(f"{target}: the tape's name must end in .parquet")
    found: dict[str, object] = {"target": target}
    if bars:
        from turbo_trader.lab.importing import import_bars

        with Progress(f"reading {source}"):
            count, interval, left_out = import_bars(source, target, parts(symbols))
        found |= {"bars": count, "interval_s": interval // 10**9}
        what = f"{count:,} bars of {interval // 10**9} s"
    else:
        with Progress(f"reading {source}"):
            tape = read_tape(source, parts(symbols) or None, seed=seed, cache=TapeCache(tapes_folder()))
            write_tape(tape, target)
        left_out, count = dict(tape.left_out), sum(len(rows) for rows in tape.rows)
        found |= {"events": count}
        what = f"{count:,} events"
    found |= {"bytes": target.stat().st_size, "left_out": left_out}
    if json:
        print_json(found)
        return
    for reason, rows in left_out.items():
        say(f"{source}: left out: {rows:,} {reason}")
    say(f"{target}: {what}, {target.stat().st_size:,} bytes")


@app.command("record")
def record(
    folder: Annotated[Path, typer.Argument(help="where the files go: frames-YYYYMMDD-HH.jsonl, one an hour")],
    symbols: Annotated[str, typer.Option(help="comma-separated")],
    duration: Annotated[
        str, typer.Option("--for", help="how long, such as 40s or 2h; default: until Ctrl-C")
    ] = "",
    market: Annotated[
        str,
        typer.Option(help="bybit, or bybit:URL for another V5 venue, such as bybit:http://127.0.0.1:9000"),
    ] = "bybit",
    depth: Annotated[int, typer.Option(help="levels of order books", parser=whole(1, 1_000))] = 50,
    json: Json = False,
) -> None:
    """A venue's public frames as they come. No key is needed; each file is a tape of its own."""
    import uvloop

    from turbo_trader.console.markets import upstream
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.settings import load_settings
    from turbo_trader.console.times import parse_duration
    from turbo_trader.live.frame_recorder import FrameRecorder
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.names import perpetual_symbol

    seconds = parse_duration(duration) if duration else None
    chosen = tuple(perpetual_symbol(name, "--symbols") for name in parts(symbols))
    if not chosen:
        raise InputError("--symbols: name one at least")
    if market.partition(":")[0] != "bybit":
        raise InputError(f"--market {market}: must be bybit or bybit:URL")
    where = upstream(load_settings(market=market))
    recorder = FrameRecorder(folder=folder, url=where.public, symbols=chosen, depth=depth, say=say)
    try:
        uvloop.run(_until_ended(recorder, seconds))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    found = {
        "files": recorder.files,
        "frames": recorder.frames,
        "bytes": recorder.written,
        "unreadable": recorder.unreadable,
        "connections_lost": recorder.lost,
    }
    if json:
        print_json(found)
    else:
        say(
            f"{folder}: {recorder.frames:,} frames, {recorder.written:,} bytes in {len(recorder.files)} files"
        )


async def _until_ended(recorder: FrameRecorder, seconds: float | None) -> None:
    """Record; SIGINT and SIGTERM end it as its time does."""
    import asyncio
    import signal

    running = asyncio.ensure_future(recorder.run(seconds))
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, running.cancel)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()


KindOption = Annotated[str, typer.Argument(help="trades, books or candles")]
Folder = Annotated[Path, typer.Argument(help="where the files go")]
SymbolsOption = Annotated[str, typer.Option(help="comma-separated")]
First = Annotated[str, typer.Option("--from", help="first day, such as 2025-05-01 (UTC)")]
Last = Annotated[str, typer.Option("--to", help="last day; default: the first")]
Minutes = Annotated[int, typer.Option(help="of candles", parser=whole(1, 1_440))]
Depth = Annotated[int, typer.Option(help="levels of order books", parser=whole(1, 1_000))]
Host = Annotated[str, typer.Option(help="another server of the same files, such as http://127.0.0.1:8000")]


@app.command("download")
def download(
    *,
    kind: KindOption,
    folder: Folder,
    symbols: SymbolsOption,
    first: First,
    last: Last = "",
    minutes: Minutes = 1,
    depth: Depth = 500,
    host: Host = "",
    json: Json = False,
) -> None:
    """Fetch Bybit's public archives and candles. Begins again where it stopped; each file is checked before it gets its name."""
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.download import Fetched, Hosts, Kind, address, days, fetch_archive, fetch_candles
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.names import perpetual_symbol

    if kind not in tuple(Kind):
        raise InputError(f"{kind}: must be trades, books or candles")
    begin, end = _day(first, "--from"), _day(last or first, "--to")
    if end < begin:
        raise InputError(f"--to {end}: before --from {begin}")
    chosen = [perpetual_symbol(name, "--symbols") for name in parts(symbols)]
    if not chosen:
        raise InputError("--symbols: name one at least")
    hosts = Hosts(host, host, host) if host else Hosts()

    def fetch(symbol: str, day: date, done: Fetched, share: Callable[[float], None]) -> int:
        if kind == Kind.CANDLES:
            span = _midnight(begin), _midnight(end, 1)
            return fetch_candles(hosts, symbol, minutes, span, folder, done=done, share=share)
        fetch_archive(address(Kind(kind), hosts, symbol, day, depth), folder, done, bar.say, share)
        return 0

    wanted = [
        (symbol, day) for symbol in chosen for day in (days(begin, end) if kind != Kind.CANDLES else [begin])
    ]
    done, gaps = Fetched(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Progress(f"downloading {kind}", len(wanted)) as bar:
            for number, (symbol, day) in enumerate(wanted):
                share = partial(_at, bar, number, symbol if kind == Kind.CANDLES else f"{symbol} {day}")
                share(0.0)
                gaps += fetch(symbol, day, done, share)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    _fetched(folder, done, gaps, as_json=json)


def _fetched(folder: Path, done: Fetched, gaps: int, *, as_json: bool) -> None:
    from turbo_trader.console.output import print_json, say

    if as_json:
        print_json(
            {name: getattr(done, name) for name in ("files", "already", "bytes", "missing")} | {"gaps": gaps}
        )
    else:
        say(
            f"{folder}: {done.files} files, {done.already} there already, {done.missing} not in the archive, {gaps} candles missing"
        )


def _at(bar: Progress, number: int, named: str, share: float) -> None:
    """So much of a file, after `number` others."""
    bar.at(number + share, named)


def _day(given: str, option: str) -> date:
    from turbo_trader.market.errors import InputError

    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InputError(f"{option} {given}: must be a day, such as 2025-05-01") from None


def _midnight(day: date, later: int = 0) -> int:
    """Milliseconds UTC."""
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=later)
    return int(begins.timestamp() * 1000)

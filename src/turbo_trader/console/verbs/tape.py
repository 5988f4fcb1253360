"""`turbo-trader tape`: recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from turbo_trader.console.options import whole

app = typer.Typer(
    help="Recordings: what is in them, and turning them into our own format.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Symbols = Annotated[str, typer.Option(help="comma-separated; default: those of it that are in the universe")]


@app.command("info")
def info(
    tape: Annotated[Path, typer.Argument(help="a tape of any format")],
    symbols: Symbols = "",
    json: Json = False,
) -> None:
    """Span, symbols, events by kind, and whether it is rebuilt from bars or made up."""
    from turbo_trader.console.output import print_json
    from turbo_trader.market.tape import read_tape

    facts = read_tape(tape, _names(symbols)).facts()
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
) -> None:
    """Write a recording as a Parquet tape."""
    from turbo_trader.console.output import say
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.tape import read_tape, write_tape

    if target.suffix != ".parquet":
        raise InputError(f"{target}: the tape's name must end in .parquet")
    tape = read_tape(source, _names(symbols), seed=seed)
    write_tape(tape, target)
    for reason, count in tape.left_out.items():
        say(f"{source}: left out: {count:,} {reason}")
    say(f"{target}: {sum(len(rows) for rows in tape.rows):,} events, {target.stat().st_size:,} bytes")


def _names(symbols: str) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in symbols.split(",") if name.strip()) or None

"""Files of bars, prints and frames to read, and the one line of a refusal."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from turbo_trader.market.errors import InputError
from turbo_trader.market.tape import read_tape

T0 = 1_754_006_400_000
BARS = "ts_ms,open,high,low,close,volume"
PRINTS = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional,RPI"
)


def book(n: int, *, symbol: str = "BTCUSDT", ts: int | None = None) -> str:
    data = {"s": symbol, "b": [["115000.1", f"1.{n}"]], "a": [["115000.2", "1"]], "u": 100 + n, "seq": n}
    kind = "delta" if n else "snapshot"
    when = T0 + 100 * n if ts is None else ts
    return json.dumps(
        {"topic": f"orderbook.200.{symbol}", "ts": when, "type": kind, "data": data, "cts": when - 3}
    )


def print_line(seconds: float, price: str = "115000.1", symbol: str = "BTCUSDT") -> str:
    return f"{seconds:.4f},{symbol},Buy,0.01,{price},PlusTick,id,1e9,0.01,1150,0"


def bar(minute: int, close: str = "115000") -> str:
    return f"{T0 + 60_000 * minute},115000,115010,114990,{close},1.5"


def write(path: Path, *lines: str) -> Path:
    text = "".join(f"{line}\n" for line in lines).encode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.stem, text)
    else:
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def refused(path: Path, read: Callable[[Path], object] = read_tape) -> str:
    with pytest.raises(InputError) as error:
        read(path)
    assert len(str(error.value).splitlines()) == 1
    assert str(path) in str(error.value)
    return str(error.value)

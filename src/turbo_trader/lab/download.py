"""Downloads Bybit's public archives and candles: resumable, each file checked before it gets its name.

Prints: ARCHIVE/trading/SYMBOL/SYMBOLyyyy-mm-dd.csv.gz. Books: BOOKS/orderbook/linear/SYMBOL/yyyy-mm-dd_SYMBOL_obDEPTH.data.zip.
Candles: REST/v5/market/kline. The addresses are as published; they could not be reached from where this was written, so only their
form against a local server is proven.
"""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import requests

from turbo_trader.lab.data import HEADER
from turbo_trader.market.errors import InputError

_CHUNK: Final = 1 << 16  # bytes; what a break costs at most
_PAGE: Final = 1_000  # candles a request
_TRIES: Final = 4
_TIMEOUT_S: Final = 30.0

Say = Callable[[str], None]
Share = Callable[[float], None]  # how much of a file is here, 0 to 1


class Kind(StrEnum):
    """What is downloaded."""

    TRADES = "trades"
    BOOKS = "books"
    CANDLES = "candles"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where from."""

    archive: str = "https://public.bybit.com"
    books: str = "https://quote-saver.bycsi.com"
    rest: str = "https://api.bybit.com"


@dataclass(slots=True)
class Fetched:
    """What a download came to."""

    files: int = 0
    already: int = 0
    bytes: int = 0
    missing: int = 0  # days the archive does not have


def days(first: date, last: date) -> Iterator[date]:
    """Both included."""
    for k in range((last - first).days + 1):
        yield first + timedelta(days=k)


def address(kind: Kind, hosts: Hosts, symbol: str, day: date, depth: int) -> str:
    """Of a day's archive."""
    if kind is Kind.TRADES:
        return f"{hosts.archive}/trading/{symbol}/{symbol}{day.isoformat()}.csv.gz"
    return f"{hosts.books}/orderbook/linear/{symbol}/{day.isoformat()}_{symbol}_ob{depth}.data.zip"


def fetch_archive(url: str, folder: Path, done: Fetched, say: Say, share: Share) -> None:
    """One file: begun again where it stopped, checked to its end; a half stays for the next time. InputError where it fails."""
    target = folder / url.rsplit("/", 1)[1]
    if target.exists():
        done.already += 1
        return
    part = target.with_name(target.name + ".part")
    for attempt in range(_TRIES):
        try:
            if not _transfer(url, part, share):
                done.missing += 1
                say(f"{url}: the archive does not have it")
                return
            _check(part, target.name)
        except requests.RequestException as error:
            if attempt == _TRIES - 1:
                raise InputError(
                    f"{url}: {type(error).__name__}: run it again: it resumes where it stopped"
                ) from None
            continue
        except _Damaged:
            part.unlink(missing_ok=True)
            if attempt == _TRIES - 1:
                raise InputError(f"{url}: what arrives is damaged, {_TRIES} times") from None
            continue
        part.replace(target)
        done.files, done.bytes = done.files + 1, done.bytes + target.stat().st_size
        return


class _Damaged(Exception):
    """A file that does not unpack to its end."""


def _transfer(url: str, part: Path, share: Share) -> bool:
    """Append what is missing to `part`; False where there is no such file."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        if response.status_code == 404:
            return False
        if response.status_code == 416:  # nothing is missing
            return True
        response.raise_for_status()
        resumed = response.status_code == 206
        length = response.headers.get("Content-Length", "")
        expected = int(length) if length.isascii() and length.isdigit() else -1
        written = 0
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                written += len(chunk)
                if expected > 0:
                    share((have * resumed + written) / (have * resumed + expected))
    if expected >= 0 and written != expected:
        raise requests.ConnectionError("cut off")
    return True


def _check(path: Path, name: str) -> None:
    """Unpack it to its end; both formats carry checksums."""
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:
                    raise _Damaged
        else:
            with gzip.open(path) as file:
                while file.read(_CHUNK):
                    pass
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        raise _Damaged from None


def fetch_candles(
    hosts: Hosts,
    symbol: str,
    minutes: int,
    span_ms: tuple[int, int],
    folder: Path,
    *,
    done: Fetched,
    share: Share,
) -> int:
    """Finished candles that open in `span_ms` (the second without), oldest first, as SYMBOL.csv: how many are missing inside.

    Written page by page; begun again after the last whole line.
    """
    target = folder / f"{symbol}.csv"
    if target.exists():
        done.already += 1
        return 0
    part, step = target.with_name(target.name + ".part"), minutes * 60_000
    at = max(span_ms[0], _last_line(part) + step)
    with part.open("a") as file:
        if part.stat().st_size == 0:
            file.write(HEADER + "\n")
        while at < span_ms[1]:
            end = min(at + (_PAGE - 1) * step, span_ms[1] - step)
            rows = _candles(hosts, symbol, minutes, at, end)
            file.writelines(",".join(row[:6]) + "\n" for row in rows)
            file.flush()
            at = end + step
            share((at - span_ms[0]) / (span_ms[1] - span_ms[0]))
    times = [int(line.split(",", 1)[0]) for line in part.read_text().splitlines()[1:]]
    if not times:
        part.unlink()
        raise InputError(f"{symbol}: the venue has no candles of that time")
    if any(b <= a for a, b in pairwise(times)):
        part.unlink()
        raise InputError(f"{symbol}: candles out of order: download them again")
    part.replace(target)
    done.files, done.bytes = done.files + 1, done.bytes + target.stat().st_size
    return math.ceil((times[-1] - times[0]) / step) + 1 - len(times)


def _last_line(part: Path) -> int:
    """The time of the last whole line; a line cut off is taken away. -1e18 where there is none."""
    none = -(10**18)
    if not part.exists():
        return none
    text = part.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        part.write_text(whole)
    last = whole.rstrip("\n").rsplit("\n", 1)[-1].split(",", 1)[0]
    return int(last) if last.isdigit() else none


def _candles(hosts: Hosts, symbol: str, minutes: int, start: int, end: int) -> list[list[str]]:
    query: dict[str, Any] = {"category": "linear", "symbol": symbol, "interval": _interval(minutes)}
    query |= {"start": start, "end": end, "limit": _PAGE}
    for attempt in range(_TRIES):
        try:
            response = requests.get(f"{hosts.rest}/v5/market/kline", params=query, timeout=_TIMEOUT_S)
            response.raise_for_status()
            body = response.json()
            break
        except (requests.RequestException, ValueError) as error:
            if attempt == _TRIES - 1:
                raise InputError(
                    f"{hosts.rest}: {type(error).__name__}: run it again: it resumes where it stopped"
                ) from None
    try:
        if body["retCode"] != 0:
            raise InputError(
                f"{hosts.rest}: {symbol}: {body.get('retMsg', 'refused')} ({body.get('retCode')})"
            )
        return _finished(body, minutes * 60_000, start, end)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise InputError(f"{hosts.rest}: {symbol}: an answer that is no list of candles") from None


def _finished(body: dict[str, Any], step: int, start: int, end: int) -> list[list[str]]:
    """The rows of candles that open from `start` to `end` (ms) and have ended by the venue's clock, oldest first."""
    now = int(body.get("time", end + step))
    rows = [
        row for row in body["result"]["list"] if start <= int(row[0]) <= end and int(row[0]) + step <= now
    ]
    return sorted(rows, key=lambda row: int(row[0]))


def _interval(minutes: int) -> str:
    return "D" if minutes == 1_440 else str(minutes)

"""`.env`: NAME=value lines, read strictly, so that a typing error is refused instead of ignored.

A line is blank, a comment (#) or `NAME=value`, with `export` before it or not. A value may stand in single or double quotes, read
as they are; outside of quotes a # after a space begins a comment. Byte-order mark and CRLF are accepted, control characters not.
"""

from __future__ import annotations

import re
from pathlib import Path

from turbo_trader.market.errors import InputError

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
_QUOTED = re.compile(r"(?P<quote>['\"])(?P<text>.*?)(?P=quote)\s*(?:#.*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MOST_BYTES = 1 << 20


def dotenv(path: Path) -> dict[str, str]:
    """The names and values of a file; none where there is no file. InputError names file, line and what is expected."""
    values: dict[str, str] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        found = _LINE.fullmatch(line)
        if found is None:
            raise InputError(f"{where}: expected NAME=value; correct the line or put a # before it")
        name = found["name"]
        if name in values:
            raise InputError(f"{where}: {name} is given twice; remove one of the lines")
        values[name] = value = _value(found["value"], f"{where}: {name}")
        if odd := _CONTROL.search(value):
            raise InputError(
                f"{where}: {name} holds the control character 0x{ord(odd[0]):02x}; save it as plain text, a setting a line"
            )
    return values


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():  # somebody's limits are meant to be there
            raise InputError(f"{path}: a link to no file; make it a readable file or remove it") from None
        return ""
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: make it a readable file or remove it") from None
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path}: larger than {_MOST_BYTES} bytes; it holds NAME=value lines only")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; save it as UTF-8"
        ) from None


def _value(text: str, where: str) -> str:
    if text[:1] in ("'", '"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise InputError(f"{where}: the quote that opens does not close at the end of the value")
        return quoted["text"]
    return re.split(r"(?:^|\s+)#", text, maxsplit=1)[0].strip()

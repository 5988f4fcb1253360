"""What verbs print: exactly one JSON object on stdout with --json, readable text otherwise."""

from __future__ import annotations

import dataclasses
import json
import sys
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """`value` as JSON types; Decimals become exact plain strings, so that no digit is lost."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"not a plain value: {type(value).__name__}")


def print_json(document: dict[str, Any]) -> None:
    """One JSON object and a newline on stdout."""
    sys.stdout.write(json.dumps(document, default=plain, indent=2) + "\n")


def say(line: str) -> None:
    """Progress for a person: stderr, so that stdout stays the result alone."""
    sys.stderr.write(line + "\n")

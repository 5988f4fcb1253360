"""Ids of our orders and commands: deterministic, unique across restarts, at most 36 characters of letters, digits and '-'."""

from __future__ import annotations

import re
from typing import Final

PREFIX: Final = "tt"
_FORM = re.compile(rf"{PREFIX}-([0-9a-zA-Z]{{1,12}})-[0-9a-z]{{1,12}}-[a-z]{{1,6}}")


class Ids:
    """Counts up from the boot nonce, which no two starts share."""

    def __init__(self, boot: str) -> None:
        if not re.fullmatch(r"[0-9a-zA-Z]{1,12}", boot):
            raise ValueError(f"boot nonce {boot!r}: 1 to 12 letters or digits")
        self._boot = boot
        self._count = 0

    def next(self, purpose: str) -> str:
        """The next id for a purpose of 1 to 6 small letters (entry, close, stop, lev, read, cancel)."""
        self._count += 1
        return f"{PREFIX}-{self._boot}-{self._count:x}-{purpose}"

    def skip(self, count: int) -> None:
        """Leave out as many ids, of commands that there was no need to give: the later ones stay what they would be."""
        self._count += count


def boot_of(link_id: str) -> str:
    """The nonce of the start that made this order id, ours or another instance's; "" where it is not of this program."""
    found = _FORM.fullmatch(link_id)
    return found[1] if found else ""

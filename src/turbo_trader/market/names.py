"""Names as a person writes them: symbols in the venue's spelling, and suggestions for unknown names."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import SequenceMatcher, get_close_matches

from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import UNIVERSE, perpetual

_SYMBOL = re.compile(r"[A-Z0-9]+USDT", re.ASCII)
_OTHER_QUOTES = ("USD", "USDC", "PERP")


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean X?` for the known name nearest to this one, "" where none is near."""
    found = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def perpetual_symbol(text: str, what: str) -> str:
    """The symbol of `BTC`, `btcusdt` or an old name. InputError for what is no name of one, such as BTC-USDT or BTCUSD."""
    name = perpetual(text)
    coin = name.removesuffix("USDT")
    other = any(coin.endswith(quote) and coin != quote for quote in _OTHER_QUOTES)
    if other or not _SYMBOL.fullmatch(name):
        close = _closest(text, UNIVERSE)
        raise InputError(
            f"{what}: {text!r} is no USDT perpetual; write it like BTC or BTCUSDT; the nearest is {close}"
        )
    return name


def known_symbol(text: str, known: Collection[str], what: str, where: str) -> str:
    """A symbol out of `known`. InputError for any other, with the nearest; `where` says what has these symbols."""
    name = perpetual_symbol(text, what)
    if name not in known:
        raise InputError(f"{what}: {name} is not in {where}; the nearest is {_closest(name, known)}")
    return name


def _closest(text: str, known: Collection[str]) -> str:
    """The known symbol whose coin is most like this text's."""
    coin = text.strip().upper().removesuffix("USDT")
    return max(known, key=lambda symbol: SequenceMatcher(None, coin, symbol.removesuffix("USDT")).ratio())

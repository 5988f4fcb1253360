"""Topics of a stream and how to subscribe to them: in requests the venue takes, each topic confirmed or refused alone. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PRIVATE_TOPICS: Final = ("order", "execution", "position", "wallet")
MOST_ARGS: Final = 10  # topics a request: the smallest limit of any of the venue's markets
MOST_CHARACTERS: Final = 21_000  # of all topics of one connection
_ALREADY: Final = "already subscribed"
_SEPARATORS: Final = re.compile(r"[\s,:;\[\]\"']+")


def public_topics(symbols: Sequence[str], depth: int) -> tuple[str, ...]:
    """The topics of one symbol group: book, prints, ticker."""
    return tuple(
        f"{topic}.{symbol}"
        for symbol in symbols
        for topic in (f"orderbook.{depth}", "publicTrade", "tickers")
    )


def groups(symbols: Sequence[int], names: Sequence[str], depth: int, most: int) -> list[tuple[int, ...]]:
    """Symbols (indices into `names`) by connection: at most `most` each, and no more characters than the venue takes."""
    found: list[tuple[int, ...]] = []
    group: list[int] = []
    for symbol in symbols:
        together = public_topics([names[each] for each in [*group, symbol]], depth)
        if group and (len(group) == most or len(",".join(together)) > MOST_CHARACTERS):
            found.append(tuple(group))
            group = []
        group.append(symbol)
    return [*found, tuple(group)] if group else found


@dataclass(frozen=True, slots=True)
class RefusedTopic:
    """A topic the venue does not give, and what it says."""

    topic: str
    why: str


class Subscription:
    """Asks for topics until each is confirmed or refused: one that is refused costs the others a second request, no more.

    The refusal names its topic ("error:handler not found,topic:..."). Where it does not, the request is halved until the refused
    topic stands alone, so that nothing depends on the wording.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        self._requests = deque(tuple(topics[n : n + MOST_ARGS]) for n in range(0, len(topics), MOST_ARGS))
        self.confirmed: list[str] = []
        self.refused: list[RefusedTopic] = []

    def request(self) -> tuple[str, ...]:
        """The topics to ask for now; () when all are answered."""
        return self._requests[0] if self._requests else ()

    def answered(self, *, success: bool, said: str) -> None:
        """The venue's reply to `request`."""
        asked = self._requests.popleft()
        if success:
            self.confirmed += asked
            return
        parts = set(_SEPARATORS.split(said))
        named = tuple(topic for topic in asked if topic in parts)
        rest = tuple(topic for topic in asked if topic not in parts)
        if _ALREADY in said and named:
            self.confirmed += named
            self._again(rest)
        elif len(asked) == 1:
            self.refused.append(RefusedTopic(asked[0], said))
        elif named and rest:
            self.refused += [RefusedTopic(topic, said) for topic in named]
            self._again(rest)
        else:  # it names none, or all: one of them may be meant
            half = len(asked) // 2
            self._again(asked[half:])
            self._again(asked[:half])

    def _again(self, topics: tuple[str, ...]) -> None:
        if topics:
            self._requests.appendleft(topics)

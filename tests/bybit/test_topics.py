"""Topics are asked for in requests the venue takes; a refused one costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from turbo_trader.bybit.topics import (
    MOST_ARGS,
    MOST_CHARACTERS,
    RefusedTopic,
    Subscription,
    groups,
    public_topics,
)

NAMES = [f"COIN{n}USDT" for n in range(15)]
TOPICS = public_topics(NAMES[:5], 50)
GONE = {"tickers.COIN3USDT", "orderbook.50.COIN1USDT"}


def subscribe(topics: tuple[str, ...], refuse: Callable[[tuple[str, ...]], str]) -> tuple[Subscription, int]:
    """Ask until all is answered; `refuse` gives the venue's message, "" where it takes the request."""
    subscription, requests = Subscription(topics), 0
    while asked := subscription.request():
        said = refuse(asked)
        subscription.answered(success=not said, said=said)
        requests += 1
        assert len(asked) <= MOST_ARGS
        assert requests <= 3 * len(topics)
    return subscription, requests


def naming(asked: tuple[str, ...]) -> str:
    first = next((topic for topic in asked if topic in GONE), "")
    return f"error:handler not found,topic:{first}" if first else ""


def silent(asked: tuple[str, ...]) -> str:
    return "Invalid request" if GONE & set(asked) else ""


def listing_all(asked: tuple[str, ...]) -> str:
    return f"Invalid topic: [{','.join(asked)}]" if GONE & set(asked) else ""


@pytest.mark.parametrize("refuse", [naming, silent, listing_all])
def test_refused_topics_are_dropped_and_the_others_confirmed(
    refuse: Callable[[tuple[str, ...]], str],
) -> None:
    subscription, _ = subscribe(TOPICS, refuse)
    assert {each.topic for each in subscription.refused} == GONE
    assert sorted(subscription.confirmed) == sorted(set(TOPICS) - GONE)


def test_topic_that_is_a_part_of_another_is_not_taken_for_it() -> None:
    topics = ("tickers.PEPEUSDT", "tickers.1000PEPEUSDT", "tickers.PEPEUSDTX")
    subscription, requests = subscribe(
        topics, lambda asked: f"error:handler not found,topic:{topics[0]}" if topics[0] in asked else ""
    )
    assert [each.topic for each in subscription.refused] == [topics[0]]
    assert requests == 2


def test_topics_already_subscribed_are_given() -> None:
    taken: set[str] = set()

    def venue(asked: tuple[str, ...]) -> str:
        """Takes what it can of a request, and refuses all of it for the first that it cannot."""
        for topic in asked:
            if topic in GONE:
                return f"error:handler not found,topic:{topic}"
            if topic in taken:
                return f"error:already subscribed,topic:{topic}"
            taken.add(topic)
        return ""

    subscription, _ = subscribe(TOPICS, venue)
    assert {each.topic for each in subscription.refused} == GONE
    assert set(subscription.confirmed) == set(TOPICS) - GONE


def test_where_all_is_refused_nothing_is_confirmed() -> None:
    subscription, _ = subscribe(("a", "b"), lambda _: "no")
    assert subscription.confirmed == []
    assert subscription.refused == [RefusedTopic("a", "no"), RefusedTopic("b", "no")]


def test_symbols_are_spread_over_connections_by_count_and_characters() -> None:
    assert groups(range(7), NAMES, 50, 3) == [(0, 1, 2), (3, 4, 5), (6,)]
    assert groups([], NAMES, 50, 3) == []
    long = [f"{'X' * 100}{n}USDT" for n in range(200)]
    found = groups(range(200), long, 50, 1_000)
    assert [symbol for group in found for symbol in group] == list(range(200))
    assert all(
        len(",".join(public_topics([long[i] for i in group], 50))) <= MOST_CHARACTERS for group in found
    )
    assert len(found) == 4

"""The examples of docs/simulated-exchange.md, run as they stand there, against a venue at another port."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "simulated-exchange.md").read_text()
EXAMPLES = re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```(\w+)\n(.*?)```", DOCS, re.M | re.S)
PROGRAMS = {
    "python": (sys.executable, "-"),
    "js": ("node", "--input-type=module", "-"),
    "sh": ("sh", "-eus"),
}


def example(title: str) -> tuple[str, str]:
    """Language and text of the first example under a heading."""
    ((language, text),) = [(language, text) for heading, language, text in EXAMPLES if heading == title]
    return language, text


@pytest.fixture(scope="module")
def venue() -> Iterator[ServedVenue]:
    market = SyntheticMarket(universe()[:3], 1, 1_767_603_600_000_000_000)
    config = VenueConfig("simulated-key", "simulated-secret", Decimal(1_000))
    with serve_in_thread(Venue(market, config)) as found:
        yield found


def run(title: str, port: int) -> str:
    language, text = example(title)
    program = PROGRAMS[language]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not on this machine")  # not every machine has Node.js
    done = subprocess.run(
        program,
        input=text.replace("127.0.0.1:9000", f"127.0.0.1:{port}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def orders(venue: ServedVenue) -> int:
    return venue.call(lambda served: len(served.exchange.accounts["1"].orders))


@pytest.mark.long
@pytest.mark.parametrize("title", ["pybit", "ccxt", "Node.js, without a library", "A shell"])
def test_each_example_places_its_order(venue: ServedVenue, title: str) -> None:
    before = orders(venue)
    said = run(title, venue.port)
    assert orders(venue) > before
    assert "retCode" not in said or re.search(r"retCode\"?: ?0\b", said), said


@pytest.mark.long
def test_the_example_for_ones_own_tests_serves() -> None:
    assert re.fullmatch(r"http://127.0.0.1:\d+ ws://127.0.0.1:\d+\n", run("In the tests of your own bot", 0))


def test_examples_are_a_few_lines() -> None:
    for title in ("pybit", "ccxt", "Node.js, without a library", "A shell"):
        assert len(example(title)[1].strip().splitlines()) <= 8, title

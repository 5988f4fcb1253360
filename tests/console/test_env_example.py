"""`.env.example` is what the settings and the policy say."""

import re
from pathlib import Path

from turbo_trader.console import env_example
from turbo_trader.console.settings import Settings
from turbo_trader.rules.policy import Policy

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def test_the_committed_example_is_up_to_date() -> None:
    assert EXAMPLE.read_text() == env_example.text()


def test_every_setting_and_every_number_is_in_it_and_its_defaults_can_be_read_back() -> None:
    given = dict(
        line[1:].split("=", 1)
        for line in EXAMPLE.read_text().splitlines()
        if line.startswith("#") and line[1:2].isupper()
    )
    assert {name.upper() for name in Settings.model_fields} <= given.keys()
    assert Policy.from_env(given) == Policy()


def test_it_opens_with_the_ten_that_people_change_each_once() -> None:
    names = [
        line[1:].split("=")[0] for line in env_example.text().splitlines() if re.match(r"#[A-Z_]+=", line)
    ]
    assert names[:10] == list(env_example.FIRST)
    assert len(names) == len(set(names)) == len(Settings.model_fields) + len(Policy.model_fields)


def test_its_head_explains_the_letters_and_whose_numbers_they_are() -> None:
    head = env_example.text().partition("# --- ")[0]
    for part in (
        "E is the equity",
        "B the balance",
        "SL is the stop",
        "TP the target",
        "bp is",
        "can be overridden",
    ):
        assert part in head

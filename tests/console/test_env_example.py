"""`.env.example` is what the settings and the policy say."""

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

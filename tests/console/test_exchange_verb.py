"""`turbo-trader exchange` and `run`: what their fault options take."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from turbo_trader.console.command_line import app
from turbo_trader.exchange.protocol.faults_on_demand import explained
from turbo_trader.market.errors import InputError


def test_faults_help_names_every_term_of_a_plan() -> None:
    result = CliRunner().invoke(app, ["exchange", "--faults", "help"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(explained())


@pytest.mark.parametrize("plan", ["dorp=1", "drop", "drop=2"])
def test_a_wrong_plan_is_one_line_and_code_2(plan: str) -> None:
    result = CliRunner().invoke(app, ["exchange", "--faults", plan])
    assert isinstance(result.exception, InputError)
    assert "\n" not in str(result.exception)
    assert plan in str(result.exception)


@pytest.mark.parametrize("place", [["--host", "no.such.host.invalid"], ["--host", "192.0.2.1"]])
def test_an_address_that_cannot_be_had_is_one_line_and_code_2(place: list[str]) -> None:
    result = CliRunner().invoke(app, ["exchange", *place, "--port", "0", "--market", "synthetic"])
    assert isinstance(result.exception, InputError)
    assert f"{place[1]}:0: " in str(result.exception)

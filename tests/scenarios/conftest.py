"""The stage of the Trader's own tests, for the acceptance scenarios."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.live import shell_stage

_TESTS = Path(__file__).resolve().parents[1]


def _module(name: str, place: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, _TESTS / place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_STAGE = _module("trader_stage", "trader/conftest.py").Stage


@pytest.fixture(scope="session")
def shells() -> Any:
    """What the shell's own tests share: `Venue` of canned answers, `Simulated`, `Scripted`, `run`, `nothing`, `INFO`, `NOW_MS`."""
    return shell_stage


@pytest.fixture
def staged() -> Callable[..., Any]:
    """A new stage; keyword arguments of `Stage`."""
    made: Callable[..., Any] = _STAGE
    return made


@pytest.fixture
def stage() -> Any:
    """A stage recovered with 1,000 USDT and a book of 100.00 / 100.01 on both symbols."""
    made = _STAGE()
    made.recover()
    return made

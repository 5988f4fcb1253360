"""The stage of the Trader's own tests, for the acceptance scenarios."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_PLACE = Path(__file__).resolve().parents[1] / "trader" / "conftest.py"


def _stage() -> Any:
    spec = importlib.util.spec_from_file_location("trader_stage", _PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Stage


_STAGE = _stage()


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

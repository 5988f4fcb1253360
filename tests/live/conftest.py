"""The stage on which a daemon's shell is tried."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def shells() -> Any:
    """The module `shell_stage`."""
    spec = importlib.util.spec_from_file_location("shell_stage", Path(__file__).with_name("shell_stage.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

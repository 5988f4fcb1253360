"""The stage on which a daemon's shell is tried."""

from __future__ import annotations

from typing import Any

import pytest
from tests.live import shell_stage


@pytest.fixture(scope="session")
def shells() -> Any:
    """The module `shell_stage`."""
    return shell_stage

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.journal.postgres import Postgres

    from turbo_trader.journal.address import Address

_NAMES = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """One server for all tests of a session; a test that ends it starts it again."""
    from tests.journal.postgres import Postgres

    started = Postgres()
    yield started
    started.remove()


@pytest.fixture
def there(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Address:
    """A place for a journal of its own in the database."""
    from turbo_trader.journal.address import address

    found, password = address(server.url, f"test{next(_NAMES)}")
    monkeypatch.setenv("PGPASSWORD", password)
    return found

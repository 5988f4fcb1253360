"""The measurement of load: frames come over TLS at the rate asked for, to a daemon that trusts its certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import measure

pytestmark = pytest.mark.process


def test_a_daemon_is_fed_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "")  # put back afterwards
    share, most, rate = measure(400, 3.0, tmp_path, held=True)
    assert 0 < share < 1
    assert most > 0
    assert 300 < rate <= 420

"""What drivers say of a client's log."""

from __future__ import annotations

from pathlib import Path

from clients.drivers import given

LOG = """2026-11-29 02:00:00 - bot - INFO - all is well
2026-11-29 02:00:01 - bot - WARNING - order 17 was late
2026-11-29 02:00:02 - bot - WARNING - order 18 was late
2026-11-29T02:00:03Z [ERROR] NODE-001: no answer
2026-11-29T02:00:04Z [WARN] NODE-001: Residual position
"""


def test_errors_and_warnings_are_said_once_of_each_kind(tmp_path: Path) -> None:
    log = tmp_path / "bot.log"
    log.write_text(LOG)
    assert given.logged(log, ("Residual",)) == [
        "bot: WARNING: order # was late",
        "bot: ERROR: NODE-#: no answer",
    ]

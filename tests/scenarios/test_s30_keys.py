"""S30: a key that is wrong, expired, unbound or too powerful is named before the first order; its end is announced ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.journal import readers
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.records import NEVER
from turbo_trader.trader import events
from turbo_trader.trader.commands import Scanned

DAY = 86_400 * SECOND


class Account:
    """Canned answers about one key and account."""

    def __init__(self, shells: Any) -> None:
        self.venue = shells.Venue()
        self.key: dict[str, Any] = {
            "readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": []}, "ips": ["127.0.0.1"],
            "expiredAt": "2099-01-01T00:00:00Z",
        }  # fmt: skip
        self.code = 0
        self.notices: list[dict[str, Any]] = []
        before = self.venue.answer

        def answer(target: str, body: bytes) -> dict[str, Any]:
            given: dict[str, Any] = before(target, body)
            if target.startswith("/v5/user/query-api"):
                given |= {"retCode": self.code, "retMsg": "no" if self.code else "OK", "result": self.key}
            elif target.startswith("/v5/system/status"):
                given["result"] = {"list": self.notices}
            return given

        self.venue.answer = answer

    def ends_in(self, days: float, now_ms: int) -> None:
        at = datetime.fromtimestamp(now_ms / 1e3 + days * 86_400, UTC)
        self.key["expiredAt"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def start(shells: Any, account: Account, folder: Path) -> Any:
    trader = shells.Scripted(shells.nothing)
    await shells.run(account.venue, trader, folder, mode="testnet", duration_s=0.5)
    return trader


async def test_s30_a_key_that_may_withdraw_is_refused_before_anything_is_sent(
    shells: Any, tmp_path: Path
) -> None:
    account = Account(shells)
    account.key["permissions"]["Wallet"] = ["Withdraw"]
    with pytest.raises(Refused, match="withdraw"):
        await start(shells, account, tmp_path)
    assert not {"/v5/order/create", "/v5/account/set-margin-mode"} & set(account.venue.seen)


@pytest.mark.parametrize(
    ("code", "report"),
    [(33004, "expired"), (10003, "another environment"), (10010, "not bound"), (10024, "region")],
)
async def test_s30_a_key_that_is_refused_is_named(
    shells: Any, tmp_path: Path, code: int, report: str
) -> None:
    account = Account(shells)
    account.code = code
    with pytest.raises(InputError, match=report) as caught:
        await start(shells, account, tmp_path)
    assert "\n" not in str(caught.value)
    assert not account.venue.created


async def test_s30_paper_asks_for_no_such_thing(shells: Any, tmp_path: Path) -> None:
    account = Account(shells)
    account.code = 33004
    await shells.run(account.venue, shells.Scripted(shells.nothing), tmp_path, duration_s=0.2)
    assert "/v5/user/query-api" not in account.venue.seen


@pytest.mark.parametrize(("left", "days"), [(13.5, 14), (6.5, 7), (0.5, 1)])
async def test_s30_the_end_of_a_key_is_reported_ahead(
    shells: Any, tmp_path: Path, left: float, days: int
) -> None:
    account = Account(shells)
    account.ends_in(left, shells.NOW_MS)
    trader = await start(shells, account, tmp_path)
    (note,) = readers.notes(tmp_path, "key-expires")
    assert note["days"] == days
    (expiry,) = trader.of(events.KeyExpiry)
    assert expiry.at == (shells.NOW_MS + int(left * 86_400_000)) * 1_000_000


async def test_s30_announced_maintenance_reaches_the_trader_once_reported(
    shells: Any, tmp_path: Path
) -> None:
    account = Account(shells)
    begin, end = shells.NOW_MS + 600_000, shells.NOW_MS + 900_000
    account.notices = [{"state": "scheduled", "begin": str(begin), "end": str(end), "product": [1]}]
    trader = await start(shells, account, tmp_path)
    (notice,) = trader.of(events.Maintenance)
    assert (notice.begin, notice.end) == (begin * 1_000_000, end * 1_000_000)
    assert len(readers.notes(tmp_path, "maintenance-announced")) == 1


def codes(stage: Any, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """What the data gate says of both symbols at the next scan, all else being in order."""
    monkeypatch.setattr("turbo_trader.trader.scanning.assess_all", _only_dates)
    stage.given.clear()
    stage.clock(301)
    rows = stage.last(Scanned).rows
    return {int(code) for code in rows["block_code"]}


def _only_dates(
    states: Any,
    filters: Any,
    now: int,
    signals: Any,
    gates: Any,
    notional: float,
    thin: float,
    rows: Any,
    at: int,
) -> bool:
    from turbo_trader.rules.data_gate import data_gate
    from turbo_trader.rules.gates import DATA, settle

    for s in range(len(rows)):
        rows[s] = np.zeros(1, rows.dtype)[0]
        rows["warm"][s] = rows["fresh"][s] = 1
        rows["jump_age"][s] = NEVER
        rows["blocker"][s] = -1
        settle(rows, s, DATA, data_gate(states, s, now, gates, s, rows, s))
        if rows["blocker"][s] < 0:
            rows["blocker"][s] = 1  # by a later gate
    return False


def test_s30_a_key_that_ends_within_a_day_blocks_entries(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.deliver(events.KeyExpiry(stage.now, stage.now + 2 * DAY))
    assert Code.KEY_EXPIRY not in codes(stage, monkeypatch)
    stage.deliver(events.KeyExpiry(stage.now, stage.now + DAY - SECOND))
    assert codes(stage, monkeypatch) == {Code.KEY_EXPIRY}


def test_s30_announced_maintenance_blocks_entries_before_and_during_it(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = stage.now + 1_500 * SECOND
    stage.deliver(events.Maintenance(stage.now, begin, begin + 600 * SECOND))
    assert Code.MAINTENANCE not in codes(stage, monkeypatch)
    assert codes(stage, monkeypatch) == {Code.MAINTENANCE}
    stage.deliver(events.Maintenance(stage.now, None, 0))
    assert Code.MAINTENANCE not in codes(stage, monkeypatch)

"""S31: hedge mode is refused at the start and never guessed at later; modes are not switched."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.market.errors import Refused

KEY = {
    "permissions": {"ContractTrade": ["Order", "Position"]}, "ips": ["127.0.0.1"], "expiredAt": "2099-01-01T00:00:00Z",
}  # fmt: skip


async def test_s31_hedge_mode_at_the_start_is_refused_with_its_fix(shells: Any, tmp_path: Path) -> None:
    venue = shells.Venue()
    before = venue.answer

    def answer(target: str, body: bytes) -> dict[str, Any]:
        given: dict[str, Any] = before(target, body)
        if target.startswith("/v5/user/query-api"):
            given["result"] = KEY
        elif target.startswith("/v5/position/list"):
            given["result"] = {"list": [{"positionIdx": i, "size": "0", "symbol": "BTCUSDT"} for i in (1, 2)]}
        return given

    venue.answer = answer
    with pytest.raises(Refused, match=r"hedge mode on BTCUSDT.*one-way"):
        await shells.run(venue, shells.Scripted(shells.nothing), tmp_path, mode="testnet")
    assert not {"/v5/position/switch-mode", "/v5/order/create"} & set(venue.seen)


def test_s31_a_row_of_hedge_mode_freezes_its_symbol_with_one_alarm(stage: Any) -> None:
    stage.deliver(stage.position("3", position_idx=1))
    stage.deliver(stage.position("-2", position_idx=2))
    state = stage.state()
    assert "hedge mode" in state.unresolved
    assert (state.venue.size, state.held) == (0, 0)
    (note,) = stage.notes("frozen")
    assert note.level == "error"
    assert "one-way" in note.fields["why"]
    assert stage.state(1).unresolved == ""
    stage.wait(40)
    assert not stage.closes


def test_s31_rows_of_two_sides_are_summed_in_the_whole_snapshot(stage: Any) -> None:
    sent = stage.hold()
    half = sent.qty / 2
    for _ in range(3):
        stage.clock(31)
        stage.snapshot(
            positions=(stage.position(str(half)), stage.position(str(sent.qty - half))),
        )
    assert stage.state().held == Decimal(sent.qty)
    assert not stage.notes("frozen")

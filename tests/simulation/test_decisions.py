"""The digest of decisions depends on what is decided alone, and recorded runs still decide what they decided.

`golden/decisions.json` holds the digests. A change that is meant to keep behaviour must pass this file as it is:
`scripts/test tests/simulation/test_decisions.py` (10 s) and, on the recorded month in ../shared/data, with `-m slow -k two_days`
(half a minute an order) or `-m slow -k month` (a minute). A change that is meant to decide otherwise records the
digest that the failing test shows, and says why in the changelog.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import DAY, MINUTE, SECOND, Rows
from turbo_trader.market.tape import Tape, read_tape
from turbo_trader.rules.choices import EntryStyle
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.decisions import DecisionDigest, command_text
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Purpose, SetLeverage, SetStops

START = 1_767_603_600 * SECOND
GOLDEN: dict[str, str] = json.loads((Path(__file__).parent / "golden" / "decisions.json").read_text())
MONTH = Path(__file__).resolve().parents[2].parent / "shared/data/binance-usdm-1m-2025-05"
needs_month = pytest.mark.skipif(not MONTH.exists(), reason="needs the recorded month in ../shared/data")

#: Every signal counts, and brackets lie so near that trades end by stop, zone and target within minutes.
FORCED: dict[str, Any] = {
    "turbo_min_snr": Decimal("0.1"), "turbo_min_confidence": Decimal(0), "a_min_others": 0, "cooldown_horizons": Decimal("0.1"),
    "tp_min": Decimal("0.0015"), "tp_max": Decimal("0.004"), "sl_min": Decimal("0.001"), "sl_max": Decimal("0.002"),
    "b_tp_min": Decimal("0.0012"), "b_tp_max": Decimal("0.003"), "b_sl_min": Decimal("0.0008"), "b_sl_max": Decimal("0.0015"),
}  # fmt: skip


def made_up(seed: int, minutes: int, policy: Policy) -> dict[str, Any]:
    """A run at 18 USDT on six symbols of the synthetic market."""
    instruments = universe()[:6]
    market = SyntheticMarket(instruments, seed, START, edge=1.0)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(len(instruments)))
    test = Backtest(Tape(instruments, rows, "made up", made_up=True), policy, Decimal(18))
    return test.run(tuple(market.history(instrument.symbol) for instrument in instruments))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_synthetic_market_decides_as_recorded(seed: int) -> None:
    result = made_up(seed, 30, Policy())
    assert result["trades"] >= 5
    assert result["decisions_sha256"] == GOLDEN[f"synthetic seed {seed}, 30 minutes"]


@pytest.mark.parametrize(("seed", "style", "trades"), [(2, EntryStyle.TAKER, 20), (1, EntryStyle.MAKER, 8)])
def test_forced_trades_are_decided_as_recorded(seed: int, style: EntryStyle, trades: int) -> None:
    result = made_up(seed, 45, Policy(**FORCED, entry_style=style))
    assert result["trades"] == trades
    assert result["decisions_sha256"] == GOLDEN[f"forced trades, {style}"]


@needs_month
@pytest.mark.slow
@pytest.mark.parametrize("order", ["high-first", "low-first"])
def test_two_days_of_the_recorded_month_decide_as_recorded(order: Any) -> None:
    tape = read_tape(MONTH, order=order)
    days = tuple(rows[rows["ts"] < tape.start + 2 * DAY] for rows in tape.rows)
    result = Backtest(replace(tape, rows=days), Policy(), Decimal(18)).run()
    assert result["decisions_sha256"] == GOLDEN[f"two days at 18 USDT, {order}"]


@needs_month
@pytest.mark.slow
@pytest.mark.parametrize("order", ["low-first"])
def test_the_recorded_month_decides_as_recorded(order: Any) -> None:
    result = Backtest(read_tape(MONTH, order=order), Policy(), Decimal(18)).run()
    assert result["decisions_sha256"] == GOLDEN[f"month at 18 USDT, {order}"]


def rows_of(record: np.dtype[Any], ts: int = START) -> Rows:
    """Two scan rows in which each field has values of its own."""
    rows = np.zeros(2, record)
    for number, name in enumerate(SCAN.names or ()):
        rows[name] = number + 1
    rows["symbol"], rows["ts"] = (0, 1), ts
    return rows


def digest_of(rows: Rows) -> str:
    digest = DecisionDigest(("BTCUSDT", "ETHUSDT"))
    digest.scan(rows)
    return digest.hexdigest()


def test_order_and_width_of_scan_fields_change_no_digest() -> None:
    fields: dict[str, Any] = dict(SCAN.fields or {})
    moved = np.dtype([("pad", "u1", (7,)), *((name, fields[name][0]) for name in sorted(fields))])
    wide = np.dtype(
        [(name, "<i8" if fields[name][0] == np.dtype("u1") else fields[name][0]) for name in fields]
    )
    assert digest_of(rows_of(moved)) == digest_of(rows_of(wide)) == digest_of(rows_of(SCAN))


def test_digest_does_not_hang_on_when_it_is_worked_out() -> None:
    at_once, step_by_step = DecisionDigest(("BTCUSDT", "ETHUSDT")), DecisionDigest(("BTCUSDT", "ETHUSDT"))
    for n in range(100):
        for digest in (at_once, step_by_step):
            if n != 50:
                digest.scan(rows_of(SCAN, n))
            for k in range(n % 3):
                digest.command(CancelOrder(f"{n}-{k}", "BTCUSDT", link_id=f"{n}-{k}"))
        step_by_step.hexdigest()
    assert at_once.hexdigest() == step_by_step.hexdigest()


def test_scans_given_together_are_digested_as_one_by_one() -> None:
    scans = [rows_of(SCAN, START + n) for n in range(5)]
    one_by_one, together = DecisionDigest(("BTCUSDT", "ETHUSDT")), DecisionDigest(("BTCUSDT", "ETHUSDT"))
    for rows in scans:
        one_by_one.scan(rows)
    together.scan(np.concatenate(scans[:3]))
    together.scan(np.concatenate(scans[3:]))
    for digest in (one_by_one, together):
        digest.command(CancelOrder("1", "BTCUSDT", link_id="1"))
    assert together.hexdigest() == one_by_one.hexdigest()


def test_zero_has_no_sign_in_the_digest() -> None:
    rows = rows_of(SCAN)
    rows["ev"], rows["score"] = 0.0, 0.0
    negative = rows.copy()
    negative["ev"], negative["score"] = -0.0, -0.0
    assert digest_of(negative) == digest_of(rows)


#: What follows from other figures: an earlier version had it in no row.
DERIVED = {"accel_valid", "toward", "thresholds"}


@pytest.mark.parametrize("name", [name for name in SCAN.names or () if name not in {"ts", *DERIVED}])
def test_every_figure_and_verdict_is_in_the_digest(name: str) -> None:
    rows = rows_of(SCAN)
    changed = rows.copy()
    last = changed[name][1:] if changed[name].ndim == 1 else changed[name][1, -1:]
    last[:] = 0
    assert digest_of(changed) != digest_of(rows)


def test_the_time_of_a_scan_is_in_the_digest() -> None:
    rows = rows_of(SCAN)
    assert digest_of(rows_of(SCAN, START + 1)) != digest_of(rows)


def test_commands_are_digested_as_canonical_text() -> None:
    order = PlaceOrder(
        id="tt-a-1-entry",
        symbol="BTCUSDT",
        side=Side.BUY,
        qty=Decimal("0.500"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        reduce_only=False,
        purpose=Purpose.ENTRY,
        price=Decimal("1E+3"),
        stop_loss=Decimal("990.50"),
    )
    assert command_text(order) == (
        "place symbol=BTCUSDT side=buy qty=0.5 type=Limit time_in_force=IOC reduce_only=no price=1000 stop_loss=990.5 "
        "take_profit=- position=0 order_link_id=tt-a-1-entry\n"
    )
    assert command_text(replace(order, qty=Decimal("0.5"), price=Decimal(1000))) == command_text(order)
    assert (
        command_text(CancelOrder("c", "BTCUSDT", "tt-a-1-entry"))
        == "cancel symbol=BTCUSDT order_link_id=tt-a-1-entry order_id=-\n"
    )
    assert command_text(SetStops("s", "BTCUSDT", Decimal("1.10"), None)) == (
        "stops symbol=BTCUSDT stop_loss=1.1 take_profit=- position=0\n"
    )
    assert (
        command_text(SetLeverage("l", "BTCUSDT", Decimal("10.0"))) == "leverage symbol=BTCUSDT leverage=10\n"
    )

"""Small versions of the studies: a signal with its sign turned, or one that looks ahead, would fail them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studies.recorded_book import read_recorded_book
from studies.scans import Scans
from studies.signals import main, report, scan_depth, scan_synthetic, scores, standard_forward
from studies.skill import coefficient
from turbo_trader.market.errors import InputError

pytestmark = pytest.mark.long

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DEPTH = DATA / "binance-raw-l2-trades-20240808" / "usdm_btcusdt_20240808.gz"


@pytest.fixture(scope="module")
def edge() -> Scans:
    return scan_synthetic(8, 12, 1, 1.0)


@pytest.fixture(scope="module")
def driftless() -> Scans:
    return scan_synthetic(8, 60, 2, 0.0)


@pytest.mark.parametrize(
    ("name", "horizon_s"),
    [("OFI", 30), ("VWAP", 300), ("OU_DRIFT", 300), ("forecast", 300), ("forecast", 900)],
)
def test_a_planted_reversion_is_seen_by_the_signals_that_mean_it(
    edge: Scans, name: str, horizon_s: int
) -> None:
    found = coefficient(scores(edge)[name], standard_forward(edge, horizon_s), horizon_s // 30)
    assert found.z() > 3.0
    assert found.value < 0.5  # more would be seeing the future


@pytest.mark.parametrize("name", ["OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT", "forecast"])
@pytest.mark.parametrize("horizon_s", [30, 300, 900])
def test_nothing_is_said_of_a_driftless_market(driftless: Scans, name: str, horizon_s: int) -> None:
    found = coefficient(scores(driftless)[name], standard_forward(driftless, horizon_s), horizon_s // 30)
    assert abs(found.z()) < 3.0


def test_funding_is_faded_and_says_nothing_on_a_market_that_has_no_crowding(edge: Scans) -> None:
    score = scores(edge)["FUNDING"]
    assert np.isfinite(score).mean() > 0.9
    assert abs(coefficient(score, standard_forward(edge, 30), 1).z()) < 3.0


def test_the_report_has_a_row_for_every_signal(driftless: Scans) -> None:
    text = report("title", driftless)
    assert text.startswith("### title")
    for name in ("OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT", "forecast"):
        assert text.count(f"\n| {name} |") == 3


@pytest.mark.skipif(not DEPTH.exists(), reason="needs ../shared/data")
def test_recorded_order_flow_goes_with_the_price_of_its_own_window() -> None:
    scans = scan_depth(DEPTH)
    mid, score = scans.figures["mid"][0], scores(scans)["OFI"][0]
    now = np.log(mid[60:] / mid[30:-30])
    keep = np.isfinite(score[60:])
    assert np.corrcoef(score[60:][keep], now[keep])[0, 1] > 0.5
    assert np.median(scans.figures["spread"]) == pytest.approx(0.1 / 61_700, rel=0.05)


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--market", "bars", "--data", str(tmp_path / "absent")])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit):
        main(["--market", "depth"])
    bad = tmp_path / "bad.gz"
    import gzip

    bad.write_bytes(gzip.compress(b"1 {}\nnot a push\n"))
    with pytest.raises(InputError, match="line 2"):
        read_recorded_book(bad)

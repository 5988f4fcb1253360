"""The charts of a report as figures."""

from tests.reports.conftest import BEGIN, Write

from turbo_trader.reports.charts import hours_chart
from turbo_trader.reports.reading import read_run

HOUR_MS = 3_600_000


def test_a_run_of_less_than_an_hour_fills_its_hour(run_folder: Write) -> None:
    """One bar has no neighbour that its width could be taken from: it and the axis are an hour wide, not a millisecond."""
    figure = hours_chart(read_run(run_folder(trades=1, scans=20)))
    bars, trades = figure["data"]
    begin = BEGIN // 1_000_000
    assert (bars["x"], bars["width"], bars["offset"]) == ([begin], HOUR_MS, 0)
    assert figure["layout"]["xaxis"]["range"] == [begin, begin + HOUR_MS]
    assert all(begin < x < begin + HOUR_MS for x in trades["x"])

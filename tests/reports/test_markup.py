"""What the page is made of."""

from __future__ import annotations

from importlib.resources import files

from turbo_trader.reports.markup import plotly_script


def test_our_plotly_js_is_the_file_of_the_package_plotly() -> None:
    theirs = files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    assert plotly_script() == theirs, (
        "gzip -9n < plotly.min.js > src/turbo_trader/reports/assets/plotly.min.js.gz"
    )

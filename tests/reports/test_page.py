"""The page in a real browser: drawn, complete, and without a request to anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.reports.conftest import Write

from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import MINUTE
from turbo_trader.reports.page import POLICY, json_text, render
from turbo_trader.reports.reading import read_run

DESKTOP, PHONE = (1280, 900), (390, 800)


@dataclass
class Opened:
    """A page in the browser, with what it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def _open(browser: Any, file: Path, size: tuple[int, int]) -> Opened:
    opened = Opened(browser.new_page(viewport={"width": size[0], "height": size[1]}))
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    opened.page.goto(file.as_uri())
    opened.page.wait_for_selector("html[data-drawn]", timeout=60_000)
    return opened


def _written(folder: Path) -> Path:
    file = folder.parent / f"{folder.name}.html"
    file.write_text(render(read_run(folder)))
    return file


@pytest.mark.external("chromium")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_draws_everything_and_asks_for_nothing(
    browser: Any, run_folder: Write, size: tuple[int, int]
) -> None:
    file = _written(run_folder(trades=6, still_open=True))
    opened = _open(browser, file, size)
    page = opened.page
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    charts = page.locator(".chart")
    drawn = page.locator(".chart .main-svg")
    assert charts.count() == 10
    assert drawn.count() >= charts.count()
    titles = page.locator("h2").all_inner_texts()
    assert titles == [
        "Equity and drawdown", "Trades", "Results", "Costs", "Funnel", "Calibration", "Size by evidence",
        "Beside the target figures",
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.close()


@pytest.mark.external("chromium")
def test_a_trade_chosen_in_the_table_is_shown_with_its_exits(browser: Any, run_folder: Write) -> None:
    opened = _open(browser, _written(run_folder(trades=40, scans=10)), DESKTOP)
    page = opened.page
    assert page.locator("#trades tbody tr").count() == 15
    page.click("#older")
    assert page.locator("#page").inner_text() == "2 of 3 (40 trades)"
    page.locator("#trades tbody tr").nth(1).click()
    text = page.locator("#about").inner_text()
    assert text.startswith("t23-entry: long B, 1 at 100.01 (leverage 5x, size set by margin target)")
    assert "closed by stop at 99.61" in text
    names = page.evaluate("document.getElementById('price').data.map((each) => each.name)")
    assert {"mid", "stop", "target", "long", "closed, lost", "zone"} <= set(names)
    assert page.locator("#symbol").input_value() == "ETHUSDT"
    assert opened.said == []
    page.close()


@pytest.mark.external("chromium")
def test_ten_thousand_trades_open_quickly(browser: Any, run_folder: Write) -> None:
    folder = run_folder(trades=10_000, scans=100, spacing=MINUTE)
    began = time.perf_counter()
    file = _written(folder)
    assert time.perf_counter() - began < 30
    assert file.stat().st_size < 12_000_000
    began = time.perf_counter()
    opened = _open(browser, file, DESKTOP)
    assert time.perf_counter() - began < 30
    assert opened.page.locator("#page").inner_text() == "1 of 667 (10,000 trades)"
    assert opened.said == []
    opened.page.close()


@pytest.mark.external("chromium")
def test_a_run_without_a_trade_says_why_in_the_browser(browser: Any, run_folder: Write) -> None:
    opened = _open(browser, _written(run_folder(trades=0)), PHONE)
    assert "There is no trade in this time: of 480 scans" in opened.page.locator("header").inner_text()
    assert opened.said == []
    opened.page.close()


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    assert "Nothing has been run in this folder yet" in render(read_run(tmp_path))


def test_a_run_that_ended_uncleanly_says_so(run_folder: Write) -> None:
    assert "The run ended uncleanly" in render(read_run(run_folder(ended=False)))


def test_a_run_that_goes_on_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("BTCUSDT",))
    assert "The run is still going" in render(read_run(tmp_path))
    journal.close(1, "stop")
    assert "The run is still going" not in render(read_run(tmp_path))


def test_the_page_can_neither_load_nor_send(run_folder: Write) -> None:
    text = render(read_run(run_folder()))
    assert f'content="{POLICY}"' in text
    assert "connect-src" not in POLICY  # what is not named falls to default-src 'none'
    assert POLICY.startswith("default-src 'none'")
    markup = text[: text.index("<script>")]
    assert "http://" not in markup
    assert "https://" not in markup


def test_texts_of_the_data_end_no_script_element() -> None:
    assert json_text({"a": "</script><b>"}) == '{"a":"\\u003c/script>\\u003cb>"}'


def test_texts_of_the_run_are_no_markup(tmp_path: Path) -> None:
    folder = tmp_path / "<img src=x>"
    folder.mkdir()
    assert "<img" not in render(read_run(folder)).split("<script")[0]

"""The page in Chromium: what it shows, how it follows what happens, the emergency stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.console.dashboard.conftest import TOKEN, FakeDaemon, Served, serve_page
from tests.reports.conftest import BEGIN, write_run

from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import MINUTE
from turbo_trader.trader.commands import Note

pytestmark = pytest.mark.external("chromium")
DESKTOP, PHONE = (1280, 900), (390, 800)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A browser with cookies of its own on the page; what it said and asked for."""

    def __init__(self, chromium: Any, served: Served, size: tuple[int, int] = DESKTOP) -> None:
        self.context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.address = served.address
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def enter(self, where: str = "") -> Any:
        """Log in and go to a daemon."""
        self.page.goto(self.address)
        self.page.fill("#token", TOKEN)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("main section")
        if where:
            self.page.click(f"#daemons a:has-text('{where}')")
            self.page.wait_for_selector("#head")
        return self.page

    def foreign(self) -> list[str]:
        """Requests to anywhere but the page itself."""
        return [url for url in self.asked if not url.startswith((self.address, "data:", "blob:"))]


def _says(page: Any, selector: str, text: str) -> None:
    """Wait until an element has a text. (Not wait_for_function: the page's policy forbids eval.)"""
    page.locator(selector, has_text=text).first.wait_for()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_daemon_is_shown_with_everything(
    chromium: Any, served: Served, daemon: FakeDaemon, size: tuple[int, int]
) -> None:
    visit = Visit(chromium, served, size)
    page = visit.enter("paper")
    page.wait_for_selector("#prices .main-svg")
    page.wait_for_selector("[data-chart=sizes] .main-svg")
    _says(page, "#explained", "BTCUSDT")
    text = page.inner_text("main")
    for shown in (
        "entries: allowed",
        "BTCUSDT",
        "99.6",
        "drawdown: 85 % used",
        "5 trades: watching only",
        "A scout, B shadow",
    ):
        assert shown in text
    assert page.locator("#trades tbody tr").count() == 4
    names = page.evaluate("document.querySelector('#prices .chart').data.map((each) => each.name)")
    assert {"mid", "stop", "target", "long"} <= set(names)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert visit.said == []
    assert visit.foreign() == []
    visit.context.close()


def test_a_wrong_token_says_so_and_shows_nothing(chromium: Any, served: Served, daemon: FakeDaemon) -> None:
    visit = Visit(chromium, served)
    visit.page.goto(served.address)
    visit.page.fill("#token", "not-the-token")
    visit.page.click("button[type=submit]")
    _says(visit.page, "#error", "wrong token")
    assert visit.page.url.endswith("/login")
    visit.page.goto(served.address)
    assert visit.page.url.endswith("/login")
    visit.context.close()


def test_a_new_trade_appears_by_itself(chromium: Any, served: Served, daemon: FakeDaemon) -> None:
    visit = Visit(chromium, served)
    page = visit.enter("paper")
    page.wait_for_selector("#trades tbody tr")
    journal = Journal(daemon.folder, ("BTCUSDT", "ETHUSDT"))
    ended = {
        "symbol": "BTCUSDT", "id": "new", "tier": "A", "direction": -1, "qty": Decimal(1), "entry": Decimal(100),
        "exit": Decimal("98.7654"), "result": Decimal("1.2346"), "fees": Decimal("0.1"), "funding": Decimal(0),
        "net": Decimal("1.1346"), "net_fraction": 0.011346, "reason": "target", "seconds": 60,
    }  # fmt: skip
    journal.note(Note(BEGIN + 200 * MINUTE, "trade", fields=ended))
    journal.flush()
    _says(page, "#trades tbody tr", "98.7654")
    assert "fresh" in page.locator("#trades tbody tr").first.get_attribute("class")
    daemon.view["equity"] = Decimal("4321.09")
    _says(page, "#head", "4,321.09")
    _says(page, "#head", "market time 20")  # charts are in it; the page's own clock is named as that
    assert "page updated" in page.inner_text("#state")
    journal.close(BEGIN, "test")
    visit.context.close()


def test_the_emergency_stop_asks_for_the_daemons_name(
    chromium: Any, served: Served, daemon: FakeDaemon
) -> None:
    visit = Visit(chromium, served, PHONE)
    page = visit.enter("paper")
    page.click("[data-verb=flatten]")
    assert "closes every position" in page.inner_text("#confirm")
    assert page.is_disabled("#yes")
    page.fill("#typed", "pape")
    assert page.is_disabled("#yes")
    page.click("#no")
    assert daemon.asked == []
    page.click("[data-verb=flatten]")
    page.fill("#typed", "paper")
    page.click("#yes")
    _says(page, "#head", "halted: flatten")
    assert [verb for verb, _ in daemon.asked] == ["flatten"]
    assert "No position is open." in page.inner_text("#positions")
    visit.context.close()


def test_all_daemons_are_stopped_at_once_after_a_confirmation(
    chromium: Any, served: Served, daemon: FakeDaemon, tmp_path: Path
) -> None:
    with FakeDaemon(write_run(tmp_path / "paper-2", 1, ended=False)) as other:
        page = Visit(chromium, served).enter()
        page.click("#all button[data-verb='all/flatten']")
        assert page.is_disabled("#yes")
        page.fill("#typed", "all")
        page.click("#yes")
        page.wait_for_selector("#confirm", state="hidden")
    assert [verb for verb, _ in daemon.asked] == [verb for verb, _ in other.asked] == ["flatten"]


def test_a_dead_daemon_is_shown_as_dead(chromium: Any, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "paper-1", 4, still_open=True, ended=False)
    with serve_page(tmp_path) as served:
        visit = Visit(chromium, served)
        with FakeDaemon(folder):
            page = visit.enter("paper")
            page.wait_for_selector("#head .dot:not(.dead)")
        page.wait_for_selector("#head .dot.dead")
        text = page.inner_text("main")
        assert "dead: its process is gone; stops on the venue stand" in text
        assert "As the journal has them: the daemon does not answer." in text
        assert page.locator("[data-verb=flatten]").count() == 0
        assert "paper (dead)" in page.inner_text("#daemons")
        visit.context.close()


def test_a_report_opens_from_the_list(chromium: Any, served: Served, daemon: FakeDaemon) -> None:
    visit = Visit(chromium, served)
    page = visit.enter()
    page.click("text=paper-1")
    page.wait_for_selector("html[data-drawn]")
    assert "The run ended uncleanly" in page.inner_text("header")
    assert visit.said == []
    visit.context.close()


def test_texts_of_a_daemon_are_no_markup(chromium: Any, served: Served, daemon: FakeDaemon) -> None:
    daemon.view["refusal"] = "<img src=x onerror=alert(1)>"
    daemon.view["evidence"] = "<b>bold</b>"
    visit = Visit(chromium, served)
    page = visit.enter("paper")
    _says(page, "#evidence", "<b>bold</b>")
    assert page.locator("main img").count() == 0
    assert visit.said == []
    visit.context.close()


def test_ten_thousand_trades_keep_the_page_quick(chromium: Any, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "paper-1", 10_000, spacing=MINUTE, scans=100, still_open=True, ended=False)
    with serve_page(tmp_path) as served, FakeDaemon(folder):
        cookie = served.enter()
        began = time.perf_counter()
        assert served.ask("GET", "/api/daemons/paper", Cookie=cookie).status == 200
        assert time.perf_counter() - began < 2.0
        visit = Visit(chromium, served)
        page = visit.enter("paper")
        page.wait_for_selector("#trades tbody tr")
        page.wait_for_selector("[data-chart=equity] .main-svg")
        slowest = page.evaluate(
            """async () => {
                let slowest = 0, before = performance.now();
                for (let i = 0; i < 300; i += 1) {
                    await new Promise((done) => setTimeout(done, 10));
                    slowest = Math.max(slowest, performance.now() - before - 10);
                    before = performance.now();
                }
                return slowest;
            }"""
        )
        assert slowest < 1_500  # ms that the page did not answer a click, on a machine that does other work
        visit.context.close()

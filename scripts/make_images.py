"""docs/images: the report of three days on the made-up market (seed 1, sizes by evidence), and the page of a daemon on it.

Without an argument both; else `report` or `dashboard`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WAIT_MS = 900_000  # until the daemon holds something, on a busy machine
TURBO = Path(sys.executable).with_name("turbo-trader")
BACKTEST = ("backtest", "synthetic", "--days", "3", "--size", "earned", "--new-session", "daily")


def report_page(folder: Path) -> Path:
    """The page of a backtest that is run for it."""
    env = {**os.environ, "JOURNAL_DIR": str(folder)}
    subprocess.run([TURBO, *BACKTEST], env=env, cwd=folder, check=True)
    (kept,) = (folder / "backtests").iterdir()
    kept = kept.rename(folder / "backtests" / "three-days")
    subprocess.run([TURBO, "report", kept.name, "report.html"], env=env, cwd=folder, check=True)
    return folder / "report.html"


def choose(page: Page) -> None:
    """The trade whose stop moved most often, the longest of those."""
    most = "(a, b) => b.zones.length - a.zones.length || b.minutes - a.minutes"
    index = page.evaluate(f"""() => {{
        const data = JSON.parse(document.getElementById("data").textContent);
        const rows = data.trades.map((row, n) => ({{n, ...Object.fromEntries(data.columns.map((name, i) => [name, row[i]]))}}));
        return rows.sort({most})[0].n;
    }}""")
    for _ in range(index // 15):
        page.click("#older")
    page.locator("#trades tbody tr").nth(index % 15).click()
    page.evaluate("window.scrollTo(0, 0)")


def take_report(chromium: Browser, page_file: Path) -> None:
    """The head of the page, with one trade on its price."""
    page = chromium.new_page(viewport={"width": 1180, "height": 1440})
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-drawn]")
    choose(page)
    page.mouse.move(0, 0)
    page.screenshot(path=IMAGES / "report.png")


def take_dashboard(chromium: Browser, folder: Path) -> None:
    """A daemon with an open position, ten times faster than the clock."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "JOURNAL_DIR": str(folder / "var")}
    run = (TURBO, "run", "--speed", "10", "--no-ui", "--balance", "60", "--for", "20m")
    serve = (TURBO, "dashboard", "--port", "0")
    with ExitStack() as stack:
        daemon = stack.enter_context(subprocess.Popen(run, env=env, cwd=folder, stderr=subprocess.DEVNULL))
        stack.callback(daemon.terminate)
        server = stack.enter_context(
            subprocess.Popen(serve, env=env, cwd=folder, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(server.terminate)
        assert server.stdout is not None
        address = server.stdout.readline().removeprefix("dashboard ready: ").strip()
        token = subprocess.run(
            (TURBO, "dashboard", "--token"), env=env, cwd=folder, capture_output=True, text=True, check=True
        )
        page = chromium.new_page(viewport={"width": 1180, "height": 1240})
        page.set_default_timeout(WAIT_MS)
        page.goto(address)
        page.fill("#token", token.stdout.strip())
        page.click("button[type=submit]")
        page.click("#daemons a")
        page.wait_for_selector("#prices .main-svg")
        page.locator("#positions td:nth-child(8)").filter(has_text="1").first.wait_for()  # a stop has moved
        page.screenshot(path=IMAGES / "dashboard.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or ["report", "dashboard"]
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        if "report" in wanted:
            take_report(browser, report_page(Path(made)))
        if "dashboard" in wanted:
            take_dashboard(browser, Path(made))
        browser.close()

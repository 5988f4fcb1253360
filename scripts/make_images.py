"""docs/images/report.png: the report of three days on the made-up market, seed 1, at evidence's sizes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
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


def take(page_file: Path, snapshot: Path) -> None:
    """The head of the page, with one trade on its price."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1180, "height": 1440})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-drawn]")
        choose(page)
        page.mouse.move(0, 0)
        page.screenshot(path=snapshot)
        chromium.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        given = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else report_page(Path(made))
        take(given, IMAGES / "report.png")

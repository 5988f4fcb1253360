"""docs/images: `run` on the made-up market in a real terminal, the report of three days on it (seed 1, sizes by evidence), and the
page of a daemon on it.

Without an argument all; else `terminal`, `report` or `dashboard`.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

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


def take_terminal(folder: Path) -> None:
    """The view in tmux, seed 1, once it holds two positions; coloured text as an SVG without outside fonts."""
    columns, rows = 118, 36
    tmux = ("tmux", "-L", "images", "-f", "/dev/null")
    env = {
        **os.environ,
        "XDG_STATE_HOME": str(folder / "state"),
        "JOURNAL_DIR": str(folder / "var"),
        "TERM": "xterm-256color",
    }
    run = f"{TURBO} run --seed 1 --for 60m"
    size = ("-x", str(columns), "-y", str(rows))
    subprocess.run((*tmux, "new-session", "-d", *size, "-c", str(folder), run), env=env, check=True)
    try:
        until = time.monotonic() + WAIT_MS / 1000
        while True:
            seen = subprocess.run(
                (*tmux, "capture-pane", "-e", "-p"), capture_output=True, text=True, check=True
            ).stdout
            if (
                len(re.findall(r"^\S+ +(?:long|short)(?: +[\d.]+){5}", plain(seen), flags=re.MULTILINE)) >= 2
            ):  # positions held
                break
            assert time.monotonic() < until, seen
            time.sleep(0.5)
    finally:
        subprocess.run((*tmux, "kill-server"), check=False)
    console = Console(
        width=columns, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(seen))
    drawn = console.export_svg(title="turbo-trader run", code_format=CONSOLE_SVG_FORMAT)
    (IMAGES / "run.svg").write_text(re.sub(r"@font-face {.*?}|<!--.*?-->", "", drawn, flags=re.DOTALL))


def plain(text: str) -> str:
    """Without the codes of colours."""
    return Text.from_ansi(text).plain


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
    wanted = sys.argv[1:] or ["terminal", "report", "dashboard"]
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        if "terminal" in wanted:
            take_terminal(Path(made))
        if "report" in wanted:
            take_report(browser, report_page(Path(made)))
        if "dashboard" in wanted:
            take_dashboard(browser, Path(made))
        browser.close()

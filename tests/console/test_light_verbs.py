"""`--help` and `status` answer at once: no heavy library is imported for them, and they say what the long way says."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from turbo_trader import __version__
from turbo_trader.console import main as console
from turbo_trader.console import overview
from turbo_trader.console.command_line import app

HEAVY = (
    "numba",
    "llvmlite",
    "numpy",
    "scipy",
    "polars",
    "pybit",
    "rich",
    "typer",
    "pydantic",
    "asyncio",
    "textual",
    "plotly",
)
PRINT_MODULES = (
    "import sys, atexit; atexit.register(lambda: sys.stderr.write(' '.join(m for m in sys.modules if '.' not in m)));"
    "sys.argv = ['turbo-trader', *sys.argv[1:]]; from turbo_trader.console.main import main; main()"
)


def ran(*given: str, folder: Path, code: str = PRINT_MODULES) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *given], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--help",),
        ("-h",),
        ("--version",),
        ("status",),
        ("status", "--json"),
        ("status", "--daemon", "nobody"),
    ],
)
def test_no_heavy_library_is_imported(given: tuple[str, ...], tmp_path: Path) -> None:
    done = ran(*given, folder=tmp_path)
    assert not set(HEAVY) & set(done.stderr.split())
    assert "turbo_trader" in done.stderr


@pytest.mark.parametrize(("given", "seconds"), [("--help", 0.15), ("status", 0.3)])
def test_a_light_verb_takes_little_of_a_core(given: str, seconds: float, tmp_path: Path) -> None:
    ran(given, folder=tmp_path)
    taken = []
    for _ in range(5):  # the least of five: a busy machine only adds
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran(given, folder=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(taken) < seconds


def test_help_lists_every_verb_as_the_verb_describes_itself() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    described = {
        name: (each.help or "").split("\n\n")[0].replace("\n", " ") for name, each in commands.items()
    }
    assert described == overview.VERBS


def test_the_help_of_a_group_says_of_each_verb_a_whole_sentence() -> None:
    groups = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    verbs = {
        f"{name} {verb}": each
        for name, group in groups.items()
        for verb, each in getattr(group, "commands", {}).items()
    }
    short = {name: each.get_short_help_str(80 - 6 - len("uninstall")) for name, each in verbs.items()}
    assert short
    assert not [name for name, said in short.items() if said.endswith("...")]


def test_help_fits_eighty_columns() -> None:
    assert max(map(len, overview.text().splitlines())) <= 80


@pytest.mark.parametrize("given", [[], ["-h"], ["--help"]])
def test_help_is_the_answer_without_a_verb(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["turbo-trader", *given])
    with pytest.raises(SystemExit) as ended:
        console.main()
    assert (ended.value.code, capsys.readouterr()) == (0, (overview.text() + "\n", ""))


def test_the_version_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["turbo-trader", "--version"])
    with pytest.raises(SystemExit) as ended:
        console.main()
    assert (ended.value.code, capsys.readouterr().out) == (0, f"turbo-trader {__version__}\n")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["status"], 0, ""),
        (["status", "--json"], 0, ""),
        (["status", "--journal-dir", "nowhere"], 2, "turbo-trader: --journal-dir nowhere: no such folder\n"),
        (
            ["status", "--journal-dir=nowhere", "--json"],
            2,
            "turbo-trader: --journal-dir nowhere: no such folder\n",
        ),
    ],
)
def test_status_says_what_the_long_way_says(given: list[str], code: int, said: str, tmp_path: Path) -> None:
    argv = "import sys; sys.argv = ['turbo-trader', *sys.argv[1:]]; from turbo_trader.console."
    long_way = argv + "command_line import run_verb; run_verb()"
    short_way = argv + "main import main; main()"
    answers = [ran(*given, folder=tmp_path, code=way) for way in (short_way, long_way)]
    assert answers[0].stdout == answers[1].stdout
    assert [(each.returncode, each.stderr) for each in answers] == [(code, said)] * 2


@pytest.mark.parametrize("wrong", [["--jsn"], ["--daemon"], ["--json=yes"], ["more"], ["--help"]])
def test_what_a_plain_status_does_not_know_goes_the_long_way(wrong: list[str]) -> None:
    assert console._status_options(wrong) is None


def test_the_journals_are_where_the_settings_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turbo_trader.console.folders import journals
    from turbo_trader.console.settings import load_settings

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOURNAL_DIR", raising=False)
    assert journals() == load_settings().journal_dir
    (tmp_path / ".env").write_text("JOURNAL_DIR='some where'  # ours\n")
    assert journals() == load_settings().journal_dir == Path("some where")
    monkeypatch.setenv("JOURNAL_DIR", os.fspath(tmp_path))
    assert journals() == load_settings().journal_dir == tmp_path


def test_a_live_start_imports_nothing_of_the_simulated_exchange() -> None:
    code = "import sys, turbo_trader.console.start; print(*(m for m in sys.modules if m.startswith('turbo_trader.exchange')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == ""


COMPILER = ("numba", "llvmlite", "scipy")  # what a scan is made with
LIBRARIES = (
    *COMPILER,
    "polars",
    "pybit",
    "rich",
    "textual",
    "plotly",
    "starlette",
    "uvicorn",
    "websockets",
    "structlog",
)
#: Everything that reads, asks a running daemon or looks something up; the last come with what they show.
READING = (
    "halt", "resume", "flatten", "stop", "session new", "explore --again", "guard --stop", "logs", "logs --json", "explain BTC",
    "explain --trade 1", "funnel", "funnel --json", "report", "report --json", "report --list", "report --csv trades.csv",
    "feasible --json", "policy --json", "policy LEVERAGE", "replay", "journal check", "tape info nothing.jsonl", "service print",
    "run --help", "guard --help", "backtest --help", "tape --help", "chaos --help", "study --help",
)  # fmt: skip
WALK = """
import contextlib, io, sys
from turbo_trader.console.main import main
heavy = set(sys.argv[1].split())
for verb in sys.argv[2:]:
    sys.argv = ["turbo-trader", *verb.split()]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main()
    print(verb, "|", *sorted(heavy & set(sys.modules)), "|", said.getvalue()[:60].split(chr(10))[0])
    assert "Traceback" not in said.getvalue(), said.getvalue()
"""


def test_a_verb_that_reads_imports_no_compiler_and_no_library_of_others(tmp_path: Path) -> None:
    done = ran(" ".join(LIBRARIES), *READING, folder=tmp_path, code=WALK)
    imported = {line.split("|")[0].strip(): line.split("|")[1].strip() for line in done.stdout.splitlines()}
    assert done.returncode == 0, done.stderr
    assert imported == dict.fromkeys(READING, "")


def test_a_guard_imports_no_compiler_and_nothing_of_a_screen(tmp_path: Path) -> None:
    """It signs through pybit, and structlog brings rich; the rest it needs not, for months."""
    code = (
        "import turbo_trader.live.position_guard as guard, sys;"
        "guard.watch_over = lambda *_: sys.exit(print(*sorted(sys.modules)));"
        "sys.argv = ['turbo-trader', 'guard']; from turbo_trader.console.main import main; main()"
    )
    keys = "MODE=testnet\nBYBIT_API_KEY=some-key\nBYBIT_API_SECRET=some-secret\n"
    (tmp_path / ".env").write_text(keys)
    (tmp_path / ".env").chmod(0o600)
    done = ran(folder=tmp_path, code=code)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"turbo_trader.console.verbs.guard", "turbo_trader.trader.guard_interventions"} <= loaded
    assert {*COMPILER, "polars", "textual", "plotly", "starlette", "uvicorn"} & loaded == set()
    assert not {
        name for name in loaded if name.startswith(("turbo_trader.exchange", "turbo_trader.simulation"))
    }


def test_a_dashboard_imports_no_compiler_and_no_client_of_a_venue(tmp_path: Path) -> None:
    code = "import sys, turbo_trader.console.dashboard.page_process; print(*sys.modules)"
    loaded = set(ran(folder=tmp_path, code=code).stdout.split())
    assert "turbo_trader.console.dashboard.routes" in loaded
    assert {*COMPILER, "polars", "pybit", "textual", "plotly"} & loaded == set()  # structlog brings rich

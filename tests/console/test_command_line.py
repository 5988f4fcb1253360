"""The command line as a whole: a mistyped name gets the nearest, errors have short lines, the shell completes."""

import json
import os
import re
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import typer

from turbo_trader import __version__
from turbo_trader.console import exit_codes, main, overview
from turbo_trader.console.command_line import app


def ended(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    monkeypatch.setattr("sys.argv", ["turbo-trader", *given])
    with pytest.raises(SystemExit) as end:
        main.main()
    out, err = capsys.readouterr()
    return end.value.code, out, err


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["funel"], "funnel"), (["reprot"], "report"), (["run", "--mod", "paper"], "did you mean --mode?"),
        (["--verison"], "did you mean --version?"), (["--hlep"], "did you mean --help?"),
        (["run", "--blance", "18"], "did you mean --balance?"),
        (["tape", "info", "--jsno"], "did you mean --json?"),
        (["policy", "SESION_LOSS"], "SESSION_LOSS"),
        (["explain", "BTC-USDT"], "BTCUSDT"), (["feasible", "--price", "XPR=1"], "XRPUSDT"),
    ],
)  # fmt: skip
def test_a_mistyped_name_gets_the_nearest_and_exit_code_2(
    given: list[str], meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ended(given, monkeypatch, capsys)
    assert code == exit_codes.USAGE
    assert meant in err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["tape"], "turbo-trader: tape: name one of info, "), (["journal"], "name one of backup, "),
        (["study"], "name one of edge"), (["backtest"], "(see: turbo-trader backtest --help)"),
        (["chaos", "--seeds", "0"], "0: must be 1 or more "),
        (["run", "--speed", "nope"], "not a number, or max"), (["run", "--edge", "101"], "0 to 100"),
        (["exchange", "--edge", "101"], "0 to 100"), (["chaos", "--edge", "101"], "0 to 100"),
        (["--balance", "18", "run"], "no option --balance; options follow the verb"),
        (["status", "--daemon", "nosuch"], "'nosuch': none of this name is running; no daemon is running"),
    ],
)  # fmt: skip
def test_a_refused_command_says_what_to_name_instead(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ended(given, monkeypatch, capsys)
    assert code == exit_codes.USAGE
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    "verb",
    ["report", "report --html", "report var", "funnel", "calibration", "qualify", "qualify var", "explain BTC",
     "logs", "replay", "journal check", "journal backup", "journal export"],
)  # fmt: skip
def test_where_there_is_no_journal_every_reader_of_one_ends_with_2(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").mkdir()
    monkeypatch.chdir(tmp_path)
    for place in ([], ["--journal-dir", str(tmp_path / "var")], ["--journal-dir", str(tmp_path / "nowhere")]):
        code, out, err = ended([*verb.split(), *place], monkeypatch, capsys)
        assert (code, out) == (exit_codes.USAGE, ""), place
        assert re.search("no (journal|log) here|no recording|no such", " ".join(err.split()))
    assert [path.name for path in tmp_path.rglob("*")] == ["var"]


def test_where_there_is_no_journal_lists_and_states_are_empty_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb, said in (
        (["status"], "running     no"),
        (["report", "--list"], "no run and no backtest in var yet"),
    ):
        code, out, _ = ended(verb, monkeypatch, capsys)
        assert (code, said in out) == (exit_codes.OK, True)


def test_an_error_line_has_at_most_200_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        exit_codes.end("term " * 100, exit_codes.FAILED)
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 200
    assert " ".join(lines).split().count("term") == 100


def test_an_error_is_folded_to_a_narrow_terminal() -> None:
    import pty

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    code = "from turbo_trader.console.exit_codes import end; end('term ' * 30, 1)"
    done = subprocess.run([sys.executable, "-c", code], stderr=theirs, timeout=60)
    os.close(theirs)
    lines = os.read(ours, 65_536).decode().splitlines()
    os.close(ours)
    assert done.returncode == exit_codes.FAILED
    assert max(map(len, lines)) <= 60
    assert not any(line.endswith(("t", "te", "ter")) for line in lines)


@pytest.mark.parametrize("given", [["--help"], ["policy"], ["status", "--json"]])
def test_a_reader_that_has_gone_is_no_traceback(given: list[str], tmp_path: Path) -> None:
    """`turbo-trader policy | head`"""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "turbo_trader.console", *given]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, text=True, timeout=60)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == exit_codes.FAILED


def test_every_verb_stands_apart_from_its_sentence() -> None:
    lines = [line for line in overview.text().splitlines() if line.startswith("  ") and line[2] != " "]
    assert {re.split(" {2,}", line.strip())[0] for line in lines} == set(overview.VERBS)
    assert max(map(len, overview.text().splitlines())) <= 80


def test_nothing_asked_shows_the_verbs_and_version_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ended([], monkeypatch, capsys)
    assert code == exit_codes.OK
    assert "  init " in out
    for given in ("--version", "-V", "version"):
        assert ended([given], monkeypatch, capsys)[1] == f"turbo-trader {__version__}\n"
    assert ended(["help"], monkeypatch, capsys)[1] == out


def test_the_shell_completes_verbs() -> None:
    env = {
        **os.environ,
        "_TURBO_TRADER_COMPLETE": "complete_bash",
        "COMP_WORDS": "turbo-trader fu",
        "COMP_CWORD": "1",
    }
    command = "import sys; sys.argv = ['turbo-trader']; from turbo_trader.console.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["funnel"]


def verbs_of_the_readme() -> list[str]:
    """Each verb of its table; of `tape info`, `tape import` each."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    table = text[text.index("| verb | does |") :].split("\n\n")[0]
    named = [verb for row in table.splitlines()[2:] for verb in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    return [re.sub(r" (-|\[|[A-Z]).*", "", verb) for verb in named]


@pytest.mark.parametrize("verb", verbs_of_the_readme())
def test_every_verb_of_the_readme_is_there_and_takes_json(verb: str) -> None:
    found: Any = typer.main.get_command(app)
    for name in verb.split():
        found = found.commands[name] if hasattr(found, "commands") else found
    assert "--json" in {flag for each in found.params for flag in each.opts}


def test_an_import_answers_with_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = Path(__file__).parents[2] / "samples" / "bars"
    target = tmp_path / "bars.parquet"
    code, out, _ = ended(["tape", "import", str(bars), str(target), "--bars", "--json"], monkeypatch, capsys)
    found = json.loads(out)
    assert code == exit_codes.OK
    assert found["interval_s"] == 60
    assert found["bars"] == 3 * 2 * 1_440
    assert found["bytes"] == target.stat().st_size

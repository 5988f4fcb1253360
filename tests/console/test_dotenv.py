"""`.env` is read strictly: what cannot be read is refused in one line with its place."""

from pathlib import Path

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.dotenv import dotenv
from turbo_trader.console.setting_names import check_file
from turbo_trader.market.errors import InputError


def read(folder: Path, content: str | bytes) -> dict[str, str]:
    path = folder / ".env"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return dotenv(path)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1  ", "1"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A='a b'", "a b"),
        ('A="a # b" # comment', "a # b"),
        ("A=1 # comment", "1"),
        ("A=a#b", "a#b"),
        ("A=# comment", ""),
        ("A=a=b", "a=b"),
        ("\ufeffA=1", "1"),
        ("A=1\r\n", "1"),
        ("# comment\n\nA=1\n", "1"),
        ("A=$HOME", "$HOME"),
        ("A=\u2028x", "\u2028x".strip()),
    ],
)
def test_a_line_is_a_name_and_a_value(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, line) == {"A": value}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("A=1\nSEED 5\n", "line 2: expected NAME=value"),
        ("A=1\nSEED: 5\n", "line 2: expected NAME=value"),
        ("1A=5", "line 1: expected NAME=value"),
        ("=5", "line 1: expected NAME=value"),
        ("export A", "line 1: expected NAME=value"),
        ("A=1\nB=2\nA=1\n", "line 3: A is given twice"),
        ("A='1", "line 1: A: the quote"),
        ("A='1'2", "line 1: A: the quote"),
        (b"A=1\nB=caf\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
        ("A=1\n".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        (b"A=1\0\n" * (1 << 18), "larger than"),
        (b"A=1\nB=a\0b\n", "line 2: B holds the control character 0x00"),
        (b"A=1\rB=2\r", "line 1: A holds the control character 0x0d"),
        (b'A="a\x1bb"', "line 1: A holds the control character 0x1b"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        read(tmp_path, content)
    assert "\n" not in str(refused.value)


def test_no_file_is_no_setting_and_a_folder_is_refused(tmp_path: Path) -> None:
    assert dotenv(tmp_path / ".env") == {}
    with pytest.raises(InputError, match="make it a readable file or remove it"):
        dotenv(tmp_path)


@pytest.mark.parametrize("verb", ["policy", "run", "status", "feasible", "backtest", "doctor", "exchange"])
def test_an_unreadable_file_ends_a_verb_with_one_line_and_exit_code_2(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"SEED=\xff\n")
    monkeypatch.setattr("sys.argv", ["turbo-trader", verb, *(["x.csv"] if verb == "backtest" else [])])
    with pytest.raises(SystemExit) as ended:
        main.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == exit_codes.USAGE
    assert line == "turbo-trader: .env, line 1: byte 0xff is not UTF-8; save it as UTF-8"


def test_a_link_to_no_file_is_refused(tmp_path: Path) -> None:
    """Somebody's limits are meant to be there."""
    (tmp_path / ".env").symlink_to(tmp_path / "moved")
    with pytest.raises(InputError, match="a link to no file"):
        dotenv(tmp_path / ".env")


def test_a_name_of_any_length_is_reported_in_short_lines(capsys: pytest.CaptureFixture[str]) -> None:
    check_file(["Q" * 3_000], ["SESSION_LOSS"])
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= exit_codes.LINE
    assert sum(line.count("Q") for line in lines) == 3_000

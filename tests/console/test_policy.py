"""`turbo-trader policy`: every number in force, readable in 80 columns."""

import pytest

from turbo_trader.console import exits, main
from turbo_trader.console.verbs.policy import lines
from turbo_trader.rules.policy import Policy


def test_every_number_is_there_with_its_meaning_in_80_columns() -> None:
    rows = Policy().table()
    text = list(lines(rows))
    words = " ".join(" ".join(text).split())
    assert max(map(len, text)) <= 80
    for row in rows:
        assert f" {row.name} " in words
    assert "1.5 ratio SNR above, growing" in words
    assert text[-1].startswith(f"{len(rows)} numbers, 0 overridden (*)")
    marked = {line[3:31].strip() for line in text if line[1:2] == "="}
    assert marked == {row.name for row in rows if not row.chosen}
    assert [line for line in text if line.startswith("section")] == [
        f"section {i} of the rules" for i in range(1, 10)
    ]


def test_an_overridden_number_has_a_star_and_tells_its_default() -> None:
    text = list(lines(Policy.from_env({"LOCK_SHARE": "40%"}).table()))
    (line,) = [i for i, line in enumerate(text) if line.startswith("*")]
    words = " ".join(" ".join(text[line : line + 3]).split())
    assert words.startswith("*= LOCK_SHARE 0.40 share stop locks of the distance reached (default 0.5)")
    assert "1 overridden (*)" in text[-1]


@pytest.mark.parametrize("verb", ["policy", "feasible", "run"])
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TP_MIN", "2%", ("TP_MIN = 0.02 (section 6: TP from) clashes with TP_MAX = 0.015", "upside down")),
        ("TP_MIN", "far", ("TP_MIN = 'far': expected a number", "section 6: TP from")),
    ],
)
def test_a_contradiction_ends_a_verb_with_one_line_and_exit_code_2(
    verb: str,
    name: str,
    text: str,
    said: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, text)
    monkeypatch.setattr("sys.argv", ["turbo-trader", verb])
    with pytest.raises(SystemExit) as ended:
        main.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == exits.USAGE
    assert all(part in line for part in said)

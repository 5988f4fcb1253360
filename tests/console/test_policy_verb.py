"""`turbo-trader policy`: every number in force, readable in 80 columns."""

import pytest

from turbo_trader.console import exit_codes, main
from turbo_trader.console.verbs.policy import explained, lines, named
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy


def test_every_number_is_there_with_its_meaning_in_80_columns() -> None:
    rows = Policy().table()
    text = list(lines(rows))
    shown = " ".join(" ".join(text).split())
    assert max(map(len, text)) <= 80
    for row in rows:
        assert f" {row.name} " in shown
    assert "1.5 ratio SNR above, growing" in shown
    assert f"{len(rows)} numbers, 0 overridden (*)" in text
    labels = {
        line.split()[1]: line.split()[0] for line in text if line.startswith((" asked", " chosen", " ours"))
    }
    assert labels == {row.name: row.label for row in rows}
    assert [line for line in text if line.startswith("section")] == [
        f"section {i} of the rules" for i in range(1, 10)
    ]


def test_an_overridden_number_has_a_star_and_reports_its_default() -> None:
    text = list(lines(Policy.from_env({"LOCK_SHARE": "40%"}).table()))
    (line,) = [i for i, line in enumerate(text) if line.startswith("*")]
    shown = " ".join(" ".join(text[line : line + 3]).split())
    assert shown.startswith("*asked LOCK_SHARE 0.40 share stop locks of the distance reached (default 0.5)")
    assert f"{len(Policy.model_fields)} numbers, 1 overridden (*)" in text


def test_a_named_number_says_its_line_of_the_rules_and_why() -> None:
    asked, ours = named(Policy().table(), ["TP_MIN", "on_term"])
    assert list(explained([asked])) == [
        "TP_MIN = 0.006 fraction: TP from",
        f"  asked, section 6 A: {asked.source}",
    ]
    assert list(explained([ours]))[1:] == [
        f"  ours, section 8 SIGTERM: {ours.source}",
        f"  why: {ours.reason}",
    ]


def test_an_unknown_number_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"TP_MINN: no number of the rules; did you mean TP_MIN\?"):
        named(Policy().table(), ["TP_MINN"])


@pytest.mark.parametrize("verb", ["policy", "feasible", "run"])
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TP_MIN", "2%", ("TP_MIN = 0.02 (section 6 A: TP from) clashes with TP_MAX = 0.015", "upside down")),
        ("TP_MIN", "far", ("TP_MIN = 'far': expected a number", "section 6 A: TP from")),
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
    assert ended.value.code == exit_codes.USAGE
    assert all(part in line for part in said)

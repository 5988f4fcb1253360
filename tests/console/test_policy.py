"""`turbo-trader policy`: every number in force, readable in 80 columns."""

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

"""`turbo-trader funnel` as a person reads it."""

import re
from pathlib import Path

import pytest
from tests.reports.conftest import write_run

from turbo_trader.console import main


def test_a_count_stands_on_the_line_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path)
    monkeypatch.setattr("sys.argv", ["turbo-trader", "funnel", "--journal-dir", str(tmp_path)])
    with pytest.raises(SystemExit):
        main.main()
    lines = capsys.readouterr().out.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("funnel "))
    head = lines[begin : lines.index("", begin)]
    assert len(head) > 2  # the counts of nine gates need two lines
    assert max(map(len, head)) <= 80
    for line in head:
        counts = line.removeprefix("funnel").removeprefix("blocked by").split("  ")
        assert all(re.fullmatch(r"\D+ [\d,]+", count.strip()) for count in counts if count.strip()), line

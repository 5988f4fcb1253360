"""docs/operations.md: its table is the catalogue, and every alarm has a section that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

from turbo_trader.console.alarms.catalogue import RULES, Alarm, Rule

DOCS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def section() -> str:
    text = DOCS.read_text()
    return text[text.index("## Alarms and what to do") :].split("\n## ")[0]


def row(rule: Rule) -> str:
    spans = ((3600, "h"), (60, "min"), (1, "s"))
    unit, name = next(each for each in spans if rule.cool_down_s % each[0] == 0)
    again = f"{rule.cool_down_s / unit:.0f} {name}" if rule.cool_down_s else "-"
    return f"| `{rule.alarm}` | {rule.severity} | {rule.text} | {rule.when} | {again} |"


def test_the_table_is_the_catalogue() -> None:
    assert re.findall(r"^\| `.*", section(), re.MULTILINE) == [row(rule) for rule in RULES]


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    parts = re.split(r"^### ", section(), flags=re.MULTILINE)[1:]
    runbooks = {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip() for part in parts}
    assert list(runbooks) == list(Alarm)
    assert all(runbooks.values())

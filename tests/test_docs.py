"""The documentation hangs together: every link leads somewhere, every page is in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "samples" / "README.md",
    ]
)


def links(page: Path) -> list[str]:
    """What a page links to within the project, without anchors."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    found = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    return [link for link in found if link and "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert not [link for link in links(page) if not (page.parent / link).exists()]


def test_the_index_lists_every_page() -> None:
    listed = set(links(ROOT / "docs" / "index.md"))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - listed == {"index.md"}


def sources() -> set[str]:
    """Every Python file by its path and by each end of it: exchange/fills.py is src/turbo_trader/exchange/fills.py."""
    found = set()
    for folder in ("src", "tests", "benchmarks", "studies", "scripts", "samples", "clients"):
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).parts
            found |= {"/".join(parts[i:]) for i in range(len(parts))}
    return found


def test_every_source_file_and_test_that_a_page_names_is_there() -> None:
    there = sources()
    defined = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    missing = []
    for page in PAGES:
        text = page.read_text()
        files = set(re.findall(r"(?<![\w*])[\w./-]+\.py\b", text))
        missing += [
            f"{page.name}: {file}" for file in files if "NAME" not in file and file.lstrip("./") not in there
        ]
        named = set(re.findall(r"`(test_\w+)`", text))
        missing += [f"{page.name}: {name}" for name in named - defined]
    assert missing == []

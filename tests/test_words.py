"""Plain words: none of the old private terms in names, event names, test names and prose; test names of at most 80 characters."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Old terms, and what is said instead.
OLD = {
    "told": "reported", "tell": "emit", "tells": "emits", "anew": "again", "picture": "snapshot", "pictures": "snapshots or images",
    "wish": "pending stop, action", "wishes": "actions", "word": "report, command, text", "words": "texts", "weather": "outages",
    "mortal": "restarts", "story": "timeline", "peace": "cleanly",
    "stories": "timelines", "hoped": "target", "lossy": "faulty network", "desk": "state", "desks": "states",
}  # fmt: skip
#: Of these, what prose may say: "tell which of the two".
PLAIN = ("tell", "tells")
#: Names that others gave: the shell's, and Optuna's for the end of a trial.
FOREIGN = {"COMP_WORDS": "tests/console/test_command_line.py", "tell": "src/turbo_trader/lab/sweep.py"}
MOST = 80
THIS = Path(__file__).name


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """The sources and docs of the project: what git keeps, else what lies in the folders."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    found = [ROOT / name for name in names] or [
        path
        for folder in ("src", "tests", "docs", "scripts")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    return tuple(
        path
        for path in found
        if path.suffix in suffixes and path.is_file() and path.name not in (THIS, "LICENSE")
    )


def parts(name: str) -> set[str]:
    """The terms a name is made of, in small letters: stop_Wish, StopWish, stop-wish."""
    pieces = re.split(r"[^A-Za-z]+", name)
    return {term.lower() for piece in pieces for term in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", piece)}


def is_old(name: str, path: Path) -> bool:
    return bool(parts(name) & set(OLD)) and FOREIGN.get(name) != str(path.relative_to(ROOT))


def names_of(path: Path) -> set[str]:
    reader = io.StringIO(path.read_text()).readline
    return {token.string for token in tokenize.generate_tokens(reader) if token.type == tokenize.NAME}


def test_names_of_the_code_and_its_files_carry_no_old_term() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files(".py")
        for name in (path.stem, *names_of(path))
        if is_old(name, path)
    }
    assert not found, sorted(found)


def test_short_texts_such_as_event_names_and_keys_carry_no_old_term() -> None:
    found = set()
    for path in files(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if re.fullmatch(r"[a-zA-Z]+([-_.][a-zA-Z]+)*", text) and is_old(text, path):
                    found.add(f"{path.relative_to(ROOT)}:{node.lineno}: {text}")
    assert not found, sorted(found)


def test_events_in_the_docs_carry_no_old_term() -> None:
    text = (ROOT / "docs" / "logs.md").read_text()
    found = {name for name in re.findall(r"`([^`]+)`", text) if parts(name) & set(OLD)}
    assert not found, sorted(found)


def test_test_names_have_at_most_80_characters() -> None:
    found = {
        name
        for path in files(".py")
        if path.is_relative_to(ROOT / "tests")
        for name in re.findall(r"def (test_\w+)", path.read_text())
        if len(name) > MOST
    }
    assert not found, sorted(found)


def test_prose_of_code_and_docs_avoids_old_terms() -> None:
    pattern = re.compile(rf"\b({'|'.join(set(OLD) - set(PLAIN))})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files(".py", ".md", ".toml", ".example", "")
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, found

"""The pytest fixture of samples/ works as it stands there, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "pytest"


@pytest.mark.slow  # two processes that start from nothing
def test_the_sample_fixture_starts_an_exchange_and_moves_its_market(tmp_path: Path) -> None:
    for path in SAMPLE.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PATH": programs}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout

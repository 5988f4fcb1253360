"""`scripts/setup` ends with one line where it cannot begin."""

import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[1] / "scripts" / "setup"


@pytest.mark.parametrize("python", ["/nonexistent", "no-such-python", "/"])
def test_a_python_that_is_none_is_named(python: str) -> None:
    done = subprocess.run(
        [SETUP], env={**os.environ, "PYTHON": python}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert (
        done.stderr == f"scripts/setup: {python}: no Python that runs: set PYTHON to a Python 3.11 or newer\n"
    )
    assert done.stdout == ""


def test_a_kind_that_is_none_is_named() -> None:
    done = subprocess.run([SETUP, "moon"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "scripts/setup: unknown kind 'moon': use run, dev or system\n",
    )


def test_bytecode_is_kept_whatever_the_shell_asks_for(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "${{PYTHONDONTWRITEBYTECODE-unset}}" > {tmp_path}/seen\nexit 1\n')
    python.chmod(0o755)
    variables = {**os.environ, "PYTHON": str(python), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([SETUP], env=variables, capture_output=True, check=False)
    assert (tmp_path / "seen").read_text() == "unset\n"

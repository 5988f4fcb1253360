"""The house itself: row size, package version, what a wheel holds."""

import subprocess
import sys
from pathlib import Path

from turbo_trader import __version__
from turbo_trader.market.events import ROW

ROOT = Path(__file__).resolve().parents[1]
#: Every module that setuptools puts into a wheel, by its package and name.
WHEEL_MODULES = """
from setuptools.dist import Distribution
dist = Distribution({"script_name": "setup.py"})
dist.parse_config_files(["pyproject.toml"])
build = dist.get_command_obj("build_py")
build.ensure_finalized()
for package, module, _ in build.find_all_modules():
    print(f"{package}.{module}")
"""


def test_a_tape_row_is_24_bytes() -> None:
    assert ROW.itemsize == 24


def test_the_version_is_stated() -> None:
    assert __version__.count(".") == 2


def test_the_wheel_holds_the_package_and_no_benchmark_or_study() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WHEEL_MODULES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = [line.split(".") for line in ran.stdout.splitlines()]
    assert ["turbo_trader", "console", "main"] in modules
    assert {names[0] for names in modules} == {"turbo_trader"}
    assert not {names[1] for names in modules} & {"benchmarks", "studies", "research"}
    assert (ROOT / "benchmarks" / "bench.py").exists()  # beside it
    assert (ROOT / "studies" / "signals.py").exists()

"""The house itself: row size, package version, what a wheel holds."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from turbo_trader import __version__
from turbo_trader.market.rows import ROW

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


#: What marks a kernel: numba compiles no keyword-only parameter, so a kernel takes its arrays and numbers by place.
KERNEL = re.compile(r"\b(kernel|inlined|released)\b")
MOST = 6  # as ruff's max-positional-args, which looks at definitions alone


def test_no_call_but_of_a_kernel_has_more_than_six_positional_arguments() -> None:
    """Functions of any number of like things (`*codes`) are none of them."""
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "src").rglob("*.py"))}
    functions = [
        node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]
    kernels = [node for node in functions if any(KERNEL.search(ast.unparse(d)) for d in node.decorator_list)]
    inside = {id(node) for kernel in kernels for node in ast.walk(kernel)}
    names = {kernel.name for kernel in kernels} | {each.name for each in functions if each.args.vararg}
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node.func)}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and id(node) not in inside
        if sum(not isinstance(each, ast.Starred) for each in node.args) > MOST
        if ast.unparse(node.func).rpartition(".")[2].removeprefix("_") not in names
    ]
    assert len(names) > 50
    assert long == []


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


def test_at_most_eight_names_of_files_stand_twice() -> None:
    """A file is guessed from its name: one that stands in two rooms is two guesses."""
    names = Counter(path.name for path in (ROOT / "src").rglob("*.py") if path.name != "__init__.py")
    twice = sorted(name for name, times in names.items() if times > 1)
    assert len(names) > 300
    assert len(twice) <= 8, twice

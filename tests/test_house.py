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
    files = [path for room in ("src", "tests") for path in (ROOT / room).rglob("*.py")]
    names = Counter(path.name for path in files if path.name != "__init__.py")
    twice = sorted(name for name, times in names.items() if times > 1)
    assert len(names) > 600
    assert len(twice) <= 8, twice


LONGEST, DEEPEST, MOST_METHODS = 50, 4, 25
BRANCHES = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)


def depth(node: ast.AST) -> int:
    """How deep branches, loops and contexts stand inside one another; an `elif` is no deeper than its `if`."""
    deepest = 0
    for name, value in ast.iter_fields(node):
        inner = [
            each for each in (value if isinstance(value, list) else [value]) if isinstance(each, ast.AST)
        ]
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            chained = (
                isinstance(node, ast.If) and name == "orelse" and isinstance(each, ast.If) and len(inner) == 1
            )
            deepest = max(deepest, depth(each) + (isinstance(each, BRANCHES) and not chained))
    return deepest


def over(node: ast.AST) -> bool:
    """A function beyond a screen or nested too deep, or a class of too many methods."""
    if isinstance(node, ast.ClassDef):
        methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
        return len(methods) > MOST_METHODS
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        return lines > LONGEST or depth(node) > DEEPEST
    return False


def test_functions_fit_a_screen_and_classes_have_few_methods() -> None:
    source = ROOT / "src" / "turbo_trader"
    found = {
        f"{path.relative_to(source)}: {getattr(node, 'name', '')}"
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if over(node)
    }
    assert sorted(found) == []


def test_a_file_has_at_most_four_hundred_lines() -> None:
    long = [
        str(path.relative_to(ROOT))
        for room in ("src", "tests", "benchmarks", "clients", "studies")
        for path in (ROOT / room).rglob("*.py")
        if path.read_text().count("\n") > 400
    ]
    assert long == []

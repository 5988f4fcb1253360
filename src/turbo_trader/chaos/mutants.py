"""Mutants: small changes of production code, drawn at random in proportion to the lines of each room."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from turbo_trader.chaos.planting import PACKAGE, Defect

ROOMS: Final = ("trader", "runtime", "journal", "bybit")
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `module` with its whole changed text, and what was changed where."""

    module: str
    line: int
    what: str
    text: str

    @property
    def name(self) -> str:
        """Names it for good while the source stays."""
        return f"{self.module}:{self.line} {self.what}"

    def defect(self) -> Defect:
        """It as a planted defect."""
        source = path_of_module(self.module).read_text(encoding="utf-8")
        return Defect(self.name, self.module, source, self.text)


def plainly(source: str) -> str:
    """A source written as mutants are: without comments, in the same order."""
    return ast.unparse(ast.parse(source)) + "\n"


def path_of_module(module: str) -> Path:
    """The file of a module of this package."""
    return PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")


def draw(count: int, seed: int) -> list[Mutant]:
    """So many different mutants; the same seed gives the same ones while the source stays."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    files = [file for room in ROOMS for file in sorted((PACKAGE / room).glob("*.py"))]
    lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
    found: dict[str, Mutant] = {}
    for _ in range(50 * count):
        if len(found) >= count:
            break
        file = chance.choices(files, lines)[0]
        if sites := _sites_of(file):
            mutant = chance.choice(sites)()
            found.setdefault(mutant.name, mutant)
    return list(found.values())


@cache
def _sites_of(file: Path) -> tuple[Callable[[], Mutant], ...]:
    return tuple(_sites(file))


def _sites(file: Path) -> Iterator[Callable[[], Mutant]]:
    """Every place of a file where something can be changed."""
    source = file.read_text(encoding="utf-8")
    module = f"turbo_trader.{file.parent.name}.{file.stem}"
    tree = ast.parse(source)
    decorating = set(_decorating(tree))
    for number, node in enumerate(ast.walk(tree)):
        for what in _changes(node) if node not in decorating else ():
            yield lambda number=number, what=what: _made(module, source, number, what)  # type: ignore[misc]


def _decorating(tree: ast.AST) -> Iterator[ast.AST]:
    """What stands in decorators: whether a dataclass has slots is nothing that anybody could notice."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            yield from ast.walk(decorator)


def _changes(node: ast.AST) -> Sequence[str]:
    """What can be changed of a node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            return ("comparison",)
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            return ("arithmetic",)
        case ast.BoolOp():
            return ("and-or",)
        case ast.UnaryOp(op=ast.Not()):
            return ("not",)
        case ast.Constant(value=bool()):
            return ("switch",)
        case ast.Constant(value=int()):
            return ("number",)
        case ast.If():
            return ("never",)
        case ast.Expr(value=ast.Call()):
            return ("call-left-out",)
        case _:
            return ()


def _made(module: str, source: str, number: int, what: str) -> Mutant:
    tree = ast.parse(source)
    node = next(each for at, each in enumerate(ast.walk(tree)) if at == number)
    line = int(getattr(node, "lineno", 0))
    _change(node)
    return Mutant(module, line, what, ast.unparse(tree) + "\n")


def _change(node: ast.AST) -> None:
    match node:
        case ast.Compare():
            node.ops = [_COMPARISONS[type(node.ops[0])]()]
        case ast.BinOp():
            node.op = _ARITHMETIC[type(node.op)]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() as value):
            node.value = value + 1
        case ast.If():
            node.test = ast.Constant(False)
        case ast.Expr():
            node.value = ast.Constant(None)
        case _:
            raise TypeError(f"nothing to change: {ast.dump(node)}")

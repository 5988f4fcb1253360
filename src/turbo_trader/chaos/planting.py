"""Plants a defect: a module's text is changed as it is imported, in this process only; its file stays as it is.

Nothing of the package may be imported before, so this imports nothing of it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Defect:
    """`old` stands in `module` exactly once; `faults` and `rules` besides those of the situation ("": as they are).

    `seed`: one that has found it before, played first; the search begins where it finds nothing any more.
    """

    name: str
    module: str
    old: str
    new: str
    situation: str = "healthy"
    hours: float = 0.3
    faults: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1


class Unapplicable(Exception):
    """A patch does not fit the text it was made for."""


def path_of(defect: Defect) -> Path:
    """The file of the module it is planted in."""
    return PACKAGE.joinpath(*defect.module.split(".")[1:]).with_suffix(".py")


def patched(defect: Defect, text: str) -> str:
    """A module's text with the defect. Unapplicable where the old text is not there exactly once."""
    count = text.count(defect.old)
    if count != 1:
        raise Unapplicable(
            f"defect {defect.name}: {defect.module} has its text {count} times, not once: {defect.old!r}"
        )
    return text.replace(defect.old, defect.new)


class _Loader(SourceFileLoader):
    """Compiles the patched text; the bytecode cache is left alone."""

    def __init__(self, fullname: str, path: str, defect: Defect) -> None:
        super().__init__(fullname, path)
        self._defect = defect

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib's signature
        """The code of the patched text."""
        text = patched(self._defect, Path(self.path).read_text(encoding="utf-8"))
        return compile(text, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, defect: Defect) -> None:
        self._defect = defect

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The patched module; others are found as usual."""
        if fullname != self._defect.module:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname, found.origin, loader=_Loader(fullname, found.origin, self._defect)
        )


def plant(defect: Defect) -> None:
    """From now on the module is imported with the defect. Unapplicable where it does not fit, or the module is there already."""
    if defect.module in sys.modules:
        raise Unapplicable(f"defect {defect.name}: {defect.module} is imported already")
    patched(defect, path_of(defect).read_text(encoding="utf-8"))
    sys.meta_path.insert(0, _Finder(defect))

"""Compiled kernels of a planted defect: those that can see the patched module are kept apart, the others are shared."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from turbo_trader.chaos.planting import PACKAGE, Defect, path_of
from turbo_trader.market import compiled


def own_cache(defect: Defect) -> Path:
    """TURBO_TRADER_CACHE of a child process: a folder of its own, with links to the kernels that cannot see the patched module."""
    shared, patched = compiled.cache_folder(), path_of(defect)
    base = shared.parent / "planted" / f"{defect.name}-{_change(defect)}"
    own = base / "turbo-trader" / "kernels"
    own.mkdir(parents=True, exist_ok=True)
    for folder in shared.iterdir() if shared.is_dir() else ():
        room, _, module = folder.name.rpartition("-")[0].partition(".")
        link = own / folder.name
        if not link.exists() and not _sees(PACKAGE / room / f"{module}.py", patched):
            link.symlink_to(folder, target_is_directory=True)
    return base


def keep_apart(defect: Defect) -> None:
    """In the child, before any kernel is imported: what can see the patched module is known by another hash.

    So it is found neither in the user's cache nor among the kernels that came with the package.
    """
    whole, change, patched = compiled.sources_hash, _change(defect), path_of(defect)

    @cache
    def sources_hash(path: Path) -> str:
        return f"{whole(path)[:8]}{change}" if _sees(path, patched) else whole(path)

    compiled.sources_hash = sources_hash


def _change(defect: Defect) -> str:
    return hashlib.sha256(f"{defect.old} {defect.new}".encode()).hexdigest()[:8]


def _sees(module: Path, patched: Path) -> bool:
    """Does a module import the patched one, directly or not? A folder of a module that is gone is of no use either."""
    seen: set[Path] = set()
    ahead = [module]
    while ahead:
        if (each := ahead.pop()) == patched or not each.exists():
            return True
        if each not in seen:
            seen.add(each)
            ahead.extend(compiled.imported(each))
    return False

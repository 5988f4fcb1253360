"""Machine code of kernels: kept in files, and run without the compiler.

Importing numba and preparing it costs 1.5 s; linking machine code needs llvmlite and three of numba's extension modules alone, a
tenth of that. A later import of numba finds them imported.

The code is of one processor, one version of Python and one set of types (`kinds.kind`). It checks no more of an array than the size
of its items, so whoever calls it looks at the types first (`compiled.Kernel`).
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import pickle
import sys
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any

from llvmlite import binding

_LINKING = Lock()


@dataclass(kw_only=True, frozen=True)
class MachineCode:
    """A kernel for arguments of certain types. `object_code`: an ELF file; `wrapper`: its function of the interpreter's calling
    convention; `environments`: its variables that point to objects, such as the dtype of an array it returns, each with these."""

    object_code: bytes
    wrapper: str
    environments: dict[str, list[Any]]

    def write(self, file: Path) -> None:
        """Keep it. Where that cannot be (a full disk, a folder of someone else's) the next start takes longer, nothing else."""
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_suffix(f".{os.getpid()}")
            new.write_bytes(zlib.compress(pickle.dumps(vars(self))))
            new.replace(file)

    @classmethod
    def read(cls, files: Iterable[Path]) -> MachineCode | None:
        """What the first of `files` that can be read holds."""
        for file in files:
            with suppress(OSError, zlib.error):
                return cls(**pickle.loads(zlib.decompress(file.read_bytes())))  # noqa: S301 - code that runs, by any means
        return None

    def linked(self, name: str, doc: str) -> Callable[..., Any]:
        """A function of Python."""
        with _LINKING:
            dynamic = _extension("numba._dynfunc")
            engine = _engine()
            engine.add_object_file(binding.ObjectFileRef.from_data(self.object_code))
            engine.finalize_object()
            environments = {}
            for variable, objects in self.environments.items():
                environments[variable] = made = dynamic.Environment({})
                made.consts[:] = objects
                place = engine.get_global_value_address(variable)
                ctypes.c_void_p.from_address(place).value = id(made)
            address, kept = engine.get_function_address(self.wrapper), (engine, environments)
            own = dynamic.Environment({})
            return dynamic.make_function(sys.modules[__name__], name, doc, address, own, kept)  # type: ignore[no-any-return]


def file_name(function: FunctionType, kinds: tuple[str, ...]) -> str:
    """Of the machine code of a function for such arguments, on this processor and in this version of Python."""
    on = (*processor(), binding.get_process_triple(), sys.implementation.cache_tag, *kinds)
    digest = hashlib.sha256(" ".join(on).encode()).hexdigest()[:12]
    return f"{function.__name__}-{function.__code__.co_firstlineno}-{digest}.kernel"


@cache
def processor() -> tuple[str, str]:
    """(name, features) of what machine code is made for: any x86-64 processor since 2009 (`x86-64-v2`), unless NUMBA_CPU_NAME says
    what for, or this one is older."""
    if named := os.environ.get("NUMBA_CPU_NAME"):
        return named, os.environ.get("NUMBA_CPU_FEATURES", "")
    features = binding.get_host_cpu_features()
    if features.get("sse4.2") and features.get("popcnt"):
        return "x86-64-v2", ""
    return binding.get_host_cpu_name(), features.flatten()


@cache
def _extension(name: str) -> Any:
    """An extension module of numba, imported without numba."""
    if name not in sys.modules:
        package = find_spec("numba")
        assert package is not None
        folders = [str(Path(f, *name.split(".")[1:-1])) for f in package.submodule_search_locations or ()]
        spec = PathFinder.find_spec(name, folders)
        assert spec is not None
        assert spec.loader is not None
        module: ModuleType = module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def _engine() -> Any:
    """A linker and its memory, of one object file: two may define the same names."""
    _define_symbols()
    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine()
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


@cache
def _define_symbols() -> None:
    """What machine code calls besides the interpreter's C functions: what numba defines before it compiles (`numba.core.base`)."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    binding.add_symbol("_Py_NoneStruct", id(None))
    helpers: dict[str, int] = _extension("numba._helperlib").c_helpers
    for name, address in helpers.items():
        binding.add_symbol(f"numba_{name}", address)
        binding.add_symbol(name, address)  # its mathematics
    for name, address in _extension("numba.core.runtime._nrt_python").c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    for name, value in vars(importlib.import_module("builtins")).items():
        if isinstance(value, type) and issubclass(value, BaseException):
            binding.add_symbol(f"PyExc_{name}", id(value))

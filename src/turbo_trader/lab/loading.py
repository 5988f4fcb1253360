"""Signals by name or file: entry points of the group `turbo_trader.signals`, or a Python file of the user.

A file holds a class `Signal`, or a function `score(panel)` (and `LOOKBACK`, `EVERY` beside it). An entry point names a class or
a module of that form. The file is the user's own code: it runs with all of the user's rights, as any package does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import metadata, util
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from turbo_trader.lab.panel import LOOKBACK, Panel, PanelSignal, Scores
from turbo_trader.market.errors import InputError

GROUP: Final = "turbo_trader.signals"


@dataclass(frozen=True)
class Signal:
    """A signal with its parameters: how to make one, and a fingerprint of everything that decides its scores."""

    name: str
    make: Callable[[], PanelSignal]
    parameters: Mapping[str, Any]
    source: str = field(repr=False)  # the code, for the fingerprint
    origin: str = (
        ""  # the name or file it can be loaded from again with `given`; "" where it was made in memory
    )
    given: Mapping[str, Any] = field(default_factory=dict)

    def fresh(self) -> PanelSignal:
        """A new instance, which remembers nothing."""
        return self.make()

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits; the same where code and parameters are."""
        said = json.dumps(dict(self.parameters), sort_keys=True, default=str)
        return hashlib.sha256(f"{self.source}\n{said}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Function:
    """A module's `score` function as a signal."""

    function: Callable[[Panel], Scores]
    lookback: int | timedelta
    every: int | timedelta

    def score(self, panel: Panel) -> Scores:
        return self.function(panel)


def names() -> tuple[str, ...]:
    """The signals that are installed."""
    return tuple(sorted({point.name for point in metadata.entry_points(group=GROUP)}))


def parameters(given: Iterable[str], what: str = "--param") -> dict[str, Any]:
    """NAME=VALUE pairs; a value is a JSON number, true, false, or text. InputError names `what` they were given by."""
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise InputError(f"{what} {pair}: must be NAME=VALUE")
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value
        if isinstance(found[name.strip()], float) and not math.isfinite(found[name.strip()]):
            raise InputError(f"{what} {pair}: must be a finite number")
    return found


def load_signal(name: str, parameters: Mapping[str, Any] | None = None) -> Signal:
    """The signal of an entry point or a .py file. InputError says what is wrong with it."""
    given = dict(parameters or {})
    if name.endswith(".py"):
        return _of_file(Path(name), given)
    for point in metadata.entry_points(group=GROUP):
        if point.name == name:
            try:
                return _made(name, point.load(), given)
            except (ImportError, AttributeError) as error:
                raise InputError(f"signal {name}: {point.value} cannot be loaded: {error}") from None
    raise InputError(f"{name}: no such signal: give a .py file or one of {', '.join(names()) or 'none'}")


def _of_file(path: Path, given: dict[str, Any]) -> Signal:
    try:
        source = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None

    def make() -> PanelSignal:
        return _built(
            path.stem, _executed(path), given
        )  # the module again: an instance shares nothing with the one before

    return _described(path.stem, make, given, source, str(path.resolve()))


def _executed(path: Path) -> ModuleType:
    spec = util.spec_from_file_location(f"turbo_trader_signal_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file")
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path}: cannot be loaded: {type(error).__name__}: {error}") from None
    return module


def _made(name: str, found: Any, given: dict[str, Any]) -> Signal:
    try:
        source = inspect.getsource(inspect.getmodule(found) or found)
    except (OSError, TypeError):
        source = repr(found)
    return _described(name, lambda: _built(name, found, given), given, source, name)


def _described(
    name: str, make: Callable[[], PanelSignal], given: dict[str, Any], source: str, origin: str
) -> Signal:
    instance = make()
    parameters = dataclasses.asdict(cast("Any", instance)) if _is_own_dataclass(instance) else given
    return Signal(name, make, parameters, source, origin, given)


def _is_own_dataclass(instance: object) -> bool:
    return dataclasses.is_dataclass(instance) and not isinstance(instance, _Function)


def _built(name: str, found: Any, given: dict[str, Any]) -> PanelSignal:
    """An instance of a class, of a module's `Signal`, or of its `score` function."""
    if isinstance(found, ModuleType):
        found = getattr(found, "Signal", None) or _function(name, found)
    if isinstance(found, type):
        _refuse_text(name, found, given)
    try:
        instance = found(**given) if isinstance(found, type) else found
    except TypeError as error:
        raise InputError(f"signal {name}: {error}: its parameters are {_parameters(found)}") from None
    except ValueError as error:
        raise InputError(f"signal {name}: {error}") from None
    if given and not isinstance(found, type):
        raise InputError(f"signal {name}: a function takes no parameters: write a class")
    if not isinstance(instance, PanelSignal):
        raise InputError(f"signal {name}: has no score(panel) method")
    return instance


def _refuse_text(name: str, found: type, given: dict[str, Any]) -> None:
    """InputError where a parameter whose default is a number is given as something else."""
    for parameter in inspect.signature(found).parameters.values():
        value, default = given.get(parameter.name, 0), parameter.default
        number = isinstance(default, int | float) and not isinstance(default, bool)
        if number and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InputError(f"signal {name}: {parameter.name} must be a number, not {value}")


def _function(name: str, module: ModuleType) -> PanelSignal:
    if not callable(getattr(module, "score", None)):
        raise InputError(f"signal {name}: needs a class Signal or a function score(panel)")
    return _Function(module.score, getattr(module, "LOOKBACK", LOOKBACK), getattr(module, "EVERY", 1))


def _parameters(found: Any) -> str:
    names = [each for each in inspect.signature(found).parameters if each != "self"]
    return ", ".join(names) or "none"

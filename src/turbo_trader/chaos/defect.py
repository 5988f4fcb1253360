"""One planted defect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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

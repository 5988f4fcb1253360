"""The planted defects by name: what is changed where, and in which situation each shows soonest. Production names none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from turbo_trader.chaos.defects_of_guards import OF_GUARDS
from turbo_trader.chaos.defects_of_journal import OF_JOURNAL
from turbo_trader.chaos.defects_of_machines import OF_MACHINES
from turbo_trader.chaos.defects_of_rules import OF_RULES
from turbo_trader.chaos.defects_of_scans import OF_SCANS
from turbo_trader.chaos.planting import Defect

DEFECTS: Final[Mapping[str, Defect]] = {
    defect.name: defect for defect in (*OF_RULES, *OF_MACHINES, *OF_SCANS, *OF_JOURNAL, *OF_GUARDS)
}

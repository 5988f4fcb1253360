"""A second instance on the account: an order in this program's form from a start that our journal does not know.

It has the same rules and its own books, so both would open, and each would take the other's position for its own. No entries until
a person has looked (`resume`); what is held is managed on. At a start such orders are looked for before (`live.startup`).
"""

from __future__ import annotations

from turbo_trader.rules.session_changes import HaltCause
from turbo_trader.trader.ids import boot_of
from turbo_trader.trader.trader_state import TraderState


class Instances:
    """Notices each unknown start once."""

    def __init__(self, state: TraderState) -> None:
        self._state = state
        self._reported: set[str] = set()

    def notice(self, link_id: str) -> None:
        """An order or fill with this id was seen."""
        boot = boot_of(link_id)
        if not boot or boot in self._state.boots or boot in self._reported:
            return
        self._reported.add(boot)
        d = self._state
        why = f"order {link_id} is another instance's, or of a lost journal"
        d.session.halt(d.now, "trader", why, HaltCause.SECOND_INSTANCE)
        d.persist_session()
        d.note("second-instance", "error", id=link_id, boot=boot, why=why)

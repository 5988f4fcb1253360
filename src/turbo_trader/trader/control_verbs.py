"""What a person, or the shell on their behalf, can ask of a running Trader. Light: `status` and the page read it without numpy."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ControlVerb(StrEnum):
    """The names are those of the control port."""

    HALT = "halt"
    RESUME = "resume"
    FLATTEN = "flatten"
    STOP = "stop"
    SESSION_NEW = "session_new"
    EXPLORE = "explore"

    @property
    def typed(self) -> str:
        """As it is typed after `turbo-trader`."""
        return self.value.replace("_", " ")


STATUS: Final = "status"  # the shell answers it; the Trader never sees it

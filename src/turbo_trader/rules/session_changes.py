"""What holds a halt, what becomes of a session, and what was done to it. Light: the sender of alarms reads it without numpy."""

from __future__ import annotations

from enum import StrEnum


class HaltCause(StrEnum):
    """What holds a halt; the names are those of the journal."""

    LOSS = "session loss"
    PAUSES = "pauses"
    WATCHDOG = "edge watchdog"
    PERSON = "halt"
    FLATTEN = "flatten"
    SECOND_INSTANCE = "second instance"


class SessionChange(StrEnum):
    """What becomes of a session by its limits; the names are those of the log."""

    BEGUN = "session-new"
    WARNING = "warning"
    PAUSED = "drawdown-pause"
    PAUSE_OVER = "pause-over"
    HALTED_BY_LOSS = "session-loss"
    HALTED_BY_PAUSES = "pauses-halt"


class Act(StrEnum):
    """What was done to a session; the names are those of its history."""

    HALT = "halt"
    FLATTEN = "flatten"
    FLAT = "flat"
    RESUME = "resume"
    NEW = "session new"
    PAUSE = "pause"

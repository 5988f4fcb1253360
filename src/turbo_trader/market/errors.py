"""The errors a person may meet, each one clear line: what, where and what to do."""

from __future__ import annotations


class InputError(Exception):
    """Something given by a person (a file, a setting, an option) cannot be used; the text is one clear line for that person."""


class Refused(Exception):
    """Refused for safety: says what is missing or unsafe and what to do."""

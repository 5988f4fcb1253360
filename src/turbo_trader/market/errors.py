"""The error of bad input: what, where and what to do, in one line."""

from __future__ import annotations


class InputError(Exception):
    """Something given by a person (a file, a setting, an option) cannot be used; the text is one clear line for that person."""

"""What keeps entries away from one symbol, whatever the market does. Only this module writes its fields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class Blocks:
    """ "" and False: it does not."""

    frozen: str = ""  # why the symbol is not traded until a person looks
    barred: str = ""  # the venue's message on why it takes no entries; until its instrument is read again
    unread: bool = False  # the last account read had rows of it that could not be read

    def freeze(self, why: str) -> None:
        """A person must look."""
        self.frozen = why

    def bar(self, why: str) -> None:
        """The venue takes no entries ("": it does)."""
        self.barred = why

    def read(self, *, unread: bool) -> None:
        """The account was read; `unread`: not all rows of the symbol."""
        self.unread = unread

    @property
    def why(self) -> str:
        """The first of them; "" = none."""
        if self.frozen:
            return self.frozen
        if self.barred:
            return f"the venue takes no entries: {self.barred}"
        return "the account read has rows of it that cannot be read" if self.unread else ""

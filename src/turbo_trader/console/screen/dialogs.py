"""Dialogs above the board: a text to read, a question."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

_FRAME = """
{name} {{ align: center middle; background: ansi_default; }}
{name} > .box {{ border: solid ansi_default; background: ansi_default; color: ansi_default; }}
"""


class Paper(ModalScreen[None]):
    """A text over the whole terminal; arrows and page keys scroll, q or Esc closes it."""

    DEFAULT_CSS = _FRAME.format(name="Paper") + (
        "Paper > .box { width: 100%; height: 100%; border: none; border-top: solid ansi_default; scrollbar-size: 0 0; }"
    )  # all 80 columns are the text's
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """The text in a frame."""
        with VerticalScroll(classes="box") as frame:
            frame.border_title = f"{self._title}  (q: back)"
            yield Static(Text(self._text))

    def show(self, text: str) -> None:
        """Another text in its place; nothing where it has been closed meanwhile (`is_mounted` stays true then)."""
        if self in self.app.screen_stack:
            self.query_one(Static).update(Text(text))


class Confirm(ModalScreen[bool]):
    """A question that only `y` answers with yes."""

    DEFAULT_CSS = (
        _FRAME.format(name="Confirm") + "Confirm > .box { width: auto; height: auto; padding: 0 2; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)"),
        Binding("n,escape,q,enter", "dismiss(False)"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question."""
        yield Static(Text(f"{self._question}  y / n"), classes="box")


class Ask(ModalScreen[str]):
    """A question with a line to write the answer on; Esc gives none."""

    DEFAULT_CSS = _FRAME.format(name="Ask") + "Ask > .box { width: 40; height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')")]

    def __init__(self, question: str, answer: str) -> None:
        super().__init__()
        self._question, self._answer = question, answer

    def compose(self) -> ComposeResult:
        """The line, with the likeliest answer on it."""
        with Vertical(classes="box"):
            yield Static(Text(self._question))
            yield Input(self._answer, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The answer."""
        self.dismiss(event.value.strip())

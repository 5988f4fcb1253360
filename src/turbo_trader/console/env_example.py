"""The text of `.env.example`: every setting and every number of the rules, commented out, with its meaning and default."""

from __future__ import annotations

from textwrap import dedent

from turbo_trader.console.settings import Settings
from turbo_trader.rules.numbers import shown
from turbo_trader.rules.policy import Policy

_HEAD = dedent(
    """\
    # turbo-trader settings. Copy to .env and uncomment what you change; the environment wins over .env, options win over both.
    # This file is written by: python -m turbo_trader.console.env_example > .env.example
    """
)


def text() -> str:
    """The whole file."""
    lines = [_HEAD, "# --- the installation"]
    for name, field in Settings.model_fields.items():
        default = field.default
        value = "" if default is None or "secret" in name or "api_key" in name else shown(default)
        lines += [f"# {field.description}", f"#{name.upper()}={value}"]
    lines += ["", "# --- the rules (docs/rules.md); fractions may be written 0.006, 0.6% or 60bp"]
    section = ""
    for row in Policy().table():
        if row.section.split(".")[0] != section:
            section = row.section.split(".")[0]
            lines += ["", f"# section {section}"]
        origin = "chosen" if row.chosen else "fixed"
        lines += [f"# {row.meaning} ({row.unit}; {origin})", f"#{row.name}={shown(row.value)}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(text(), end="")

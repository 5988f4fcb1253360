"""The text of `.env.example`: every setting and every number of the rules, commented out, with its meaning and default."""

from __future__ import annotations

from textwrap import dedent

from turbo_trader.console.settings import Settings
from turbo_trader.rules.declared import shown
from turbo_trader.rules.policy import Policy

_HEAD = dedent(
    """\
    # turbo-trader settings. Copy to .env and uncomment what you change; the environment wins over .env, options win over both.
    # This file is written by: python -m turbo_trader.console.env_example > .env.example
    """
)
_RULES = dedent(
    """\
    # --- the rules (docs/rules.md); fractions may be written 0.006, 0.6% or 60bp
    # asked: stands in the user's texts; chosen: they leave it open or contradict themselves; ours: a rule we added.
    # `turbo-trader policy NAME` says where a number comes from and why.
    """
)


def text() -> str:
    """The whole file."""
    lines = [_HEAD, "# --- the installation"]
    for name, field in Settings.model_fields.items():
        default = field.default
        value = "" if default is None or "secret" in name or "api_key" in name else shown(default)
        lines += [f"# {field.description}", f"#{name.upper()}={value}"]
    lines += ["", *_RULES.splitlines()]
    section = ""
    for row in Policy().table():
        if row.section[0] != section:
            section = row.section[0]
            lines += ["", f"# section {section}"]
        lines += [f"# {row.meaning} ({row.unit}; {row.label})", f"#{row.name}={shown(row.value)}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(text(), end="")

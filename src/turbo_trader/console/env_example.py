"""The text of `.env.example`: every setting and every number of the rules, commented out, with its meaning and default."""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from turbo_trader.console.settings import Settings
from turbo_trader.numbers.declared import shown
from turbo_trader.rules.policy import Policy

#: What people change, in the order they meet it; the rest of the file has all others.
FIRST: Final = (
    "MODE", "BALANCE", "BYBIT_KEY_FILE", "I_ACCEPT_THE_RISK", "SIZE", "SESSION_LOSS", "DRAWDOWN_PAUSE", "A_RISK", "B_RISK",
    "TARGET_ASSETS",
)  # fmt: skip
_HEAD = dedent(
    """\
    # turbo-trader settings. Copy to .env and uncomment what you change, or let `turbo-trader init` ask for it.
    # The environment wins over .env, options win over both.
    # This file is written by: python -m turbo_trader.console.env_example > .env.example
    #
    # Letters: E is the equity (wallet and open positions), B the balance (wallet). A and B are also the two kinds of trade: A where
    # OFI, OU_DRIFT and at least one more signal confirm, B where those two alone do. SL is the stop, TP the target, h the horizon
    # of the forecast, T the longest hold, c the cost of a round trip; bp is a hundredth of a per cent. Write 0.006, 0.6% or 60bp.
    # asked: asked for by the design, can be overridden; chosen: the design leaves it open or contradicts itself; ours: a rule
    # we added.
    """
)
_RULES = dedent(
    """\
    # --- the rules (docs/rules.md); `turbo-trader policy NAME` says where a number comes from and why.
    """
)


def text() -> str:
    """The whole file: the ten that people change, then all others, each once."""
    blocks = _blocks()
    lines = [_HEAD, "# --- the ten that people change", *(line for name in FIRST for line in blocks[name])]
    lines += ["", "# --- the installation"]
    lines += [
        line for name in Settings.model_fields if name.upper() not in FIRST for line in blocks[name.upper()]
    ]
    lines += ["", *_RULES.splitlines()]
    section = ""
    for row in Policy().table():
        if row.section[0] != section:
            section = row.section[0]
            lines += ["", f"# section {section}"]
        lines += blocks[row.name] if row.name not in FIRST else []
    return "\n".join(lines) + "\n"


def _blocks() -> dict[str, list[str]]:
    """By name: its meaning, and its line with the default."""
    found = {}
    for name, field in Settings.model_fields.items():
        default = field.default
        value = "" if default is None or "secret" in name or "api_key" in name else shown(default)
        found[name.upper()] = [f"# {field.description}", f"#{name.upper()}={value}"]
    for row in Policy().table():
        found[row.name] = [f"# {row.meaning} ({row.unit}; {row.label})", f"#{row.name}={shown(row.value)}"]
    return found


if __name__ == "__main__":
    print(text(), end="")

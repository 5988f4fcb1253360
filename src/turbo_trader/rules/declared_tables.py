"""The signals and the gates as they are declared, as the tables of docs/rules.md: running this module prints them."""

from __future__ import annotations

from turbo_trader.numbers.declared import Declared, env_name, shown
from turbo_trader.rules.gates import LISTED as GATES
from turbo_trader.signals.listed import LISTED as SIGNALS


def signal_table() -> list[str]:
    """A row per signal: what it sees, what it is to the tiers, its numbers with their defaults."""
    rows = [
        f"| {signal.name} | {signal.about} | {signal.part.value} | {signal.unit.value[0]} | {numbers(signal.numbers)} |"
        for signal in SIGNALS
    ]
    return ["| signal | sees | for the tiers | confirms by | numbers |", "|---|---|---|---|---|", *rows]


def gate_table() -> list[str]:
    """A row per gate: what it asks, of what, whether it may only warn, its numbers with their defaults."""
    rows = [
        f"| {k} {gate.name} | {gate.asks} | {gate.when.value} | {'yes' if gate.warning else 'no'} | {numbers(gate.numbers)} |"
        for k, gate in enumerate(GATES, 1)
    ]
    return [
        "| gate | passes with | asked of | may only warn | numbers of its own |",
        "|---|---|---|---|---|",
        *rows,
    ]


def numbers(declared: type[Declared] | None) -> str:
    """The numbers of a declaration: `NAME` default unit."""
    fields = declared.model_fields.items() if declared is not None else ()
    facts = {name: field.json_schema_extra for name, field in fields}
    units = {name: extra.get("unit", "") if isinstance(extra, dict) else "" for name, extra in facts.items()}
    return ", ".join(f"`{env_name(name)}` {shown(field.default)} {units[name]}" for name, field in fields)


if __name__ == "__main__":
    print("\n".join([*signal_table(), "", *gate_table()]))  # noqa: T201

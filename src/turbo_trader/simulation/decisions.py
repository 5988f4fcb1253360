"""The digest of what a run decides: SHA-256 of the meaning of each scan and each write command, in order.

It hangs on nothing but what is decided. Each figure has a fixed name here, written out, so that a renamed field, a moved column or
another width changes nothing. Numbers of scans are digested exactly, as float64 or int64; commands as one line of text each.
`tests/simulation/golden/decisions.json` holds the digests that every change of the code must reproduce.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any, Final, cast

import numpy as np

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import Rows
from turbo_trader.rules.gates import GATES
from turbo_trader.signals.figures import BELIEFS, SIGNALS
from turbo_trader.simulation.decision_blocks import Columns
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetLeverage, SetStops, WriteCommand

_AT_ONCE: Final = 32  # scans: more would leave the memory that is at hand
#: Names of what is digested of each symbol, and the field of SCAN that holds it today. The names are for ever; a renamed
#: field changes the right side only. A figure that is not here is not a part of the digest.
FIELDS: Final[dict[str, str]] = {
    name: name
    for name in (
        "direction", "warm", "fresh", "degraded", "valid", "confirms", "kalman_valid", "ou_valid",
        "bid", "ask", "mid", "last_price", "mark", "spread", "mark_gap", "age", "jump_age", "big_move_age", "range_tail",
        "sigma", "hold_sigma", "forecast", "se", "snr", "confidence", "horizon_s",
        "kalman_forecast", "kalman_se", "kalman_belief", "kalman_scale", "velocity", "velocity_z", "acceleration", "acceleration_z",
        "accel_z", "ou_forecast", "ou_se", "ou_belief", "ou_z", "ou_half_life_s", "ou_statistic", "vwap_z", "vwap_gap",
        "funding_8h", "consensus", "consensus_horizons",
        "capital_tier", "tier", "candidate", "blocker", "block_code", "take_profit", "stop_loss", "cost", "slippage",
        "p_tp", "p_sl", "p_timeout", "ev", "used_edge", "used_confidence", "used_p_tp", "used_ev", "min_ev", "hold_s",
    )
}  # fmt: skip
#: Names of the parts of fields that hold several numbers: the field, and the names of its parts in today's order.
PARTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "forecasts": ("forecasts", BELIEFS),
    "errors": ("errors", BELIEFS),
    "snrs": ("snrs", BELIEFS),
    "confidences": ("confidences", BELIEFS),
    "p_targets": ("p_targets", BELIEFS),
    "evs": ("evs", BELIEFS),
    "score": ("score", SIGNALS),
    "verdict": ("verdict", GATES),
}
#: The parts that are digested, by name.
PART_NAMES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("forecasts", "errors", "snrs", "confidences", "p_targets", "evs"), ("asked", "weighed", "measured")
    ),
    "score": ("OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT"),
    "verdict": ("data", "pre-filter", "tier", "consensus", "flat", "fee", "EV", "limits", "size"),
}


class DecisionDigest:
    """A running SHA-256 of scans and write commands; `symbols`: their names, by the index that scans use."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._symbols = symbols
        self._digest = hashlib.sha256()
        self._columns: Columns | None = None
        self._waiting: list[Rows] = []  # scans not digested yet: many at once cost as much as one
        self._scans = 0  # how many these are
        self._texts: dict[
            int, str
        ] = {}  # commands not digested yet, by how many of these scans come before them

    @property
    def count(self) -> int:
        """How many symbols there are."""
        return len(self._symbols)

    def scan(self, rows: Rows) -> None:
        """Add a scan, or several one after the other: rows of SCAN, one per symbol each."""
        for first in range(0, len(rows), _AT_ONCE * self.count):
            part = rows[first : first + _AT_ONCE * self.count]
            self._waiting.append(part)
            self._scans += len(part) // self.count
            if self._scans >= _AT_ONCE:
                self._flush()

    def command(self, command: WriteCommand) -> None:
        """Add what goes to the venue."""
        self._texts[self._scans] = self._texts.get(self._scans, "") + command_text(command)

    def hexdigest(self) -> str:
        """The digest of everything added so far, in hexadecimal."""
        self._flush()
        return self._digest.hexdigest()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        texts, self._texts = self._texts, {}
        self._scans = 0
        self._digest.update(texts.get(0, "").encode())
        if not waiting:
            return
        rows = joined(waiting)
        if self._columns is None:
            names, self._columns = _columns(rows.dtype)
            self._digest.update(f"figures {' '.join(names)}\n".encode())
        times: list[int] = rows["ts"][:: self.count].tolist()
        orders: list[list[int]] = rows["symbol"].reshape(-1, self.count).tolist()
        lists = {each: " ".join(self._symbols[symbol] for symbol in each) for each in set(map(tuple, orders))}
        blocks = self._columns.blocks(rows, self.count)
        for number, (ts, order) in enumerate(zip(times, orders, strict=True)):
            self._digest.update(f"scan {ts} {lists[tuple(order)]}\n".encode())
            self._digest.update(blocks[number])
            if number + 1 in texts:
                self._digest.update(texts[number + 1].encode())


def command_text(command: WriteCommand) -> str:
    """One line per command, the same for the same meaning: 0.50 and 0.5 are one number, absent is `-`."""
    facts: tuple[tuple[str, str], ...]
    match command:
        case PlaceOrder():
            kind, facts = "place", (
                ("symbol", command.symbol), ("side", "buy" if command.side > 0 else "sell"), ("qty", _number(command.qty)),
                ("type", str(command.order_type)), ("time_in_force", str(command.time_in_force)),
                ("reduce_only", "yes" if command.reduce_only else "no"), ("price", _number(command.price)),
                ("stop_loss", _number(command.stop_loss)), ("take_profit", _number(command.take_profit)),
                ("position", str(command.position_idx)), ("order_link_id", command.id),
            )  # fmt: skip
        case CancelOrder():
            kind, facts = "cancel", (
                ("symbol", command.symbol), ("order_link_id", command.link_id or "-"), ("order_id", command.order_id or "-"),
            )  # fmt: skip
        case SetStops():
            kind, facts = "stops", (
                ("symbol", command.symbol), ("stop_loss", _number(command.stop_loss)),
                ("take_profit", _number(command.take_profit)), ("position", str(command.position_idx)),
            )  # fmt: skip
        case SetLeverage():
            kind, facts = "leverage", (("symbol", command.symbol), ("leverage", _number(command.leverage)))
    return " ".join((kind, *(f"{name}={value}" for name, value in facts))) + "\n"


def _number(value: Decimal | None) -> str:
    return "-" if value is None else format(value.normalize(), "f")


def _columns(record: np.dtype[Any]) -> tuple[tuple[str, ...], Columns]:
    """The names of the digested numbers, and where they lie in a record: whole numbers first."""
    fields = cast("Any", record.fields)
    places = {name: fields[field][:2] for name, field in FIELDS.items()}
    for name, (field, order) in PARTS.items():
        kind, offset = fields[field][0].base, fields[field][1]
        for part in PART_NAMES[name]:
            places[f"{name}:{part}"] = kind, offset + order.index(part) * kind.itemsize
    whole = {name: place for name, place in places.items() if place[0].kind != "f"}
    real = {name: offset for name, (_, offset) in places.items() if name not in whole}
    return (*whole, *real), Columns(list(whole.values()), list(real.values()))

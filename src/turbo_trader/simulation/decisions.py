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
from numpy.typing import NDArray

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import Rows
from turbo_trader.rules.gates import GATES
from turbo_trader.signals.figures import BELIEFS, SIGNALS
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
        self._columns: _Columns | None = None
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
            self._columns = _Columns(rows.dtype)
            self._digest.update(f"figures {' '.join(self._columns.names)}\n".encode())
        symbols = [self._symbols[symbol] for symbol in rows["symbol"].tolist()]
        whole, numbers = self._columns.read(rows)
        for number, ts in enumerate(rows["ts"][:: self.count].tolist()):
            scan = slice(number * self.count, (number + 1) * self.count)
            self._digest.update(f"scan {ts} {' '.join(symbols[scan])}\n".encode())
            self._digest.update(whole[scan].data)
            self._digest.update(numbers[scan].data)
            self._digest.update(texts.get(number + 1, "").encode())


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


class _Columns:
    """Where the digested numbers lie in a record, and how they are read: by name, whole numbers as int64, others as float64."""

    def __init__(self, record: np.dtype[Any]) -> None:
        fields = cast("Any", record.fields)
        whole: dict[str, tuple[np.dtype[Any], int]] = {}
        real: dict[str, tuple[np.dtype[Any], int]] = {}
        for name, field in FIELDS.items():
            kind, offset = fields[field][:2]
            (real if kind.kind == "f" else whole)[name] = kind, offset
        for name, (field, order) in PARTS.items():
            kind, offset = fields[field][:2]
            for part in PART_NAMES[name]:
                place = offset + order.index(part) * kind.base.itemsize
                (real if kind.base.kind == "f" else whole)[f"{name}:{part}"] = kind.base, place
        self.names = (*whole, *real)
        self._whole, self._real = _gathers(list(whole.values())), _gathers(list(real.values()))
        self._widths = len(whole), len(real)

    def read(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All digested whole numbers and all others, a line per row. Zero has no sign."""
        lines = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
        whole, numbers = (
            np.empty((len(rows), width), kind) for width, kind in zip(self._widths, "qd", strict=True)
        )
        for gathers, out in ((self._whole, whole), (self._real, numbers)):
            for kind, part, columns, places in gathers:
                out[:, columns] = np.ascontiguousarray(lines[:, part]).view(kind).take(places, axis=1)
        numbers += 0.0
        return whole, numbers


def _gathers(
    places: list[tuple[np.dtype[Any], int]],
) -> list[tuple[np.dtype[Any], slice, NDArray[np.int64], NDArray[np.int64]]]:
    """For numbers of one type whose places in a record are a multiple of its size apart: the type, the bytes of a record from the
    first to the last of them, the columns they fill, and which numbers of these bytes they are."""
    groups: dict[tuple[np.dtype[Any], int], list[int]] = {}
    for column, (kind, offset) in enumerate(places):
        groups.setdefault((kind, offset % kind.itemsize), []).append(column)
    out = []
    for (kind, _), columns in groups.items():
        offsets = np.array([places[column][1] for column in columns])
        part = slice(int(offsets.min()), int(offsets.max()) + kind.itemsize)
        out.append((kind, part, np.array(columns), (offsets - part.start) // kind.itemsize))
    return out

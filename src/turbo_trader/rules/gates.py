"""The gates, in their order. A new one is a module beside these and its lines here."""

from __future__ import annotations

from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import Rows
from turbo_trader.rules import account_gates, data_gate, forecast_gates, worth_gates
from turbo_trader.rules.gate import BLOCK, PASS, WARN, Gate, Verdict, When, gate_fields
from turbo_trader.rules.tiers import TIER_NAMES

#: Every gate, in the order of `verdict`; what passes none of the first is not asked of the account's.
LISTED: Final[tuple[Gate, ...]] = (
    data_gate.DATA, forecast_gates.PRE_FILTER, forecast_gates.TIER, forecast_gates.CONSENSUS, forecast_gates.FLAT,
    worth_gates.FEE, worth_gates.EV,
    account_gates.LIMITS, account_gates.SIZE,
)  # fmt: skip


@kernel
def judge_figures(states: Any, s: int, now: int, gp: Any, g: int, out: Any, j: int) -> None:
    """The gates of each scan (When.FIGURES): all of them, even where an earlier one blocked."""
    settle(out, j, 0, data_gate.data_gate(states, s, now, gp, g, out, j))
    settle(out, j, 1, forecast_gates.pre_filter_gate(states, s, now, gp, g, out, j))
    settle(out, j, 2, forecast_gates.tier_gate(states, s, now, gp, g, out, j))
    settle(out, j, 3, forecast_gates.consensus_gate(states, s, now, gp, g, out, j))
    settle(out, j, 4, forecast_gates.flat_gate(states, s, now, gp, g, out, j))


@kernel
def judge_worth(gp: Any, g: int, out: Any, j: int) -> None:
    """The gates of candidates with a tier (When.WORTH)."""
    settle(out, j, 5, worth_gates.fee_gate(gp, g, out, j))
    settle(out, j, 6, worth_gates.ev_gate(gp, g, out, j))


class GateNumbers(
    data_gate.DataNumbers,
    forecast_gates.TierNumbers,
    forecast_gates.ConsensusNumbers,
    forecast_gates.FlatNumbers,
    account_gates.AccountNumbers,
):
    """The numbers of all gates."""


# -- what follows from the above

GATES: Final = tuple(gate.name for gate in LISTED)
#: The places of the user's nine.
DATA, PRE_FILTER, TIER, CONSENSUS, FLAT, FEE, EV, LIMITS, SIZE = (
    GATES.index(name)
    for name in ("data", "pre-filter", "tier", "consensus", "flat", "fee", "EV", "limits", "size")
)
#: Their numbers in the record for kernels, by name, with their numpy types.
GATE_FIELDS: Final[dict[str, str]] = {
    name: kind
    for gate in LISTED
    if gate.numbers is not None and gate.when is not When.ACCOUNT
    for name, kind in gate_fields(gate.numbers, TIER_NAMES).items()
}
_REASONS: Final = {code: text for gate in LISTED for code, text in gate.reasons.items()}


def reason(code: int) -> str:
    """Why a gate blocked or warned; "" for 0."""
    return _REASONS.get(code, "")


@kernel
def settle(out: Any, j: int, gate: int, said: tuple[int, int]) -> None:
    """Writes what a gate said, its verdict and code; the first gate that blocks is the row's blocker."""
    row = out[j]
    verdict, code = said
    row.verdict[gate] = verdict
    if verdict == BLOCK and (row.blocker < 0 or gate < row.blocker):
        row.blocker, row.block_code = gate, code


def record(rows: Rows, j: int, gate: int, verdict: Verdict) -> None:
    """Writes an account gate's verdict into the scan row; the first block stays the first."""
    rows[j]["verdict"][gate] = verdict.value
    if verdict.value == BLOCK and rows[j]["blocker"] < 0:
        rows[j]["blocker"] = gate
        rows[j]["block_code"] = int(verdict.code)


def passed(value: int) -> bool:
    """Whether a verdict lets the scan go on."""
    return value in (PASS, WARN)

"""The summary once an hour and at the end of a session: scans and trades beside the target figures."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.rows import MINUTE
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.rules.strengths import Strengths
from turbo_trader.rules.trade_report import days_to, target_days
from turbo_trader.trader.quiet import Quiet
from turbo_trader.trader.trader_state import TraderState

HOUR = 60 * MINUTE


class Hourly:
    """Counts since the last summary; `look` is called at every scan, before its rows are added."""

    def __init__(self, state: TraderState) -> None:
        self._state = state
        self._began = 0
        self._day = -1
        self._equity = Decimal(0)
        self._counts: dict[str, int] = {}
        self._funnel, self._strengths = Funnel(), Strengths()
        self._quiet = Quiet(state)

    def look(self, equity: Decimal) -> None:
        """Emit the summary of the hour, or of the session, that has ended."""
        now, day = self._state.now, self._state.session.day
        if not self._began:
            self._begin(equity)
        elif day != self._day:
            self._summarize("session", equity)
        elif now // HOUR != self._began // HOUR:
            self._summarize("hour", equity)

    @property
    def until(self) -> int:
        """Until when the hour lasts, ns; 0 before it has begun, or where its session has ended."""
        ended = not self._began or self._state.session.day != self._day
        return 0 if ended else (self._began // HOUR + 1) * HOUR

    def add(self, funnel: Funnel, strengths: Strengths) -> None:
        """The counts of scans, with the verdicts of all gates."""
        self._funnel.join(funnel)
        self._strengths.join(strengths)

    def end(self, equity: Decimal) -> None:
        """The run is over."""
        if self._began and self._funnel.scans:
            self._summarize("run", equity)

    def _begin(self, equity: Decimal) -> None:
        self._began, self._day, self._equity = self._state.now, self._state.session.day, equity
        self._counts = dict(self._state.counts)
        self._funnel, self._strengths = Funnel(), Strengths()

    def _summarize(self, of: str, equity: Decimal) -> None:
        hours = (self._state.now - self._began) / HOUR
        funnel = self._funnel
        made = {
            name: self._state.counts[name] - self._counts.get(name, 0)
            for name in ("trades", "wins", "A", "B")
        }
        growth = float(equity / self._equity) - 1 if self._equity > 0 else 0.0
        self._state.note(
            "summary", of=of, hours=round(hours, 3), candidates=funnel.candidates,
            candidates_per_hour=_rate(funnel.candidates, hours), pre_filter=_share(funnel.pre_filtered, funnel.candidates),
            a_share=_share(funnel.a, funnel.pre_filtered), b_share=_share(funnel.b, funnel.pre_filtered),
            gates_passed=_share(funnel.passed, funnel.a + funnel.b), past=funnel.past(), trades=made["trades"], trades_a=made["A"],
            trades_b=made["B"], trades_per_hour=_rate(made["trades"], hours), win_rate=_share(made["wins"], made["trades"]),
            equity=equity, growth=round(growth, 6), days_to_hundred=_days(equity, growth, hours, 100),
            days_to_thousand=_days(equity, growth, hours, 1000), target_days_to_hundred=target_days(float(equity), 100.0),
            target_days_to_thousand=target_days(float(equity), 1000.0), strengths=self._strengths.to_dict(),
        )  # fmt: skip
        if of != "run":
            self._quiet.add(funnel, hours, made["trades"])
        self._begin(equity)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rate(count: int, hours: float) -> float | None:
    return round(count / hours, 3) if hours > 0 else None


def _days(equity: Decimal, growth: float, hours: float, goal: int) -> float | None:
    return days_to(float(equity), float(goal), growth, hours)

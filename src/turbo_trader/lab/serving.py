"""A panel signal as daemon and backtest ask it: the one that SIGNAL names, with checked answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from turbo_trader.bybit.reads import INTERVALS
from turbo_trader.lab.loading import Signal, load_signal, parameters
from turbo_trader.lab.scoring import answer, wanted
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import MINUTE
from turbo_trader.signals.asking import Answer, NoAnswer, Wanted
from turbo_trader.signals.panel_signal import Panel, interval

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


class Serving:
    """A loaded signal; one instance answers all questions."""

    def __init__(self, signal: Signal, interval_ns: int = 0) -> None:
        """`interval_ns`: of the bars it is shown; 0: as it says. InputError where the venue has none such."""
        self._signal = signal
        self._instance = signal.fresh()
        shown = interval_ns or interval(self._instance)
        if shown % MINUTE or shown // MINUTE not in INTERVALS:
            raise InputError(
                f"signal {signal.name}: bars of {shown / MINUTE:g} min: the venue has those of {', '.join(map(str, INTERVALS))} min"
            )
        bars, step = wanted(signal, self._instance, shown)
        self._wanted = Wanted(signal.name, signal.fingerprint, shown, bars, step)

    @property
    def wanted(self) -> Wanted:
        """What it is shown and when."""
        return self._wanted

    def answer(self, panel: Panel) -> Answer:
        """Its scores at the panel's end. NoAnswer where it fails."""
        try:
            direction, expected, bars = answer(self._signal, self._instance, panel)
        except (InputError, SystemExit) as error:
            raise NoAnswer(str(error)) from None
        horizons = (int(each) * panel.interval_ns for each in bars)
        return Answer(tuple(map(int, direction)), tuple(map(float, expected)), tuple(horizons))


@dataclass(frozen=True, slots=True)
class Order:
    """Which signal, with which parameters (NAME=VALUE), shown bars of how many minutes (0: as it says)."""

    name: str
    parameters: tuple[str, ...] = ()
    minutes: int = 0

    @classmethod
    def of(cls, policy: Policy) -> Order:
        """What SIGNAL and its numbers say."""
        return cls(policy.signal, policy.signal_params, policy.signal_interval)


def served(order: Order) -> Serving:
    """The signal, loaded. InputError where it cannot be had."""
    return Serving(
        load_signal(order.name, parameters(order.parameters, "SIGNAL_PARAMS")), order.minutes * MINUTE
    )


def serving(policy: Policy) -> Serving | None:
    """The signal that entries come from; None where it is the rules' own. InputError where it cannot be had."""
    return served(Order.of(policy)) if policy.scored else None

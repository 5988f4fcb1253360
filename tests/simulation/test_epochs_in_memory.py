"""The lease in simulated time: the same lease over epochs in memory."""

from __future__ import annotations

from turbo_trader.journal.epochs import NOBODY
from turbo_trader.journal.lease import DAEMON, GUARD, Lease
from turbo_trader.simulation.epochs_in_memory import EpochsInMemory, Hand


def test_a_higher_epoch_ends_a_lower_one_and_a_renewal_is_seen() -> None:
    epochs = EpochsInMemory()
    assert epochs.current() == NOBODY
    daemon, guard = Lease(epochs, DAEMON), Lease(Hand(epochs), GUARD)
    assert daemon.take()
    before = epochs.current()
    epochs.touch(1)
    assert epochs.current() != before
    assert guard.take()
    assert (daemon.held, guard.held, epochs.current().owner) == (False, True, GUARD)


def test_a_guard_that_died_gives_nothing_back() -> None:
    epochs = EpochsInMemory()
    hand = Hand(epochs)
    guard = Lease(hand, GUARD)
    guard.take()
    hand.dead = True
    guard.release()
    assert not epochs.current().released
    daemon = Lease(epochs, DAEMON)
    assert daemon.take()
    assert not daemon.held  # what the guard signed last may still arrive

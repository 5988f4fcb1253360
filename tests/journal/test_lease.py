"""The lease: one writer at a time, whatever is stopped, killed or slow."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from turbo_trader.journal.epochs import NOBODY, EpochFiles
from turbo_trader.journal.lease import DAEMON, GUARD, Lease, LeaseRules, LeaseWatch

SECOND = 1_000_000_000


class Steady:
    def __init__(self) -> None:
        self.now = 7 * SECOND

    def __call__(self) -> int:
        return self.now


def test_epochs_count_up_and_report_their_owner(tmp_path: Path) -> None:
    assert EpochFiles(tmp_path).current() == NOBODY
    first, second = Lease(EpochFiles(tmp_path), DAEMON), Lease(EpochFiles(tmp_path), GUARD)
    assert first.take()
    assert (first.held, EpochFiles(tmp_path).current().owner) == (True, DAEMON)
    assert second.take()
    assert (first.epoch, second.epoch, EpochFiles(tmp_path).current().owner) == (1, 2, GUARD)


def test_s47_a_higher_epoch_ends_a_lower_one_at_once(tmp_path: Path) -> None:
    steady = Steady()
    daemon = Lease(EpochFiles(tmp_path), DAEMON, steady=steady)
    daemon.take()
    Lease(EpochFiles(tmp_path), GUARD, steady=steady).take()
    assert (daemon.held, daemon.renew(), daemon.outranked) == (False, False, True)


def test_s47_without_a_renewal_it_runs_out_and_cannot_be_renewed(tmp_path: Path) -> None:
    steady = Steady()
    lease = Lease(EpochFiles(tmp_path), DAEMON, steady=steady)
    lease.take()
    steady.now += 5 * SECOND - 1
    assert lease.held
    steady.now += 1
    assert (lease.held, lease.renew(), lease.outranked) == (False, False, False)
    assert lease.take()
    assert (lease.held, lease.epoch) == (True, 2)


def test_renewing_keeps_it(tmp_path: Path) -> None:
    steady = Steady()
    lease = Lease(EpochFiles(tmp_path), DAEMON, steady=steady)
    lease.take()
    for _ in range(100):
        steady.now += SECOND
        assert lease.renew()
    assert lease.held


def test_one_of_many_takes_each_epoch(tmp_path: Path) -> None:
    leases = [Lease(EpochFiles(tmp_path), DAEMON) for _ in range(8)]
    barrier = threading.Barrier(len(leases))

    def compete(lease: Lease) -> None:
        barrier.wait()
        while not lease.take():
            pass

    threads = [threading.Thread(target=compete, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lease.epoch for lease in leases) == list(range(1, 9))
    assert sum(lease.held for lease in leases) == 1


def test_old_epochs_are_cleared_and_a_long_stopped_holder_stays_fenced(tmp_path: Path) -> None:
    steady = Steady()
    old = Lease(EpochFiles(tmp_path), DAEMON, steady=steady)
    old.take()
    for _ in range(50):
        Lease(EpochFiles(tmp_path), GUARD, steady=steady).take()
    steady.now += 60 * SECOND
    assert (old.held, old.renew(), old.outranked) == (False, False, True)
    assert len(list((tmp_path / "lease").iterdir())) == 20


def test_s47_a_daemon_after_an_unreleased_guard_waits_for_what_the_guard_signed(tmp_path: Path) -> None:
    steady = Steady()
    guard, daemon = (
        Lease(EpochFiles(tmp_path), GUARD, steady=steady),
        Lease(EpochFiles(tmp_path), DAEMON, steady=steady),
    )
    guard.take()
    daemon.take()
    assert not daemon.held
    for _ in range(5):
        steady.now += SECOND
        daemon.renew()
    assert daemon.held


def test_after_a_released_guard_it_may_write_at_once(tmp_path: Path) -> None:
    guard, daemon = Lease(EpochFiles(tmp_path), GUARD), Lease(EpochFiles(tmp_path), DAEMON)
    guard.take()
    guard.release()
    assert not guard.held
    daemon.take()
    assert daemon.held


def test_the_watch_waits_for_fence_and_window_and_takes_a_release_as_it_says(tmp_path: Path) -> None:
    steady = Steady()
    daemon, watch = (
        Lease(EpochFiles(tmp_path), DAEMON, steady=steady),
        LeaseWatch(EpochFiles(tmp_path), steady=steady),
    )
    assert watch.gone_ns() > 0
    daemon.take()
    assert watch.gone_ns() == 0
    steady.now += 10 * SECOND - 1
    assert watch.gone_ns() == 0
    steady.now += 1
    assert watch.gone_ns() == 1
    steady.now += 3 * SECOND
    assert watch.gone_ns() == 3 * SECOND
    daemon.take()
    assert watch.gone_ns() == 0
    daemon.release()
    assert watch.gone_ns() > 0


def test_a_watch_that_begins_late_gives_an_old_lease_its_full_time(tmp_path: Path) -> None:
    steady = Steady()
    Lease(EpochFiles(tmp_path), DAEMON, steady=steady).take()
    steady.now += 3_600 * SECOND
    watch = LeaseWatch(EpochFiles(tmp_path), steady=steady)
    assert watch.gone_ns() == 0
    steady.now += 10 * SECOND
    assert watch.gone_ns() > 0


def test_a_disk_that_cannot_be_written_fences_only_after_the_full_time(tmp_path: Path) -> None:
    steady = Steady()
    lease = Lease(EpochFiles(tmp_path), DAEMON, steady=steady)
    lease.take()
    (tmp_path / "lease" / "1").rename(tmp_path / "elsewhere")
    steady.now += 2 * SECOND
    assert lease.renew()
    steady.now += 3 * SECOND
    assert not lease.renew()


class TwoWriters(RuleBasedStateMachine):
    """Requests carry the time they were signed at; the venue takes them within the window. Never two owners' at once."""

    @initialize(folder=st.builds(lambda: None))
    def begin(self, folder: None) -> None:
        import tempfile

        del folder
        self.steady = Steady()
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)
        self.lengths = LeaseRules()
        self.daemon = Lease(EpochFiles(self.folder), DAEMON, self.lengths, self.steady)
        self.daemon.take()
        self.watch = LeaseWatch(EpochFiles(self.folder), self.lengths, self.steady)
        self.watch.gone_ns()
        self.guard = Lease(EpochFiles(self.folder), GUARD, self.lengths, self.steady)
        self.signed = {DAEMON: -(2**62), GUARD: -(2**62)}

    @rule(tenths=st.integers(1, 80))
    def time_passes(self, tenths: int) -> None:
        self.steady.now += tenths * SECOND // 10

    @rule()
    def daemon_renews(self) -> None:
        self.daemon.renew()

    @rule()
    def daemon_writes(self) -> None:
        if self.daemon.held:
            self.signed[DAEMON] = self.steady.now

    @rule()
    def daemon_restarts(self) -> None:
        if not self.daemon.renew():
            self.daemon.take()

    @rule()
    def guard_looks(self) -> None:
        if self.watch.gone_ns() and (self.guard.renew() or self.guard.take()) and self.guard.held:
            self.signed[GUARD] = self.steady.now

    @invariant()
    def one_writer(self) -> None:
        if hasattr(self, "signed"):
            valid = [self.steady.now - ts <= self.lengths.window_ns - 1 for ts in self.signed.values()]
            assert not all(valid)

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.cleanup()


TestTwoWriters = pytest.mark.long(TwoWriters.TestCase)


@given(st.lists(st.sampled_from(["1", "x", "", ".3", "07"]), max_size=5))
def test_stray_files_do_not_disturb(names: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "lease").mkdir()
        for name in names:
            if name:
                (folder / "lease" / name).write_text("nonsense")
        assert Lease(EpochFiles(folder), DAEMON).take()


def test_a_deliberate_leave_is_reported_and_outlives_the_guard_s_own_epochs(tmp_path: Path) -> None:
    steady = Steady()
    daemon, guard = (
        Lease(EpochFiles(tmp_path), DAEMON, steady=steady),
        Lease(EpochFiles(tmp_path), GUARD, steady=steady),
    )
    watch = LeaseWatch(EpochFiles(tmp_path), steady=steady)
    daemon.take()
    daemon.release(left=True)
    assert (watch.gone_ns() > 0, watch.left) == (True, True)
    guard.take()
    guard.release()
    watch.gone_ns()
    assert watch.left
    daemon.take()
    daemon.release()
    assert (watch.gone_ns() > 0, watch.left) == (True, False)


def test_an_epoch_is_taken_renewed_and_given_back_on_a_full_disk(
    small_disk: Path, request: pytest.FixtureRequest
) -> None:
    (small_disk / "lease").mkdir()
    request.getfixturevalue("fill")
    steady = Steady()
    daemon, guard = (
        Lease(EpochFiles(small_disk), DAEMON, steady=steady),
        Lease(EpochFiles(small_disk), GUARD, steady=steady),
    )
    assert daemon.take()
    steady.now += 2 * SECOND
    assert (daemon.renew(), EpochFiles(small_disk).current().owner) == (True, DAEMON)
    assert guard.take()
    guard.release()
    assert (daemon.held, EpochFiles(small_disk).current().released) == (False, True)


def test_a_lease_in_memory_ends_with_the_first_epoch_anybody_takes(tmp_path: Path) -> None:
    guard, daemon = Lease(EpochFiles(tmp_path), GUARD), Lease(EpochFiles(tmp_path), DAEMON)
    guard.take_in_memory()
    assert (guard.held, guard.renew(), guard.outranked) == (True, True, False)
    daemon.take()
    assert (guard.held, guard.renew(), guard.outranked) == (False, False, True)


def test_a_lease_whose_folder_vanishes_is_waited_out(tmp_path: Path) -> None:
    steady = Steady()
    daemon, watch = (
        Lease(EpochFiles(tmp_path), DAEMON, steady=steady),
        LeaseWatch(EpochFiles(tmp_path), steady=steady),
    )
    daemon.take()
    assert watch.gone_ns() == 0
    shutil.rmtree(tmp_path / "lease")
    steady.now += 5 * SECOND
    assert (watch.gone_ns(), daemon.held) == (0, False)
    steady.now += 5 * SECOND
    assert watch.gone_ns() > 0


def test_an_epoch_that_another_took_a_moment_before_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = EpochFiles(tmp_path)
    first, second = Lease(epochs, DAEMON), Lease(epochs, DAEMON)
    before = epochs.current()
    assert first.take()
    monkeypatch.setattr(EpochFiles, "current", lambda _: before)
    assert not second.take()
    assert (first.held, second.held) == (True, False)

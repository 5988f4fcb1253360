"""The latency measurement: every stop change is seen on its whole way, in order."""

from pathlib import Path

import numpy as np

from benchmarks.latency import measure


def test_every_stop_change_is_followed_from_the_frame_to_the_wire(tmp_path: Path) -> None:
    found = measure(500, 6.0, tmp_path)
    assert len(found.sent) >= 5
    assert found.lost == 0
    assert np.all(found.sent < found.received)
    assert np.all(found.received < found.leaving)
    assert np.all(found.leaving < found.arrived)
    assert np.all(found.sent[1:] > found.arrived[:-1])  # one after the other

"""The comparison of the two ways an order can take: each is seen to leave before its outcome is known."""

import numpy as np

from benchmarks.order_latency import measure


def test_every_order_is_followed_to_the_wire_and_to_its_outcome_by_both_ways() -> None:
    found = measure(5)
    assert found.wire.keys() == found.outcome.keys() == {"rest", "websocket"}
    for way, wire in found.wire.items():
        assert len(wire) == 5
        assert np.all(wire > 0)
        assert np.all(wire < found.outcome[way])

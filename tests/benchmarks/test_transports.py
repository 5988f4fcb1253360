"""Both ways to carry a request are answered, idle and busy."""

import multiprocessing

import uvloop

from benchmarks.transports import measure, serve


def test_each_request_is_answered_by_both_ways_idle_and_busy() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        found = uvloop.run(measure(here.recv(), 5))
    finally:
        server.kill()
    assert found.keys() == {f"{way}, {loop}" for way in ("ours", "aiohttp") for loop in ("idle", "half busy")}
    assert all(len(taken) == 5 and min(taken) > 0 for taken in found.values())

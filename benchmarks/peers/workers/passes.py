"""What every worker does: it prepares, then takes one line a pass from stdin and answers with its seconds as JSON.

It runs in the peer's environment, which has nothing of ours.
"""

import json
import pathlib
import sys
import time


def serve(one_pass):
    """`one_pass()` does the work that is timed and returns how many events, or frames, it took."""
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        count = one_pass()
        print(json.dumps({"seconds": time.perf_counter() - began, "count": count}), flush=True)


def frames(path):
    """The frames of a file, a line each."""
    with pathlib.Path(path).open("rb") as file:
        return file.read().splitlines()

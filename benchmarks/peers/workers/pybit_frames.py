"""pybit: raw frames to the handler of its public stream, a callback for each."""

import json
import sys

from passes import frames, serve
from pybit.unified_trading import WebSocket


def main():
    raws = [raw.decode() for raw in frames(sys.argv[1])]
    stream = WebSocket.__new__(WebSocket)
    stream.data = {}
    topic = json.loads(raws[0])["topic"]
    taken = []
    stream.callback_directory = {topic: taken.append}

    def one_pass():
        taken.clear()
        for raw in raws:
            stream._handle_incoming_message(json.loads(raw))
        if len(taken) != len(raws):
            raise SystemExit("frames without a callback")
        return len(raws)

    serve(one_pass)


main()

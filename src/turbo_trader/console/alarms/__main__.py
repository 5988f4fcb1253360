"""`python -m turbo_trader.console.alarms FD`: the sender at the end of a pipe."""

import sys
from multiprocessing.connection import Connection

from turbo_trader.console.alarms.sender import run

if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as connection:
        run(connection)

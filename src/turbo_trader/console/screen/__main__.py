"""The view's process: `python -m turbo_trader.console.screen FD`, FD its end of the pipe. Started by `beside` alone."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection

from turbo_trader.console.screen.app import ScreenApp


def main() -> None:
    """Show until the feed ends. Ctrl-C is a key here and goes to the daemon; the daemon's own end ends the view."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # trading goes first
    ScreenApp(Connection(int(sys.argv[1]), writable=False), daemon_pid=os.getppid()).run(mouse=False)


if __name__ == "__main__":
    main()

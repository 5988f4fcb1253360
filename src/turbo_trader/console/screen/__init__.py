"""The live view of a run: a separate process on the terminal, fed over a pipe, so that drawing never delays trading.

`beside` is the daemon's end: it hands over what the Trader says and never waits for the view. `__main__` is the view: `snapshot`
keeps the latest of everything, `board` lays it out for any size as plain lines, `app` draws the lines that changed and takes keys.
"""

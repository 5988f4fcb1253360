"""The Exchange machine: a simulated Bybit; pure. `machine` is the door: rows and requests in, replies and messages out.

What happens to an order, in order:
    requests, messages      what is asked and what is said
    trading, amending       a request is carried out; checks, stop_checks, price_band: or refused
    orders                  the states it goes through
    matching                it meets the book; resting, queue: or waits in it; footprints: what was taken stays taken
    watching, kernel        the market moves: which row touches what
    stops, exits, trailing  TP, SL and trailing stops

What happens to money:
    accounts, fills         wallet, positions and the log of every change
    margin, collateral      what positions need, and what carries them; fees: what they pay
    settlement              funding, liquidation, deleveraging
    terms, precheck         leverage, margin and position mode; statements: how it stands
    listing, retention      contracts change and end; what is over is forgotten

`protocol` is its V5 face; its sockets are in `live`.
"""

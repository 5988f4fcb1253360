"""The Exchange machine: a simulated Bybit; pure. `exchange_machine` is the way in: rows and requests in, replies and messages out.

Everything works on the `state`: instruments, prices, accounts. Each module takes it, and those below it that it needs.

What happens to an order, in order:
    requests, messages      what is asked and what is said
    trading, amending       a request is carried out; checks, stop_checks, price_band: or refused
    orders                  the states it goes through; open_orders: what it holds, how it ends
    matching                it meets the book; resting, queue: or waits in it; footprints: what was taken stays taken
    watching, kernel        the market moves: which row touches what
    triggers, stops         conditional orders, TP, SL; exits, trailing: what those are

What happens to money:
    accounts, fills         wallet, positions and the log of every change
    margin, collateral      what positions need, and what carries them; fees: what they pay
    funding, settlement     funding; liquidation and deleveraging
    terms, precheck         leverage, margin and position mode; statements: how it stands
    listing, retention      contracts change and end; what is over is forgotten

`protocol` is its V5 face; its sockets are in `live`.
"""

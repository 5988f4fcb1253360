"""The Exchange machine: a simulated Bybit; pure. `exchange_machine` is the way in: rows and requests in, replies and messages out.

Everything works on the `exchange_state`: instruments, prices, accounts. Each module takes it, and those below it that it needs.

What happens to an order, in order:
    requests, messages           what is asked, with the exits it carries, and what is said
    trading, order_amendments    a request is carried out; request_checks, stop_checks, price_band: or refused
    orders                       the states it goes through; open_orders: what it holds, how it ends
    matching                     it meets the book; resting_orders, queue: or waits in it; footprints: what was taken stays taken
    price_watch, cursor_kernel   the market moves: which row touches what
    triggers, stops              conditional orders, TP, SL; trailing: the trailing stop's arithmetic

What happens to money:
    accounts, fills              wallet, positions and the log of every change
    margin, collateral           what positions need, and what carries them
    funding_charges, settlement  funding; liquidation and deleveraging
    terms, precheck              leverage, margin and position mode; statements: how it stands
    instrument_changes           contracts change and end; retention: what is over is forgotten

`protocol` is its V5 face; its sockets are in `exchange_server`.
"""

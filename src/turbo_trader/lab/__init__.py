"""The laboratory: is there an edge? Panel signals, studies that reject luck, searches, and what their answers may change.

A signal of your own needs the names of `turbo_trader.lab.panel` alone; `samples/` shows one.
"""

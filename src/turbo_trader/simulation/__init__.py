"""Simulated time: the discrete-event shell, synthetic market, backtest."""

"""The Exchange machine: a simulated Bybit; pure."""

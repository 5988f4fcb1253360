"""The package's own panel signals, each an entry point of the group `turbo_trader.signals`."""

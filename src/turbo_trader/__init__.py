"""turbo-trader: a truthful, crash-only trader for Bybit USDT perpetuals."""

__version__ = "0.1.0"

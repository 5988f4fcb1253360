"""Real time: the asyncio shell around the Trader, and the guard beside it."""

"""Real time: the asyncio shell and the simulated exchange's socket server."""

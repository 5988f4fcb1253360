"""How what the Trader decides reaches the venue and the disk: pure code, driven by the asyncio shell and by the simulation."""

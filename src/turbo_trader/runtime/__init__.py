"""How the Trader's decisions reach the venue and the disk: pure code, driven by the asyncio shell and by the simulation."""

"""`python -m turbo_trader.console`: the same as `turbo-trader`."""

from turbo_trader.console.main import main

main()

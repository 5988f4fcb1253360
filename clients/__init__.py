"""Other people's clients and bots, played against `turbo-trader exchange`."""

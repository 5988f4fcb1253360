"""What the market says: events, tape, order book, sampling, instruments."""

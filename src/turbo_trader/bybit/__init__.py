"""The real venue: REST through pybit, streams through websockets, wire schemas, error policy."""

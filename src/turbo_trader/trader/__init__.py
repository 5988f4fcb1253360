"""The Trader machine: events in, commands out; no clock, no sockets, no await."""

"""The simulated exchange as a server: HTTP and streams on loopback, its clock, markets and faults on demand."""

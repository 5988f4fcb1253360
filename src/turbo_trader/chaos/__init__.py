"""Chaos: an independent oracle over simulated runs with faults, planted defects, and the search for both."""

"""Metrics and health of a running daemon over HTTP, for Prometheus and for whoever restarts it."""

"""Alarms: log events that are sent to a person through apprise, by a separate process beside the daemon or the guard."""

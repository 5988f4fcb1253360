"""Alarms: events of the log that a person is sent, through apprise, by a process of its own beside the daemon or the guard."""

"""What happened: write-ahead intents, event log, decisions."""

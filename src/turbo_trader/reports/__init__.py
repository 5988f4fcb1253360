"""What a run came to: read from its journal, drawn as one HTML page, or written as a table."""

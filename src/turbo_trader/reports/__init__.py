"""The results of a run: read from its journal, drawn as one HTML page, or written as a table."""

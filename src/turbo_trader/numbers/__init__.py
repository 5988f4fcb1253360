"""Numbers and settings: declared once, read from text by one parser."""

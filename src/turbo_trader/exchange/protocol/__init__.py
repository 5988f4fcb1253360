"""The Exchange's Bybit V5 face: bytes in, bytes out."""

"""Is there an edge: statistics and studies."""

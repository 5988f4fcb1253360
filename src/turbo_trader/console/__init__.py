"""What a person touches: verbs, views, logs."""

"""What a person uses: verbs, views, logs."""

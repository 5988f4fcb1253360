"""`scripts/bench --peers`: other programs beside ours, on the same tapes, in turns."""

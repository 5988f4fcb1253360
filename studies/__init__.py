"""Figures of markets and signals: `scripts/study`. Not in the wheel."""

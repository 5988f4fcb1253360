"""What we do about it: policy, tiers, gates, exits, sizing, portfolio, session limits."""

"""What the trader does about it: policy, tiers, gates, exits, sizing, portfolio, session limits."""

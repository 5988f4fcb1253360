"""What it means: Kalman, OU, order flow, VWAP, funding; forecast; first passage."""

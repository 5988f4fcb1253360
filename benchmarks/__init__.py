"""How fast the parts are: `scripts/bench`. Not in the wheel."""

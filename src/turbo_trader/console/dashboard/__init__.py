"""The page of `turbo-trader dashboard`: a process of its own that reads journals and acts through the control port alone."""

"""The page of `turbo-trader dashboard`: a separate process that reads journals and acts only through the control port."""

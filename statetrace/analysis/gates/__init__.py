"""Gates: limits, what is measured for them, and the verdict."""

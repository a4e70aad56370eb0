"""The warm run: two passes over the same logs, their rows, and how they compare."""

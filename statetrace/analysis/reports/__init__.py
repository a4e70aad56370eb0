"""What telemetry tells: the original's analyses and its daily figures, with its numbers."""

"""Whether telemetry can be believed: rules between the fields and events of a run, and the check of files."""

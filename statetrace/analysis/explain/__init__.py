"""One host's story of a run, and the cause behind it."""

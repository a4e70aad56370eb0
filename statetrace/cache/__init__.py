"""The process-wide site cache, normalisation of foreign shapes, and snapshots."""

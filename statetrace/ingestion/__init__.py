"""Sessions: raw logs in, stored rows, a current cache and a history out."""

"""The site cache that all of a process share."""

from __future__ import annotations

import threading

from statetrace.cache.shared import SharedSiteCache

_lock = threading.Lock()
_cache: SharedSiteCache | None = None


def shared_site_cache() -> SharedSiteCache:
    """The cache of this process, set up from the environment when it is first asked for."""
    global _cache  # noqa: PLW0603  # one per process is what this module is for
    with _lock:
        if _cache is None:
            _cache = SharedSiteCache()
        return _cache

"""From what a log says to stored rows, a current cache and events."""

from statetrace.persistence.canonical import HostFacts, canonical
from statetrace.persistence.diff import HostDiff, diff_host
from statetrace.persistence.existing import ExistingRows, Origin
from statetrace.persistence.persistence import HostReport, ParserPersistence
from statetrace.persistence.row_cache import ExistingRowCache, existing_row_cache
from statetrace.persistence.write import HostWritten, Known, compare_host, write_host

__all__ = [
    "ExistingRowCache",
    "ExistingRows",
    "HostDiff",
    "HostFacts",
    "HostReport",
    "HostWritten",
    "Known",
    "Origin",
    "ParserPersistence",
    "canonical",
    "compare_host",
    "diff_host",
    "existing_row_cache",
    "write_host",
]

"""Synthetic raw logs of any number of devices, and what a perfect parse of them finds."""

from statetrace.ingestion.corpus.hosts import corpus_hosts, host_log
from statetrace.ingestion.corpus.plan import MOST_HOSTS, MOST_PORTS, MOST_SITES, CorpusPlan, CorpusSite
from statetrace.ingestion.corpus.truth import CorpusHost
from statetrace.ingestion.corpus.writing import CorpusSummary, SiteSummary, write_corpus

__all__ = [
    "MOST_HOSTS",
    "MOST_PORTS",
    "MOST_SITES",
    "CorpusHost",
    "CorpusPlan",
    "CorpusSite",
    "CorpusSummary",
    "SiteSummary",
    "corpus_hosts",
    "host_log",
    "write_corpus",
]

"""Why a host's rows came from where they did: a named cause, found in the events and quoted from them.

What ``InterfaceSyncTiming`` says of a host is enough for most causes. Where one look of it has several, what happened
to the cached site round it decides, see :mod:`.cache_tale`; where nothing does, all are named.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from statetrace.analysis.events import WireEvent
from statetrace.analysis.explain.circumstances import Around, Code, Evidence
from statetrace.analysis.warm.provider_counts import provider_reason_fallback
from statetrace.model import fold
from statetrace.telemetry.sync_parts import NO_PREVIOUS_SNAPSHOT, PORT_MAP_TYPE, ROW_TYPE


class Cause(msgspec.Struct, frozen=True, rename="pascal"):
    """A cause, by its name and in words."""

    code: Code
    text: str


class Finding(msgspec.Struct, frozen=True):
    """A cause with what it was drawn from."""

    cause: Cause
    evidence: tuple[Evidence, ...]


def why(event: WireEvent, around: Around | None = None) -> Cause:
    """Why a host's rows came from where they did.

    >>> fields = {"SiteCacheProvider": "Refreshed", "SiteCacheProviderReason": "AccessRefresh"}
    >>> fields |= {"SiteCacheResolveInitialStatus": "NotFound", "SiteCacheResolveInitialHostCount": 1}
    >>> why(WireEvent("InterfaceSyncTiming", fields)).code.value
    'HostNotCached'

    Args:
        event: ``InterfaceSyncTiming`` or ``DatabaseWriteBreakdown`` of the host.
        around: what happened to its site; without it causes that look alike are named together.
    """
    return find_cause(event, around or Around()).cause


def find_cause(event: WireEvent, around: Around) -> Finding:
    """:func:`why`, with the evidence."""
    provider, status = event.text("SiteCacheProvider"), event.text("SiteCacheFetchStatus")
    reason = event.text("SiteCacheProviderReason")
    reason = reason or provider_reason_fallback(provider, status, skip=event.flag("SkipSiteCacheUpdate")) or ""
    find = _FINDERS.get(fold(reason))
    if find is None:
        named = f"the reason {reason} is none that is known" if reason else "no event tells why"
        return _found(event, Code.UNKNOWN, named)
    return find(event, around)


def _found(
    event: WireEvent, code: Code, text: str, *evidence: Evidence | None, fields: tuple[str, ...] = ()
) -> Finding:
    told = Evidence.of(event, "SiteCacheProvider", "SiteCacheProviderReason", "SiteCacheFetchStatus", *fields)
    others = (found for found in evidence if found is not None)
    return Finding(Cause(code, text), tuple(dict.fromkeys((told, *others))))


_INITIAL = ("SiteCacheResolveInitialStatus", "SiteCacheResolveInitialHostCount")
_FORCED = "SiteCacheRefreshForced"
_CACHED_AT = "SiteCacheResolveInitialCachedAt"
_COMPARED = ("SiteCacheHostMapSignatureMatchCount", "SiteCacheHostMapSignatureRewriteCount")


def _not_found(event: WireEvent) -> bool:
    return fold(event.text(_INITIAL[0])) == fold("NotFound")


def _is_ours(event: WireEvent, around: Around) -> bool:
    types = ("SiteCacheResolveInitialEntryType", "SiteCacheResolveRefreshEntryType", "SiteCacheExistingRowValueType")
    return (
        around.ours
        or fold(event.text("SiteCacheProvider")) in _OUR_PROVIDERS
        or any(event.text(name) in (PORT_MAP_TYPE, ROW_TYPE) for name in types)
    )


_OUR_PROVIDERS = frozenset(map(fold, ("Database", "Hydrated")))


# Hits


def _shared_match(event: WireEvent, around: Around) -> Finding:
    text = "the shared cache had the site in the state that its database has"
    if not _is_ours(event, around):
        text = "the shared cache had the site with this host"
    elif _not_found(event):
        text += ", and so it was known that the host had no rows yet"
    return _found(event, Code.SHARED_CACHE_HIT, text, around.asked, fields=_INITIAL)


def _cache_hit(event: WireEvent, around: Around) -> Finding:
    if fold(event.text("SiteCacheExistingRowSource", "SiteCacheProviderReason")) != fold("SiteExistingCache"):
        return _found(event, Code.CACHE_HIT, "the cache had the site", around.asked, fields=_INITIAL)
    text = "its rows were kept since they were last read or written, as is done while the site cache is left alone"
    return _found(event, Code.KEPT_ROWS, text, around.skipped, fields=("SiteCacheExistingRowSource",))


# The host's rows alone were read


def _unavailable(event: WireEvent, around: Around) -> Finding:
    facts = around.session
    fields = ("SiteCacheExistingRowCount",)
    if not _is_ours(event, around):
        if facts.missed and not facts.kept:
            return _disabled(event, around)
        text = "no cache had the site, and then the original reads the rows of the host alone"
        return _found(event, Code.SHARED_CACHE_EMPTY, text, around.asked, facts.kept, fields=fields)
    told = facts.kept or facts.dropped or facts.missed or facts.absent
    new = around.prepared and around.asked is None and not event.count(fields[0])
    if told and new:
        text = "the site had no database yet, so there were no rows to compare with"
        return _found(event, Code.NEW_SITE, text, around.skipped, around.read or facts.absent, fields=fields)
    if facts.dropped:
        text = "the cache is too small for the rows of the site, so those of the host alone were read"
        return _found(event, Code.CACHE_TOO_SMALL, text, around.asked, facts.dropped, fields=fields)
    if (facts.missed or facts.absent) and not facts.kept:
        return _disabled(event, around)
    text = "the site was new, or the shared cache is switched off or too small for it; the events do not tell which"
    return _found(event, Code.SHARED_CACHE_UNAVAILABLE, text, around.asked, fields=fields)


def _disabled(event: WireEvent, around: Around) -> Finding:
    text = (
        "the shared cache is switched off (STATETRACE_DISABLE_SHARED_CACHE): it had nothing of the site and took "
        "nothing of it, so the rows of the host alone were read"
    )
    facts = around.session
    return _found(event, Code.SHARED_CACHE_DISABLED, text, around.asked or facts.missed, facts.absent)


def _skipped(event: WireEvent, around: Around) -> Finding:
    text = "the site cache is left alone (SkipSiteCacheUpdate), and no rows of the host were kept that still count"
    return _found(event, Code.SKIP_MODE, text, around.skipped, fields=("SiteCacheExistingRowSource",))


def _overtaken(event: WireEvent, around: Around) -> Finding:
    if around.overtaken:
        text = "another host of the site was written between the look-up of its rows and its own write"
    else:
        text = (
            "what was known of its rows did not fit the database any more when it was written: somebody else wrote to "
            "it meanwhile, or other templates hold"
        )
    return _found(event, Code.OVERTAKEN, text, around.asked, around.overtaken, fields=("SiteCacheExistingRowSource",))


# The whole site was read


def _hydrated(event: WireEvent, around: Around) -> Finding:
    rows = event.number("SiteCacheResultRowCount")
    if rows == 0:
        text = "the database had no rows of the site yet"
        return _found(event, Code.NEW_SITE, text, around.read, fields=("SiteCacheResultRowCount",))
    if loss := around.loss:
        return _found(event, loss.code, f"{loss.text}, so it was read whole", loss.evidence, around.asked)
    if around.held:
        text = "the cache had the site before, and nothing tells what became of it, so it was read whole"
        return _found(event, Code.CACHE_ENTRY_LOST, text, around.held, around.asked)
    if around.snapshot:
        text = "the snapshot that was imported did not hold the site, so it was read whole"
        return _found(event, Code.SNAPSHOT_WITHOUT_SITE, text, around.snapshot, around.asked)
    if around.elsewhere:
        text = (
            "the site had been cached before, but this cache began empty and no snapshot of it was imported, so it was "
            "read whole"
        )
        return _found(event, Code.SNAPSHOT_MISSING, text, around.elsewhere, around.asked)
    text = "the site was read for the first time: it was not cached, and no snapshot was imported"
    return _found(event, Code.FIRST_READ, text, around.asked, around.read)


def _refreshed(event: WireEvent, around: Around) -> Finding:
    if not _is_ours(event, around):
        return _refreshed_by_the_original(event, around)
    differing = _differing(event)
    no_previous = event.text("SiteCachePreviousSnapshotStatus") == NO_PREVIOUS_SNAPSHOT
    if event.flag(_FORCED):
        text = "a refresh of every site is asked for (STATETRACE_FORCE_SITE_CACHE_REFRESH), by its first host"
        return _found(event, Code.FORCED_REFRESH, text, around.attempt, fields=(*_INITIAL, _FORCED))
    if no_previous:
        text = "what was cached of the site stems from another database, so the site was read from its own"
        return _found(event, Code.OTHER_DATABASE, text, around.asked, around.attempt, fields=_INITIAL)
    if around.imported or (_CACHED_AT in event.fields and not event.text(_CACHED_AT)):
        text = "the site was cached from a snapshot, which does not tell the state of the database, so it was read anew"
        code = Code.SNAPSHOT_STALE if differing else Code.SNAPSHOT_UNPROVEN
        text += f"; {differing or 'all rows were the same'}"
        return _found(event, code, text, around.imported, around.read, fields=(*_INITIAL, _CACHED_AT, *_COMPARED))
    text = "somebody else changed the database since the site was cached, so it was read anew"
    text += f"; {differing or 'no interface row of it differs'}"
    return _found(event, Code.DATABASE_CHANGED, text, around.asked, around.read, fields=(*_INITIAL, *_COMPARED))


def _refreshed_by_the_original(event: WireEvent, around: Around) -> Finding:
    if _not_found(event):
        hosts = event.count(_INITIAL[1])
        text = f"what was cached of the site ({hosts:,} host{'' if hosts == 1 else 's'}) did not have this one"
        text += ", so the whole site was read"
        if fold(event.text("SiteCacheResolveRefreshStatus")) == fold("NotFound"):
            text += "; its database did not have it either"
        return _found(event, Code.HOST_NOT_CACHED, text, around.asked, around.read, fields=_INITIAL)
    text = "a refresh was asked for, or what was cached of the host was no good; the events do not tell which"
    return _found(event, Code.FORCED_OR_DATABASE_CHANGED, text, around.attempt, around.read, fields=_INITIAL)


def _differing(event: WireEvent) -> str:
    """How the rows that were read differ from those that were cached, in words; ``""`` if they do not."""
    rewritten = event.count("SiteCacheHostMapSignatureRewriteCount")
    total = max(event.count("SiteCacheHostMapLookupCount"), event.count("SiteCacheResultRowCount"), rewritten)
    gone = event.count("SiteCachePreviousPortCount") - event.count("SiteCacheHostMapCandidateFromPreviousCount")
    told = [f"{rewritten:,} of {total:,} rows differed"] if rewritten else []
    told += [f"{gone:,} rows were gone"] if gone > 0 else []
    return " and ".join(told)


_FINDERS: dict[str, Callable[[WireEvent, Around], Finding]] = {
    fold(reason): find
    for reason, find in {
        "SharedCacheMatch": _shared_match,
        "AccessCacheHit": _cache_hit,
        "SiteExistingCache": _cache_hit,
        "SharedCacheUnavailable": _unavailable,
        "SkipSiteCacheUpdate": _skipped,
        "DatabaseQueryFallback": _overtaken,
        "AccessHydrate": _hydrated,
        "AccessRefresh": _refreshed,
    }.items()
}

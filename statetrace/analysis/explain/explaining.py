"""Tell the story of one host from telemetry alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from statetrace.analysis.events import analyze
from statetrace.analysis.explain.host_story import Explanation, Story
from statetrace.analysis.reading import TelemetryReader, telemetry_files
from statetrace.errors import NotFound
from statetrace.model import fold

_MOST_NEAR = 5
_ALIKE = 0.6


def explain_host(
    host: str, *sources: Path, on_bytes: Callable[[int], object] = lambda _: None
) -> tuple[Story, TelemetryReader]:
    """The story of a host, and the reader that has counted the lines.

    Args:
        host: its name, in any case.
        sources: files of events; folders with day files, in which the folders of runs and archives are looked into as
            well; or the folder of one warm run.
        on_bytes: called with the number of bytes that were read since the last call.

    Raises:
        NotFound: no event tells of such a host; the message names hosts that are spelled alike.
        TelemetryError: a source does not exist, holds no telemetry or cannot be read.
    """
    telling = Explanation(host)
    reader = TelemetryReader(telemetry_files(*sources, nested=True), on_bytes=on_bytes)
    analyze(reader, telling)
    story = telling.result()
    if not story.appearances:
        raise NotFound("host", host, f"in this telemetry{_near(host, telling.hosts)}")
    return story, reader


def _near(host: str, hosts: dict[str, str]) -> str:
    """Hosts that may be meant, for a message."""
    if not hosts:
        return ": no event of it tells of any host"
    key = fold(host)
    near = [known for known in hosts if key and key in known][:_MOST_NEAR]
    near = near or difflib.get_close_matches(key, hosts, _MOST_NEAR, _ALIKE)
    told = f", which tells of {len(hosts):,} host{'' if len(hosts) == 1 else 's'}"
    return f"{told}; near: {', '.join(hosts[name] for name in near)}" if near else told

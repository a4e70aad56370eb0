"""The auth templates in force, and the memory of which hints have been looked up."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import msgspec

from statetrace.model.compliance import AuthTemplates
from statetrace.model.keys import fold

Case = tuple[object, str, object, object]
"""Make of the device, template of the port, colour and status as stored; make, colour and status may be null."""


class RowCounts(msgspec.Struct):
    """How many rows lacked a colour or status, and what they got.

    Attributes:
        apply: rows that lacked one.
        template_missing: of them rows that follow no template.
        template_unknown: of them rows whose template the vendor does not have.
        color: rows whose colour was set.
        status: rows whose status was set.
    """

    apply: int = 0
    template_missing: int = 0
    template_unknown: int = 0
    color: int = 0
    status: int = 0


class Resolution(msgspec.Struct, frozen=True):
    """Colours and statuses by key, and the look-ups they took."""

    colors: dict[Hashable, str]
    statuses: dict[Hashable, str]
    hits: int
    misses: int


class LoadedTemplates:
    """One state of the template files, and which of their hints have been looked up so far."""

    def __init__(self, templates: AuthTemplates) -> None:
        self.templates = templates
        self._seen: set[tuple[str, str]] = set()

    def resolve(self, cases: Mapping[Hashable, Case], rows: Mapping[Hashable, int], counts: RowCounts) -> Resolution:
        """Colour and status of each distinct case, of which there are so many rows; adds to ``counts``.

        A row counts when its colour or status is missing and it has a template: as a miss the first time that this
        vendor and template are looked up, else as a hit (reference: site-cache 3.4 and 7.4).
        """
        colors: dict[Hashable, str] = {}
        statuses: dict[Hashable, str] = {}
        counted = misses = 0
        for key, (make, template, stored_color, stored_status) in cases.items():
            color, status = _text(stored_color), _text(stored_status)
            if not color or not status:
                vendor = self.templates.vendor(_text(make))
                hint = self.templates.hint(vendor, template)
                counts.apply += rows[key]
                counts.color += 0 if color else rows[key]
                counts.status += 0 if status else rows[key]
                color, status = color or hint.color, status or hint.status
                if not template.strip():
                    counts.template_missing += rows[key]
                else:
                    counts.template_unknown += 0 if hint.known else rows[key]
                    counted += rows[key]
                    looked_up = (vendor, fold(template))
                    if looked_up not in self._seen:
                        self._seen.add(looked_up)
                        misses += 1
            colors[key], statuses[key] = color, status
        return Resolution(colors, statuses, counted - misses, misses)


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return "" if text.isspace() else text


class HintCache:
    """Gives the templates of a folder (or of the package), loaded anew when its files change."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        # Swapped as one and without a lock: threads that load at the same time load the same.
        self._loaded: tuple[object, LoadedTemplates] | None = None

    def templates(self) -> LoadedTemplates:
        """The templates as the files have them now.

        Raises:
            TemplateError: a template file that cannot be read.
        """
        stamp = self._current_stamp()
        loaded = self._loaded
        if loaded is None or stamp != loaded[0]:
            loaded = self._loaded = stamp, LoadedTemplates(AuthTemplates.load(self._folder))
        return loaded[1]

    def _current_stamp(self) -> object:
        if self._folder is None:
            return None
        try:
            files = [(file.name, file.stat()) for file in sorted(self._folder.glob("*.[jJ][sS][oO][nN]"))]
        except OSError:
            return None  # loading says what is wrong
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)

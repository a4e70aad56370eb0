"""The errors that StateTrace raises; each carries what a caller needs to act."""

from __future__ import annotations

from pathlib import Path


class StateTraceError(Exception):
    """Base of all errors that StateTrace raises on purpose."""


class UnsafeName(StateTraceError, ValueError):
    """A site or host name that must not become part of a path."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name[:80]!r} cannot be used as a file name: names must be printable, at most 120 characters and 200 "
            'bytes long, must not start or end with a dot or blank, and must not contain any of < > : " / \\ | ? *'
        )


class SettingsError(StateTraceError, ValueError):
    """A settings file or environment variable that cannot be understood."""


class TemplateError(StateTraceError, ValueError):
    """A template file that cannot be read; the message names file and reason."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"auth templates {path}: {reason}")


class NotFound(StateTraceError, LookupError):
    """A site, host or port of which nothing is known."""

    def __init__(self, kind: str, name: str, where: str = "") -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"no {kind} {name!r}{' ' + where if where else ''}")


class DatabaseError(StateTraceError):
    """A database that cannot do what was asked; carries its ``path``."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")


class DatabaseMissing(DatabaseError):
    """The database file does not exist."""


class DatabaseReadOnly(DatabaseError):
    """The database can be read here but not written; the message names the way out."""


class DriverMissing(DatabaseError):
    """No driver on this machine opens the file; the message names the package that brings one."""


class DatabaseLocked(DatabaseError):
    """The database stayed locked over all attempts.

    Attributes:
        attempts: how often it was tried.
        waited_ms: milliseconds slept between the attempts.
    """

    def __init__(self, path: Path, attempts: int, waited_ms: float, reason: str) -> None:
        self.attempts = attempts
        self.waited_ms = waited_ms
        super().__init__(
            path,
            f"still locked after {attempts} attempts and {waited_ms:.0f} ms of waiting ({reason}); "
            "close the program that holds it open and try again",
        )


class HydrationFailed(StateTraceError):
    """The rows of a site could not be read. The cached entry of the site, if any, is untouched."""

    def __init__(self, site: str, reason: str) -> None:
        self.site = site
        super().__init__(f"site {site}: {reason}")


class CacheEntryInvalid(StateTraceError, ValueError):
    """Something that is not a site entry in any known shape was given as one; the message says where."""


class SnapshotError(StateTraceError, ValueError):
    """A snapshot that is refused.

    Attributes:
        path: the file, if it came from one.
        line: line of the document, counted from 1, or ``None``.
        tag: the element in which reading stopped, or ``None``.
    """

    def __init__(
        self, reason: str, *, path: Path | None = None, line: int | None = None, tag: str | None = None
    ) -> None:
        self.reason = reason
        self.path = path
        self.line = line
        self.tag = tag
        where = [] if path is None else [str(path)]
        if line is not None:
            where.append(f"line {line}")
        if tag is not None:
            where.append(f"<{tag}>")
        super().__init__(f"{', '.join(where)}: {reason}" if where else reason)


class ConversionFailed(DatabaseError):
    """A conversion whose target does not hold what the source holds."""


class TelemetryError(StateTraceError):
    """The telemetry directory or file cannot be written."""


class HistoryError(StateTraceError):
    """A history of ingestion that cannot be read or written, so nothing is known of its site; carries its ``path``."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"ingestion history {path}: {reason}")

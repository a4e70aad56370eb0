"""Settings: the settings file of a data folder, the environment and overrides, resolved once into one object."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from statetrace.errors import SettingsError
from statetrace.model import fold

SETTINGS_FILE = "StateTraceSettings.json"

_SECTIONS = ("ParserSettings", "Parser")
_FALSE_TEXTS = ("", "false", "0")
_INT32 = range(-(2**31), 2**31)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class ParserSettings(msgspec.Struct, frozen=True, rename="pascal"):
    """The section ``ParserSettings`` of the settings file as it stands there; unknown names are ignored.

    ``None`` means that the file does not give the number, which is not the same as its default: a number that is given
    is a hint to the autoscale, whatever its value. What a value below its range means, and what 0 means, is decided
    where the value is used (reference: ingestion-pipeline 4.1 and 5.1).

    Attributes:
        auto_scale_concurrency: derive the concurrency from the work and the machine.
        max_runspace_ceiling: most threads.
        max_workers_per_site: hosts of one site at the same time; 0 = no limit of its own.
        max_active_sites: sites at the same time; 0 = no limit.
        max_consecutive_site_launches: launches of one site in a row while others wait; 0 = no limit.
        jobs_per_thread: queued jobs for which one more thread is worth while; 0 = compute.
        min_runspace_count: fewest threads.
        enable_adaptive_threads: choose the number of threads anew at every launch.
        interface_bulk_chunk_size: rows per batch of ports for a reader.
        skip_site_cache_update: persistence leaves the cache alone.
    """

    auto_scale_concurrency: bool = False
    max_runspace_ceiling: int | None = None
    max_workers_per_site: int | None = None
    max_active_sites: int | None = None
    max_consecutive_site_launches: int | None = None
    jobs_per_thread: int | None = None
    min_runspace_count: int | None = None
    enable_adaptive_threads: bool = True
    interface_bulk_chunk_size: int | None = None
    skip_site_cache_update: bool = False


class Settings(msgspec.Struct, frozen=True):
    """What was decided outside the code.

    Attributes:
        shared_cache_enabled: ``False`` when ``STATETRACE_DISABLE_SHARED_CACHE`` is exactly ``1``.
        shared_cache_snapshot: file to import when the cache is first used (``STATETRACE_SHARED_CACHE_SNAPSHOT``).
        shared_cache_max_rows: bound on the rows kept in the cache (``STATETRACE_SHARED_CACHE_MAX_ROWS``), or ``None``.
        force_site_cache_refresh: read every site anew (``STATETRACE_FORCE_SITE_CACHE_REFRESH`` is ``1`` or ``true``).
        skip_site_cache_update: persistence leaves the cache alone (``STATETRACE_SKIP_SITECACHE_UPDATE`` is ``1`` or
            ``true``, or the settings file says so).
        skip_sources: who said that it does: ``Parameter`` (an override), ``Module`` (the settings file) and
            ``Environment``, in this order (reference: parser-persistence 2).
        existing_row_snapshot: file with the rows that are known of hosts, for a run that leaves the cache alone
            (``STATETRACE_SITE_EXISTING_ROW_CACHE_SNAPSHOT``).
        telemetry_directory: where events are written (``STATETRACE_TELEMETRY_DIR``, if that directory exists).
        template_folder: folder with auth templates that replace those of the package (``STATETRACE_TEMPLATES``).
        parser: what the settings file says about ingestion.
        warnings: values of the settings file that were ignored, each with the reason.
    """

    shared_cache_enabled: bool = True
    shared_cache_snapshot: Path | None = None
    shared_cache_max_rows: int | None = None
    force_site_cache_refresh: bool = False
    skip_site_cache_update: bool = False
    skip_sources: tuple[str, ...] = ()
    existing_row_snapshot: Path | None = None
    telemetry_directory: Path | None = None
    template_folder: Path | None = None
    parser: ParserSettings = ParserSettings()
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(
        cls, data_folder: Path | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any
    ) -> Settings:
        """The settings in force: overrides before environment before ``<data_folder>/StateTraceSettings.json``.

        A single value of the file that means nothing is ignored, and told in ``warnings``.

        Raises:
            SettingsError: a settings file or a number in the environment that cannot be read.
        """
        parser, warnings = _read_file(data_folder)
        sources = {
            "Parameter": bool(overrides.get("skip_site_cache_update")),
            "Module": parser.skip_site_cache_update,
            "Environment": _switch(environ, "STATETRACE_SKIP_SITECACHE_UPDATE"),
        }
        # An override that switches it off overrides the other two as well.
        skip = overrides.get("skip_site_cache_update", any(sources.values()))
        directory = _path(environ, "STATETRACE_TELEMETRY_DIR")
        resolved: dict[str, Any] = {
            "shared_cache_enabled": environ.get("STATETRACE_DISABLE_SHARED_CACHE") != "1",
            "shared_cache_snapshot": _path(environ, "STATETRACE_SHARED_CACHE_SNAPSHOT"),
            "shared_cache_max_rows": _positive(environ, "STATETRACE_SHARED_CACHE_MAX_ROWS"),
            "force_site_cache_refresh": _switch(environ, "STATETRACE_FORCE_SITE_CACHE_REFRESH"),
            "skip_site_cache_update": skip,
            "skip_sources": tuple(source for source, said in sources.items() if said) if skip else (),
            "existing_row_snapshot": _path(environ, "STATETRACE_SITE_EXISTING_ROW_CACHE_SNAPSHOT"),
            # The original never creates the directory and falls back in silence (reference: telemetry-events 2.1).
            "telemetry_directory": directory if directory is not None and directory.is_dir() else None,
            "template_folder": _path(environ, "STATETRACE_TEMPLATES"),
            "parser": parser,
            "warnings": warnings,
        }
        return cls(**{**resolved, **overrides})


def _read_file(data_folder: Path | None) -> tuple[ParserSettings, tuple[str, ...]]:
    if data_folder is None:
        return ParserSettings(), ()
    path = data_folder / SETTINGS_FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return ParserSettings(), ()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    if not text.strip():
        return ParserSettings(), ()
    try:
        document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    keys = {fold(key): key for key in document}
    for name in _SECTIONS:
        if (key := keys.get(fold(name))) is not None:
            settings, ignored = _parser_settings(document[key])
            return settings, tuple(f"settings file {path}: {key}{reason}" for reason in ignored)
    return ParserSettings(), ()


def _parser_settings(section: msgspec.Raw) -> tuple[ParserSettings, list[str]]:
    """The settings of a section, and what of it was ignored."""
    try:
        raw = msgspec.json.decode(section, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return ParserSettings(), [" is not an object and was ignored"]
    raw = {fold(key): value for key, value in raw.items()}
    given: dict[str, Any] = {}
    ignored: list[str] = []
    for field in msgspec.structs.fields(ParserSettings):
        text = bytes(raw.get(fold(field.encode_name), b""))
        # null stands for 0 in a limit, but for no chunk size at all.
        if not text or (field.name == "interface_bulk_chunk_size" and text == b"null"):
            continue
        try:
            value = msgspec.json.decode(text)
            given[field.name] = _truth(value) if field.type is bool else _whole_number(value)
        except (ValueError, OverflowError, msgspec.DecodeError):
            kind = "true or false" if field.type is bool else "a whole number"
            ignored.append(f".{field.encode_name} is not {kind} and was ignored: {text[:40].decode(errors='replace')}")
    return ParserSettings(**given), ignored


def _whole_number(value: object) -> int:
    """A number, or text of one, rounded half to even; ``null`` is 0 (reference: ingestion-pipeline 4.1)."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError(value)
    if not isinstance(value, int | float | str | None):
        raise ValueError(value)  # noqa: TRY004  # every value that is no number is told in the same way
    number = round(float(value or 0))
    if number not in _INT32:
        raise ValueError(value)
    return number


def _truth(value: object) -> bool:
    """Whether a value switches something on.

    The original takes any text for true, even ``"false"``; here the texts ``false`` and ``0`` are what they say.
    """
    if isinstance(value, str):
        return value.strip().casefold() not in _FALSE_TEXTS
    if not isinstance(value, int | float | None):
        raise ValueError(value)  # noqa: TRY004  # every value that is no switch is told in the same way
    return bool(value)


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(text) if text else None


def _switch(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().casefold() in ("1", "true")


def _positive(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError(f"{name} is {text!r}; it must be a whole number above 0")
    return int(text)

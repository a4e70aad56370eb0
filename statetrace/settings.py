"""Settings: the settings file of a data folder, the environment and overrides, resolved once into one object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from statetrace.errors import SettingsError

SETTINGS_FILE = "StateTraceSettings.json"


class ParserSettings(msgspec.Struct, frozen=True, rename="pascal"):
    """The part ``ParserSettings`` of the settings file that the engine reads; unknown names are ignored."""

    skip_site_cache_update: bool = False


class _SettingsFile(msgspec.Struct, rename="pascal"):
    parser_settings: ParserSettings = ParserSettings()


class Settings(msgspec.Struct, frozen=True):
    """What was decided outside the code.

    Attributes:
        shared_cache_enabled: ``False`` when ``STATETRACE_DISABLE_SHARED_CACHE`` is exactly ``1``.
        shared_cache_snapshot: file to import when the cache is first used (``STATETRACE_SHARED_CACHE_SNAPSHOT``).
        shared_cache_max_rows: bound on the rows kept in the cache (``STATETRACE_SHARED_CACHE_MAX_ROWS``), or ``None``.
        force_site_cache_refresh: read every site anew (``STATETRACE_FORCE_SITE_CACHE_REFRESH`` is ``1`` or ``true``).
        skip_site_cache_update: persistence leaves the cache alone (``STATETRACE_SKIP_SITECACHE_UPDATE`` is ``1`` or
            ``true``, or the settings file says so).
        telemetry_directory: where events are written (``STATETRACE_TELEMETRY_DIR``, if that directory exists).
        template_folder: folder with auth templates that replace those of the package (``STATETRACE_TEMPLATES``).
    """

    shared_cache_enabled: bool = True
    shared_cache_snapshot: Path | None = None
    shared_cache_max_rows: int | None = None
    force_site_cache_refresh: bool = False
    skip_site_cache_update: bool = False
    telemetry_directory: Path | None = None
    template_folder: Path | None = None

    @classmethod
    def load(
        cls, data_folder: Path | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any
    ) -> Settings:
        """The settings in force: overrides before environment before ``<data_folder>/StateTraceSettings.json``.

        Raises:
            SettingsError: a settings file or a number in the environment that cannot be read.
        """
        file = _read_file(data_folder)
        directory = _path(environ, "STATETRACE_TELEMETRY_DIR")
        resolved: dict[str, Any] = {
            "shared_cache_enabled": environ.get("STATETRACE_DISABLE_SHARED_CACHE") != "1",
            "shared_cache_snapshot": _path(environ, "STATETRACE_SHARED_CACHE_SNAPSHOT"),
            "shared_cache_max_rows": _positive(environ, "STATETRACE_SHARED_CACHE_MAX_ROWS"),
            "force_site_cache_refresh": _switch(environ, "STATETRACE_FORCE_SITE_CACHE_REFRESH"),
            "skip_site_cache_update": _switch(environ, "STATETRACE_SKIP_SITECACHE_UPDATE")
            or file.parser_settings.skip_site_cache_update,
            # The original never creates the directory and falls back in silence (reference: telemetry-events 2.1).
            "telemetry_directory": directory if directory is not None and directory.is_dir() else None,
            "template_folder": _path(environ, "STATETRACE_TEMPLATES"),
        }
        return cls(**{**resolved, **overrides})


def _read_file(data_folder: Path | None) -> _SettingsFile:
    if data_folder is None:
        return _SettingsFile()
    path = data_folder / SETTINGS_FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return _SettingsFile()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    try:
        return msgspec.json.decode(text, type=_SettingsFile)
    except msgspec.DecodeError as error:
        raise SettingsError(f"settings file {path}: {error}") from error


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

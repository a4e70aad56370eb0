"""Settings from file, environment and overrides."""

from pathlib import Path

import pytest

from statetrace.errors import SettingsError
from statetrace.settings import Settings


def test_nothing_set_gives_the_defaults(tmp_path):
    assert Settings.load(tmp_path, {}) == Settings()


@pytest.mark.parametrize(("value", "enabled"), [("1", False), ("true", True), ("0", True), (" 1", True), ("", True)])
def test_only_exactly_1_disables_the_cache(value, enabled):
    assert Settings.load(None, {"STATETRACE_DISABLE_SHARED_CACHE": value}).shared_cache_enabled is enabled


@pytest.mark.parametrize(("value", "on"), [("1", True), ("TRUE", True), ("yes", False), ("0", False)])
def test_switches_take_1_and_true(value, on):
    environ = {"STATETRACE_FORCE_SITE_CACHE_REFRESH": value, "STATETRACE_SKIP_SITECACHE_UPDATE": value}
    settings = Settings.load(None, environ)
    assert settings.force_site_cache_refresh is on
    assert settings.skip_site_cache_update is on


def test_the_telemetry_directory_counts_only_if_it_exists(tmp_path):
    assert Settings.load(None, {"STATETRACE_TELEMETRY_DIR": str(tmp_path)}).telemetry_directory == tmp_path
    assert Settings.load(None, {"STATETRACE_TELEMETRY_DIR": str(tmp_path / "no")}).telemetry_directory is None


def test_overrides_go_before_the_environment():
    environ = {"STATETRACE_SHARED_CACHE_SNAPSHOT": "a.clixml"}
    assert Settings.load(None, environ).shared_cache_snapshot == Path("a.clixml")
    assert Settings.load(None, environ, shared_cache_snapshot=None).shared_cache_snapshot is None


def test_the_settings_file_is_read_with_its_byte_order_mark(tmp_path):
    (tmp_path / "StateTraceSettings.json").write_text(
        '{"DebugOnNextLaunch": true, "ParserSettings": {"SkipSiteCacheUpdate": true, "MinRunspaceCount": 1}}',
        "utf-8-sig",
    )
    assert Settings.load(tmp_path, {}).skip_site_cache_update


@pytest.mark.original
def test_the_original_settings_file_is_read(original_data):
    assert Settings.load(original_data / "installation", {}).skip_site_cache_update is False


def test_a_broken_settings_file_is_named(tmp_path):
    (tmp_path / "StateTraceSettings.json").write_text("{")
    with pytest.raises(SettingsError, match=r"StateTraceSettings\.json"):
        Settings.load(tmp_path, {})


def test_the_bound_on_rows_must_be_a_positive_number():
    assert Settings.load(None, {"STATETRACE_SHARED_CACHE_MAX_ROWS": "5000"}).shared_cache_max_rows == 5000
    with pytest.raises(SettingsError, match="STATETRACE_SHARED_CACHE_MAX_ROWS"):
        Settings.load(None, {"STATETRACE_SHARED_CACHE_MAX_ROWS": "many"})

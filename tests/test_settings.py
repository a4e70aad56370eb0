"""Settings from file, environment and overrides."""

import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.errors import SettingsError
from statetrace.settings import ParserSettings, Settings


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


@pytest.mark.parametrize("text", ["{", "[]", '{"Parser": ' + "[" * 100_000])
def test_a_broken_settings_file_is_named(text, tmp_path):
    (tmp_path / "StateTraceSettings.json").write_text(text)
    with pytest.raises(SettingsError, match=r"StateTraceSettings\.json"):
        Settings.load(tmp_path, {})


def test_the_bound_on_rows_must_be_a_positive_number():
    assert Settings.load(None, {"STATETRACE_SHARED_CACHE_MAX_ROWS": "5000"}).shared_cache_max_rows == 5000
    with pytest.raises(SettingsError, match="STATETRACE_SHARED_CACHE_MAX_ROWS"):
        Settings.load(None, {"STATETRACE_SHARED_CACHE_MAX_ROWS": "many"})


PARSER = [
    ("8", 8),
    ('"8"', 8),
    ('" 8 "', 8),
    ("2.5", 2),
    ("3.5", 4),
    ('"3.5"', 4),
    ('"1e1"', 10),
    ("null", 0),
    ("true", 1),
    ("0", 0),
    ("-3", -3),
]


def with_parser_settings(folder, section):
    (folder / "StateTraceSettings.json").write_text(section, "utf-8")
    return Settings.load(folder, {})


@pytest.mark.parametrize(("text", "number"), PARSER)
def test_a_number_counts_as_given_in_any_form(text, number, tmp_path):
    settings = with_parser_settings(tmp_path, f'{{"ParserSettings": {{"MaxRunspaceCeiling": {text}}}}}')
    assert settings.parser == ParserSettings(max_runspace_ceiling=number)
    assert settings.warnings == ()


@pytest.mark.parametrize(
    "text", ['"many"', '""', '"nan"', '"inf"', '"1_000"', '"1e999"', "1e400", "3000000000", "[1]", '{"a": 1}']
)
def test_a_value_that_is_no_number_is_ignored_and_told(text, tmp_path):
    settings = with_parser_settings(tmp_path, f'{{"ParserSettings": {{"JobsPerThread": {text}}}}}')
    assert settings.parser == ParserSettings()
    assert len(settings.warnings) == 1
    assert "ParserSettings.JobsPerThread" in settings.warnings[0]
    assert str(tmp_path) in settings.warnings[0]


@pytest.mark.parametrize(
    ("text", "on"),
    [("true", True), ("1", True), ('"yes"', True), ("0", False), ("null", False), ('"false"', False), ('" "', False)],
)
def test_text_that_says_false_switches_off(text, on, tmp_path):
    section = f'{{"AutoScaleConcurrency": {text}, "EnableAdaptiveThreads": {text}, "SkipSiteCacheUpdate": {text}}}'
    settings = with_parser_settings(tmp_path, f'{{"ParserSettings": {section}}}')
    assert settings.parser == ParserSettings(
        auto_scale_concurrency=on, enable_adaptive_threads=on, skip_site_cache_update=on
    )
    assert settings.skip_site_cache_update is on


def test_a_list_is_no_switch(tmp_path):
    settings = with_parser_settings(tmp_path, '{"ParserSettings": {"EnableAdaptiveThreads": []}}')
    assert settings.parser.enable_adaptive_threads is True
    assert "EnableAdaptiveThreads is not true or false" in settings.warnings[0]


def test_a_chunk_size_of_null_is_none(tmp_path):
    settings = with_parser_settings(tmp_path, '{"ParserSettings": {"InterfaceBulkChunkSize": null}}')
    assert settings.parser.interface_bulk_chunk_size is None


def test_the_section_has_two_names_and_the_longer_one_goes_first(tmp_path):
    shorter = '"Parser": {"MinRunspaceCount": 3}'
    assert with_parser_settings(tmp_path, f"{{{shorter}}}").parser.min_runspace_count == 3
    both = f'{{{shorter}, "parsersettings": {{"minrunspacecount": 2}}}}'
    assert with_parser_settings(tmp_path, both).parser.min_runspace_count == 2


@pytest.mark.parametrize("section", ["null", "[]", '"x"'])
def test_a_section_that_is_no_object_is_ignored_and_told(section, tmp_path):
    settings = with_parser_settings(tmp_path, f'{{"ParserSettings": {section}}}')
    assert settings.parser == ParserSettings()
    assert "ParserSettings is not an object" in settings.warnings[0]


def test_a_blank_settings_file_says_nothing(tmp_path):
    assert with_parser_settings(tmp_path, " \r\n") == Settings()


@pytest.mark.original
def test_the_original_settings_file_gives_five_numbers(original_data):
    settings = Settings.load(original_data / "installation", {})
    assert settings.parser == ParserSettings(
        auto_scale_concurrency=True,
        max_runspace_ceiling=0,
        max_workers_per_site=0,
        max_active_sites=0,
        min_runspace_count=1,
        jobs_per_thread=0,
    )


@pytest.mark.parametrize(
    ("file", "environ", "overrides", "sources"),
    [
        (False, "", {}, ()),
        (True, "", {}, ("Module",)),
        (False, "true", {}, ("Environment",)),
        (True, "1", {}, ("Module", "Environment")),
        (True, "1", {"skip_site_cache_update": True}, ("Parameter", "Module", "Environment")),
        (True, "1", {"skip_site_cache_update": False}, ()),
    ],
)
def test_the_sources_of_a_skip_are_named(file, environ, overrides, sources, tmp_path):
    (tmp_path / "StateTraceSettings.json").write_text(f'{{"Parser": {{"SkipSiteCacheUpdate": {str(file).lower()}}}}}')
    settings = Settings.load(tmp_path, {"STATETRACE_SKIP_SITECACHE_UPDATE": environ}, **overrides)
    assert settings.skip_sources == sources
    assert settings.skip_site_cache_update is bool(sources)


def test_a_file_of_existing_rows_is_named_by_the_environment():
    environ = {"STATETRACE_SITE_EXISTING_ROW_CACHE_SNAPSHOT": " rows.clixml "}
    assert Settings.load(None, environ).existing_row_snapshot == Path("rows.clixml")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4))
def test_no_value_of_the_file_raises(value):
    with tempfile.TemporaryDirectory() as folder:
        names = [field.encode_name for field in msgspec.structs.fields(ParserSettings)]
        section = json.dumps({"ParserSettings": dict.fromkeys(names, value)}).replace("NaN", "0")
        with_parser_settings(Path(folder), section.replace("Infinity", "1e400"))

"""Thresholds come with defaults, and from a file that is forgiving in nothing."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.gates.thresholds import Thresholds, read_thresholds, thresholds_file, with_allowed
from statetrace.errors import SettingsError


def written(folder, text):
    path = folder / "gates.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_improvement_is_the_documented_one_and_not_the_default_of_the_original():
    assert Thresholds().warm_run.minimum_improvement_percent == 60


def test_the_printed_file_gives_the_thresholds_that_it_was_printed_from(tmp_path):
    path = written(tmp_path, "[warm_run]\nminimum_improvement_percent = 25.5\n[coverage]\nrequired_sites = ['WLLS']\n")
    changed = read_thresholds(path)
    for thresholds in (Thresholds(), changed):
        assert read_thresholds(written(tmp_path, thresholds_file(thresholds))) == thresholds
    assert changed.warm_run.minimum_improvement_percent == 25.5
    assert changed.coverage.required_sites == ("WLLS",)


def test_the_printed_file_explains_every_limit():
    lines = thresholds_file().splitlines()
    for limit in (
        line for line in lines if line.startswith(("minimum_", "maximum_", "median_", "warm_alert", "alert"))
    ):
        assert len(limit.partition("  # ")[2]) > 4, limit
    for number, line in enumerate(lines):
        assert not line.startswith("[") or len(lines[number - 1]) > 4, line
    assert set(tomllib.loads("\n".join(lines))) == set(Thresholds.__struct_fields__)


def test_what_a_file_does_not_name_keeps_its_default(tmp_path):
    path = written(tmp_path, "[fairness]\nmaximum_launch_streak = 3\n")
    found = read_thresholds(path)
    assert (found.limit("fairness.maximum_launch_streak"), found.limit("fairness.maximum_batch_streak")) == (3, 8)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("warm_runs = 1", "no warm_runs; did you mean warm_run?"),
        ("[warm_run]\nminimum_improvment_percent = 1", "did you mean minimum_improvement_percent?"),
        ("[warm_run]\nminimum_improvement_percent = 'much'", "warm_run.minimum_improvement_percent has to be a number"),
        *(
            (f"[{section}]\n{limit} = {value}", f"{section}.{limit} has to be a finite number of at most 64 bits")
            for section, limit in (
                ("warm_run", "minimum_improvement_percent"),
                ("fairness", "maximum_launch_streak"),
                ("queue_delay", "maximum_queue_delay_p95_ms"),
            )
            for value in ("nan", "inf", "-inf", "1e300", "1" + "0" * 400, "-" + "9" * 19)
        ),
        (
            "[warm_run]\nmaximum_signature_miss_count = 1.5",
            "warm_run.maximum_signature_miss_count has to be a whole number",
        ),
        ("[warm_run]\nenabled = 1", "warm_run.enabled has to be true or false"),
        ("warm_run = 1", "warm_run is no section"),
        ("[coverage]\nrequired_sites = 'WLLS'", "coverage.required_sites has to be a list of texts"),
        ("allow_without_data = 'warm_run'", "allow_without_data has to be a list of texts"),
        ("allow_without_data = ['warm_rum']", "no gate 'warm_rum'; did you mean warm_run?"),
        ("[[", "thresholds"),
        ("qqq = 1", "there are allow_without_data, write_latency"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(tmp_path, text, told):
    with pytest.raises(SettingsError, match=r"gates\.toml") as refused:
        read_thresholds(written(tmp_path, text))
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_an_error_of_settings_that_names_it_once(tmp_path):
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read: No such file or directory$") as refused:
        read_thresholds(tmp_path / "missing.toml")
    assert str(refused.value).count("missing.toml") == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_powershell_wrote_is_read(tmp_path, encoding):
    mark = "\N{BYTE ORDER MARK}" if encoding.endswith("e") else ""
    text = thresholds_file().replace("maximum_launch_streak = 8", "maximum_launch_streak = 3").replace("\n", "\r\n")
    path = tmp_path / "gates.toml"
    path.write_bytes((mark + text).encode(encoding))
    assert read_thresholds(path).limit("fairness.maximum_launch_streak") == 3


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "gates.toml"
    path.write_bytes(b"[fairness]\n\xe9\x80")
    with pytest.raises(SettingsError, match="neither UTF-8 nor UTF-16"):
        read_thresholds(path)


@pytest.mark.parametrize(
    ("text", "gate", "limit"),
    [
        ("[fairness]\nmaximum_launch_streak = -1", "fairness.maximum_launch_streak", None),
        ("[fairness]\nenabled = false", "fairness.maximum_launch_streak", None),
        ("[fairness]\nmaximum_launch_streak = 0", "fairness.maximum_launch_streak", 0),
        ("[write_latency]\nwarm_alert_ms = -1", "write_latency.warm_alert_ms", None),
        ("[queue_delay]\nenabled = false", "queue_delay.minimum_event_count", None),
        ("[warm_run]\nminimum_improvement_percent = -5", "warm_run.minimum_improvement_percent", -5),
        ("[coverage]\nrequired_sites = ['WLLS']", "coverage.required_sites", 0),
    ],
)
def test_a_gate_is_switched_off_by_a_negative_maximum_or_with_its_section(tmp_path, text, gate, limit):
    assert read_thresholds(written(tmp_path, text)).limit(gate) == limit


@pytest.mark.parametrize("allowed", ["*", "queue_delay", "queue_delay.minimum_event_count"])
def test_gates_may_be_without_data_by_name_by_section_or_all(allowed):
    thresholds = with_allowed(Thresholds(), (allowed,))
    assert thresholds.allows_no_data("queue_delay.minimum_event_count")
    assert thresholds.allows_no_data("parse_time.maximum_seconds") is (allowed == "*")
    assert not Thresholds().allows_no_data("queue_delay.minimum_event_count")


@given(st.text(max_size=12))
def test_no_name_that_is_allowed_is_taken_unseen(name):
    if name not in {"*", *Thresholds.__struct_fields__}:
        with pytest.raises(SettingsError, match="no gate"):
            with_allowed(Thresholds(), (name,))


@pytest.mark.parametrize("name", ["write_latency.warm_alert_ms", "warm_run.median_below_ms", "fairness.enabled"])
def test_what_is_no_gate_cannot_be_without_data(name):
    with pytest.raises(SettingsError, match="no gate"):
        with_allowed(Thresholds(), (name,))


def test_whoever_names_a_gate_that_is_like_none_is_told_the_sections_alone():
    with pytest.raises(SettingsError, match="the sections of gates are write_latency, ") as refused:
        with_allowed(Thresholds(), ("qqq",))
    assert "." not in str(refused.value)

"""A line has the original's form, whatever is in the event and whenever it is emitted."""

from __future__ import annotations

import json
import math
import re
import time
from datetime import datetime, timedelta

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from statetrace.telemetry import (
    DirectorySink,
    Event,
    InterfaceSiteCacheClearInvocation,
    InterfaceSiteCacheMetrics,
    InterfaceSiteCacheReuseState,
    Telemetry,
)

EVENT = InterfaceSiteCacheReuseState(site="WLLS", host_count=1, total_rows=48, keys_sample="WLLS-A01-AS-01")
# reference: telemetry-events 2.2
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}[+-]\d\d:\d\d")


def lines(directory):
    [file] = directory.glob("*.json")
    *whole, rest = file.read_bytes().decode("ascii").split("\r\n")
    assert rest == ""
    return whole


def emit(directory, *events, **options):
    sink = DirectorySink(directory, **options)
    with Telemetry(sink) as telemetry:
        for event in events:
            telemetry.emit(event)
    assert telemetry.failures == 0
    return lines(directory)


@pytest.fixture
def zone(monkeypatch):
    """Sets the local time zone to a POSIX rule (west is positive there)."""
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone of a process cannot be changed on this system")

    def set_zone(rule):
        monkeypatch.setenv("TZ", rule)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_a_line_is_compact_json_with_name_and_timestamp_first(tmp_path):
    before = datetime.now().astimezone()
    [line] = emit(tmp_path, EVENT)
    fields = json.loads(line)
    assert list(fields) == [
        "EventName",
        "Timestamp",
        "Site",
        "HostCount",
        "TotalRows",
        "HostMapType",
        "KeysSample",
        "EntryType",
    ]
    assert fields["EventName"] == "InterfaceSiteCacheReuseState"
    assert TIMESTAMP.fullmatch(fields["Timestamp"])
    # fromisoformat reads six digits of the fraction; the seventh may be cut.
    assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(fields["Timestamp"])
    assert datetime.fromisoformat(fields["Timestamp"]) <= datetime.now().astimezone()
    assert line == json.dumps(fields, separators=(",", ":"))


def test_a_file_is_named_by_the_day_and_has_no_byte_order_mark(tmp_path):
    emit(tmp_path, EVENT)
    [file] = tmp_path.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d\.json", file.name)
    assert file.read_bytes().startswith(b'{"EventName":"')


def test_lines_are_appended_to_what_is_there(tmp_path):
    emit(tmp_path, EVENT)
    assert len(emit(tmp_path, EVENT)) == 2


# 1764976915 is 2025-12-05T23:21:55 UTC (reference: telemetry-events 14, E1)
@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("MST7", "2025-12-05T16:21:55.7138805-07:00"),
        ("UTC0", "2025-12-05T23:21:55.7138805+00:00"),
        ("IST-5:30", "2025-12-06T04:51:55.7138805+05:30"),
        ("NST3:30", "2025-12-05T19:51:55.7138805-03:30"),
    ],
)
def test_the_timestamp_is_local_with_offset_and_seven_digits(tmp_path, zone, rule, text):
    zone(rule)
    [line] = emit(tmp_path, EVENT, clock=lambda: 1_764_976_915_713_880_599)
    assert json.loads(line)["Timestamp"] == text
    assert (tmp_path / f"{text[:10]}.json").exists()


def test_the_offset_follows_daylight_saving_within_a_process(tmp_path, zone):
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    change = 1_743_296_400  # 2025-03-30T01:00:00 UTC
    seconds = iter([change - 1, change])
    two = emit(tmp_path, EVENT, EVENT, clock=lambda: next(seconds) * 1_000_000_000)
    assert [json.loads(line)["Timestamp"] for line in two] == [
        "2025-03-30T01:59:59.0000000+01:00",
        "2025-03-30T03:00:00.0000000+02:00",
    ]


def test_around_midnight_each_event_goes_to_the_file_of_its_own_day(tmp_path, zone):
    zone("MST7")
    midnight = 1_765_004_400 * 1_000_000_000  # 2025-12-06T00:00:00-07:00
    moments = iter([midnight - 1, midnight, midnight - 100, midnight + 1])
    sink = DirectorySink(tmp_path, clock=lambda: next(moments))
    for _ in range(4):
        sink.write(EVENT)
    sink.close()
    days = {file.stem: file.read_text().splitlines() for file in tmp_path.iterdir()}
    assert {day: len(found) for day, found in days.items()} == {"2025-12-05": 2, "2025-12-06": 2}
    for day, found in days.items():
        assert all(json.loads(line)["Timestamp"].startswith(day) for line in found)


HOSTILE = [
    "line\r\nend",
    "\x00\x1b\x7f",
    'quote " and \\ backslash',
    "<script>",
    "Zürich",
    "next\x85line\u2028sep\u2029",
    "\N{GRINNING FACE}",
    "\ufeff",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_was_from_one_ascii_line(tmp_path, text):
    [line] = emit(tmp_path, InterfaceSiteCacheClearInvocation(reason=text))
    assert json.loads(line)["Reason"] == text
    assert msgspec.json.decode(line, type=InterfaceSiteCacheClearInvocation).reason == text


@pytest.mark.parametrize(
    ("text", "read"), [("a\ud800b", "a\ufffdb"), ("\udfff", "\ufffd"), ("\ud83d\ude00", "\U0001f600")]
)
def test_surrogates_are_joined_or_replaced(tmp_path, text, read):
    [line] = emit(tmp_path, InterfaceSiteCacheClearInvocation(reason=text))
    assert msgspec.json.decode(line, type=InterfaceSiteCacheClearInvocation).reason == read


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_know_is_null(tmp_path, number):
    event = InterfaceSiteCacheMetrics(
        site="S", cache_status="Hit", refreshed=False, provider="Cache", build_duration_ms=number
    )
    [line] = emit(tmp_path, event)
    assert msgspec.json.decode(line)["BuildDurationMs"] is None


@given(
    text=st.text(st.characters(exclude_categories=()), max_size=20), number=st.floats() | st.integers(-(2**63), 2**63)
)
def test_every_line_is_valid_json(tmp_path_factory, text, number):
    class Anything(Event, frozen=True, kw_only=True):
        text: str
        number: float
        texts: dict[str, list[str]]

    directory = tmp_path_factory.mktemp("events")
    [line] = emit(directory, Anything(text=text, number=number, texts={text: [text]}))
    assert msgspec.json.decode(line)["EventName"] == "Anything"


def test_a_processor_can_add_change_and_remove_fields(tmp_path):
    def processor(logger, method, fields):
        del fields["KeysSample"]
        return {"Machine": tmp_path, "Since": {1}, **fields, "Site": "X", "Timestamp": "mine"}

    [line] = emit(tmp_path, EVENT, processors=[processor])
    fields = json.loads(line)
    assert list(fields)[:3] == ["EventName", "Timestamp", "Machine"]
    assert (fields["Machine"], fields["Site"]) == (str(tmp_path), "X")
    assert "KeysSample" not in fields
    assert TIMESTAMP.fullmatch(fields["Timestamp"])


def test_processors_run_in_order_on_wire_names(tmp_path):
    seen = []

    def first(logger, method, fields):
        seen.append(dict(fields))
        return {**fields, "First": True}

    def second(logger, method, fields):
        seen.append(dict(fields))
        return fields

    emit(tmp_path, EVENT, processors=[first, second])
    assert seen[0] == msgspec.to_builtins(EVENT)
    assert seen[1] == {**seen[0], "First": True}


def test_a_dropped_event_is_no_failure(tmp_path):
    def drop_clears(logger, method, fields):
        if fields["EventName"] == "InterfaceSiteCacheClearInvocation":
            raise structlog.DropEvent
        return fields

    [line] = emit(tmp_path, InterfaceSiteCacheClearInvocation(), EVENT, processors=[drop_clears])
    assert json.loads(line)["EventName"] == "InterfaceSiteCacheReuseState"


def test_a_failing_processor_costs_its_event_only(tmp_path, caplog):
    def fail_once(logger, method, fields):
        if fields["Site"] == "BAD":
            raise ZeroDivisionError
        return fields

    with Telemetry.to_directory(tmp_path, [fail_once]) as telemetry:
        for site in ("BAD", "WLLS"):
            telemetry.emit(InterfaceSiteCacheReuseState(site=site, host_count=0, total_rows=0, keys_sample=""))
    assert telemetry.failures == 1
    assert len(lines(tmp_path)) == 1
    assert len(caplog.records) == 1

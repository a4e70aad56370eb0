"""Events as they are read: whatever a field holds, it means something or nothing, and nothing raises."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.analysis.events import Selection, WireEvent, analyze
from statetrace.analysis.instants import TICKS_PER_SECOND, now_ticks, ticks_of, utc_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("Site", "Hostname", "Timestamp", "Rows", "Success")


def event(**fields):
    return WireEvent("RowsWritten", fields)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_a_field_holds_it_can_be_asked_for(fields):
    told = WireEvent("RowsWritten", fields)
    assert isinstance(told.site, str)
    assert isinstance(told.host, str)
    assert isinstance(told.flag("Success"), bool)
    assert isinstance(told.count("Rows"), int)
    assert abs(told.count("Rows")) < 1 << 63
    number = told.number("Rows")
    assert number is None or math.isfinite(number)
    assert told.ticks is None or isinstance(told.ticks, int)


@pytest.mark.parametrize(
    ("value", "number", "count"),
    [
        (48, 48, 48), (48.9, 48.9, 48), ("48.5", 48.5, 48), (" 7 ", 7, 7), (-1, -1, -1),
        (True, None, 0), (None, None, 0), ("", None, 0), ("many", None, 0), ([1], None, 0),
        (math.nan, None, 0), ("inf", None, 0), (10**400, None, 0), (1e300, 1e300, 0), (1 << 63, 1 << 63, 0),
        ("1e3", 1000, 1000), ("1_000", None, 0), ("\u0661\u0662", None, 0), ("\uff11", None, 0), ("\u20031", None, 0),
        (1e301, None, 0), (-1.7e308, None, 0), ("1e308", None, 0), (10**301, None, 0),
    ],
)  # fmt: skip
def test_a_number_is_finite_and_a_count_fits_into_64_bits(value, number, count):
    assert (event(Rows=value).number("Rows"), event(Rows=value).count("Rows")) == (number, count)


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), ("True", True), (" true ", True), (False, False), ("1", False), (1, False)]
)
def test_a_flag_is_true_or_the_word(value, flag):
    assert event(Success=value).flag("Success") is flag


def test_a_text_is_the_first_that_is_not_blank():
    told = event(Hostname="  ", HostName=None, Host=" ALDR-A01 ", Site=7)
    assert (told.host, told.site, told.text("Nothing")) == ("ALDR-A01", "7", "")


def test_an_event_tells_where_it_stands():
    assert WireEvent("X", {}, "2026-01-31.json", 7).where == "2026-01-31.json:7"
    assert WireEvent("X", {}).where == ""


class Names:
    def __init__(self, events):
        self.EVENTS = events
        self.taken = []

    def add(self, event):
        self.taken.append(event.name)


def test_each_analysis_gets_the_events_that_it_wants_in_any_case_and_in_their_order():
    some, everything, nothing = Names(frozenset({"RowsWritten"})), Names(None), Names(frozenset())
    names = ["RowsWritten", "Other", "ROWSWRITTEN", ""]
    analyze((WireEvent(name, {}) for name in names), some, everything, nothing)
    assert (some.taken, everything.taken, nothing.taken) == (["RowsWritten", "ROWSWRITTEN"], names, [])


def test_sites_and_hosts_are_chosen_in_any_case_and_a_site_may_be_that_of_the_host():
    events = [event(Site="ALDR", Hostname="X-1"), event(Hostname="aldr-A01"), event(Hostname="BRCK-A01"), event()]
    assert list(Selection(sites=["aldr"]).of(events)) == events[:2]
    assert list(Selection(hosts=["Brck-a01"]).of(events)) == events[2:3]
    assert list(Selection(sites=["ALDR"], hosts=["BRCK-A01"]).of(events)) == []
    assert list(Selection().of(events)) == events


def test_a_window_includes_its_ends_and_leaves_out_what_has_no_time():
    events = [event(Timestamp=utc_text(tick)) for tick in range(5)] + [event(), event(Timestamp="soon")]
    assert list(Selection(start=1, end=3).of(events)) == events[1:4]
    assert list(Selection(end=0).of(events)) == events[:1]


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001  # the zones are drawn


@given(MOMENTS, st.integers(0, 9))
def test_a_moment_is_the_same_in_every_offset_to_the_seventh_digit(moment, seventh):
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}{seventh}{moment.isoformat()[-6:]}"
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    ticks = elapsed // timedelta(microseconds=1) * 10 + seventh
    assert ticks_of(text) == ticks
    assert ticks_of(utc_text(ticks)) == ticks


@given(st.text(max_size=40))
def test_a_text_is_a_moment_or_none(text):
    assert ticks_of(text) is None or isinstance(ticks_of(text), int)


@pytest.mark.parametrize(
    "value",
    [None, 5, "", "soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "/Date(x)/",
     f"/Date({10**30})/"],
)  # fmt: skip
def test_what_no_calendar_has_is_no_moment(value):
    assert ticks_of(value) is None


def test_the_form_of_windows_powershell_is_understood():
    assert ticks_of(" /Date(-1500)/ ") == -15_000_000
    assert utc_text(-15_000_000) == "1969-12-31T23:59:58.5000000Z"


def test_now_is_now():
    assert abs(now_ticks() / TICKS_PER_SECOND - datetime.now(UTC).timestamp()) < 60

"""Site entries and how they are merged (reference: site-cache 4.5 and 15.9)."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model import CaseInsensitiveMap, DatabaseState, InterfaceRow, SiteEntry, merge_entries

T1, T2 = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)


def entry(hosts, **attributes):
    return SiteEntry(
        {host: CaseInsensitiveMap({port: InterfaceRow(name=port) for port in ports}) for host, ports in hosts.items()},
        **attributes,
    )


def test_hosts_and_ports_are_found_in_any_case_and_counted():
    site = entry({"A": ["p1", "p2"], "B": []})
    assert site["a"]["P1"].name == "p1"
    assert "b" in site
    assert (site.host_count, site.total_rows, len(site), list(site)) == (2, 2, 2, ["A", "B"])


@pytest.mark.parametrize(
    ("existing", "incoming", "merged"),
    [
        ({"A": ["p1"]}, {"B": ["p2"]}, {"A": ["p1"], "B": ["p2"]}),
        ({"A": ["p1", "p2"]}, {"A": ["p3"]}, {"A": ["p3"]}),
        ({"A": ["p1"], "B": ["p2"]}, {"A": []}, {"B": ["p2"]}),
        ({"HOST1": ["p1"]}, {"host1": ["p2"]}, {"HOST1": ["p2"]}),
    ],
)
def test_hosts_are_merged_whole(existing, incoming, merged):
    result = merge_entries(entry(existing), entry(incoming))
    assert {host: list(ports) for host, ports in result.items()} == merged
    assert result.total_rows == sum(map(len, merged.values()))


_HOSTS = st.dictionaries(st.sampled_from("ABab "), st.lists(st.sampled_from(["p1", "p2", "p3"]), unique=True))


@given(st.lists(_HOSTS, min_size=1))
def test_however_entries_are_merged_their_hosts_and_rows_are_counted(parts):
    merged = None
    for part in parts:
        merged = merge_entries(merged, entry(part))
    assert (merged.host_count, merged.total_rows) == (len(merged.hosts), sum(map(len, merged.hosts.values())))


def test_into_nothing_an_empty_host_is_taken_as_it_is():
    result = merge_entries(None, entry({"A": []}))
    assert (result.host_count, result.total_rows) == (1, 0)


def test_attributes_of_the_incoming_entry_win_where_it_has_them():
    hit = entry({"A": ["p1"]}, cache_status="Hit", cached_at=T1, fields={"a": 1, "b": 1})
    result = merge_entries(hit, entry({"B": ["p2"]}, cached_at=T2, fields={"b": 2}))
    assert (result.cache_status, result.cached_at, dict(result.fields)) == ("Hit", T2, {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (DatabaseState("db", "1"), DatabaseState("db", "1"), DatabaseState("db", "1")),
        (DatabaseState("db", "1"), DatabaseState("db", "2"), DatabaseState("db")),
        (DatabaseState("db", "1"), None, DatabaseState("db")),
        (None, DatabaseState("db", "1"), DatabaseState("db")),
        (None, None, None),
    ],
)
def test_a_mixture_stems_from_a_state_only_if_both_parts_do(one, other, both):
    merged = merge_entries(entry({"A": ["p1"]}, source=one), entry({"B": ["p1"]}, source=other))
    assert (merged.source, list(merged)) == (both, ["A", "B"])


def test_entries_of_different_databases_are_never_mixed():
    one, other = (
        entry({"A": ["p1"]}, source=DatabaseState("1", "")),
        entry({"B": ["p1"]}, source=DatabaseState("2", "")),
    )
    assert merge_entries(one, other) is other


def test_entries_are_equal_by_what_they_hold():
    assert entry({"A": ["p"]}, cached_at=T1) == entry({"a": ["P"]}, cached_at=T2).evolve(
        hosts=entry({"A": ["p"]}).hosts
    )
    assert entry({"A": ["p"]}) != entry({"A": ["q"]})


def pickled(site):
    return pickle.loads(pickle.dumps(site))  # noqa: S301  # our own


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_entries_can_be_copied_and_sent_to_another_process(copied):
    site = entry({"A": ["p"]}, cached_at=T1, cache_status="Hit", source=DatabaseState("db", "1"), fields={"a": 1})
    back = copied(site)
    assert back == site
    assert (back.cached_at, back.cache_status, back.source, back.fields) == (T1, "Hit", site.source, {"a": 1})
    assert back["a"]["P"] == site["A"]["p"]


def test_entries_are_immutable():
    site = entry({"A": ["p"]}, fields={"a": 1})
    with pytest.raises(AttributeError, match="immutable"):
        site.cache_status = "Hit"
    with pytest.raises(TypeError):
        site.fields["a"] = 2


def test_what_the_fields_hold_cannot_be_changed_either():
    given = {"Samples": [{"Port": "Gi1", "Hosts": {"A"}}], "Raw": bytearray(b"x")}
    site = SiteEntry(fields=given)
    given["Samples"][0]["Port"] = "Gi2"
    (sample,) = site.fields["Samples"]
    assert (sample["port"], sample["Hosts"], site.fields["Raw"]) == ("Gi1", ("A",), b"x")
    with pytest.raises(TypeError):
        sample["Port"] = "Gi3"
    assert dict(pickled(site).fields) == dict(site.fields)
    with pytest.raises(TypeError):
        site.hosts["B"] = CaseInsensitiveMap()


def test_a_copy_differs_in_what_was_changed_and_counts_anew_what_it_holds():
    site = entry(
        {"A": ["p1", "p2"]}, cached_at=T1, cache_status="Hit", source=DatabaseState("db", "1"), fields={"a": 1}
    )
    for changes in (
        {"cached_at": T2},
        {"cache_status": None},
        {"source": None},
        {"fields": {"b": 2}},
        {"hosts": entry({"B": ["p1"]}).hosts},
        {"hosts": entry({"B": []}).hosts, "source": DatabaseState("db", "2"), "fields": {}},
    ):
        copied = site.evolve(**changes)
        for name in ("hosts", "cached_at", "cache_status", "source", "fields"):
            assert getattr(copied, name) == changes.get(name, getattr(site, name))
        assert (copied.host_count, copied.total_rows) == (len(copied.hosts), sum(map(len, copied.values())))
        assert pickled(copied) == copied
    assert (site.cached_at, site.source, dict(site.fields)) == (T1, DatabaseState("db", "1"), {"a": 1})


def test_a_copy_has_no_attributes_of_its_own():
    with pytest.raises(TypeError):
        entry({}).evolve(hosts={}, colour="red")


STATE = DatabaseState("db", "1@5", "p.1")


@pytest.mark.parametrize(
    ("other", "agree"),
    [
        (STATE, True),
        (DatabaseState("db", "1@5", "q.1"), True),
        (DatabaseState("db", "1@5", "q.9"), True),
        (DatabaseState("db", "1@5"), True),  # of a dialect that counts no commits
        (DatabaseState("db", "1@5", "p.2"), False),
        (DatabaseState("db", "1@6", "p.1"), False),
        (DatabaseState("db", "1@6", "q.1"), False),
        (DatabaseState("other", "1@5", "p.1"), False),
        (DatabaseState("db"), False),
    ],
)
def test_states_agree_as_far_as_can_be_told(other, agree):
    assert STATE.agrees(other) == other.agrees(STATE) == agree


def test_a_state_without_a_mark_agrees_with_none_not_even_itself():
    assert not DatabaseState("db").agrees(DatabaseState("db"))
    assert not DatabaseState("db", "", "p.1").agrees(DatabaseState("db", "", "q.1"))
    assert DatabaseState("db", "1@5").agrees(DatabaseState("db", "1@5"))

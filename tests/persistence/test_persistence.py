"""Hosts are stored, and whoever reads afterwards reads just that, from the cache as from the database."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from world import HOST, OTHER, RUN_DATE, SITE, THIRD, World, device

from statetrace.errors import DatabaseError, HydrationFailed, UnsafeName
from statetrace.model import PortFacts, SpanFacts, fold
from statetrace.persistence import ExistingRowCache, ParserPersistence, canonical, write_host
from statetrace.persistence.canonical import observed_of
from statetrace.persistence.existing import HYDRATED, KEPT, OVERTAKEN, REFRESHED, SHARED, SKIPPED, UNAVAILABLE
from statetrace.telemetry import InterfacePersistenceFailure, InterfaceSiteCacheMetrics

CACHE_OFF = {"shared_cache_enabled": False}
FORCED = {"force_site_cache_refresh": True}
SKIP = {"skip_site_cache_update": True, "skip_sources": ("Environment",)}


def up(*names):
    return [PortFacts(name, status="up") for name in names]


def outcome(report):
    return report.inserted, report.changed, report.unchanged, report.deleted


def reads(world):
    """How many times a site was read from its database."""
    return sum(event.query_attempts for event in world.events.of(InterfaceSiteCacheMetrics))


# One host, in whatever situation the site is


def nothing(world):
    """A site of which nothing is known yet: no folder, no database."""


def empty_database(world):
    world.databases.made(SITE)


def stored(world):
    """Stored by another process."""
    with_hosts = World(world.folder)
    with_hosts.persist(HOST, ["Gi1", "Gi2", "Gi3"])
    with_hosts.persist(OTHER, ["Gi1"])
    with_hosts.close()


def cached(world):
    stored(world)
    world.repository.site(SITE)


def stale(world):
    """Cached, and written to by another process since."""
    cached(world)
    World(world.folder).persist(OTHER, ["Gi1", "Gi2"])


def changed_by_a_foreign_program(world):
    cached(world)
    world.sql("UPDATE Interfaces SET Status = 'up', VLAN = 7 WHERE Port = 'Gi1'")


def emptied_by_a_foreign_program(world):
    cached(world)
    world.sql("DELETE FROM Interfaces")


def imported(world):
    """Cached from a snapshot that was exported before the database went on."""
    snapshot = exported(world)
    World(world.folder).persist(HOST, up("Gi1", "Gi9"))
    world.cache.import_snapshot(snapshot)


def imported_without_a_database(world):
    snapshot = exported(world)
    shutil.rmtree(world.path().parent)
    world.cache.import_snapshot(snapshot)


def exported(world):
    other = World(world.folder)
    cached(other)
    snapshot = world.folder / "snapshot.clixml"
    other.cache.export_snapshot(snapshot)
    other.close()
    return snapshot


def recreated_empty(world):
    """The database was deleted while the cache survived, and made again."""
    cached(world)
    world.databases.close()
    shutil.rmtree(world.path().parent)
    World(world.folder).databases.made(SITE).close()


def restored(world):
    """An older copy was put in place of the database."""
    stored(world)
    world.databases.close()
    copy = world.folder / "copy"
    shutil.copy(world.path(), copy)
    world.persist(HOST, up("Gi1"))
    world.persist(THIRD, up("Gi1"))
    world.databases.close()
    copy.replace(world.path())


SITUATIONS = {
    nothing: HYDRATED,
    empty_database: HYDRATED,
    stored: HYDRATED,
    cached: SHARED,
    stale: REFRESHED,
    changed_by_a_foreign_program: REFRESHED,
    emptied_by_a_foreign_program: REFRESHED,
    imported: REFRESHED,
    imported_without_a_database: REFRESHED,
    recreated_empty: REFRESHED,
    restored: REFRESHED,
}


@pytest.mark.parametrize(("situation", "origin"), SITUATIONS.items(), ids=[one.__name__ for one in SITUATIONS])
@pytest.mark.parametrize("forced", [False, True], ids=["", "forced refresh"])
def test_whatever_happened_before_what_was_ingested_is_stored_and_cached(make_world, situation, origin, forced):
    world = make_world(force_site_cache_refresh=forced)
    situation(world)
    report = world.persist(HOST, [*up("Gi1"), "Gi2", "Gi4"])
    assert report.origin == (REFRESHED if forced else origin)
    assert sorted(row[1:] for row in world.rows() if row[0] == HOST) == [("Gi1", "up"), ("Gi2", ""), ("Gi4", "")]
    assert world.agrees()
    assert world.is_current()

    again = world.persist(HOST, [*up("Gi1"), "Gi2", "Gi4"])  # X14
    assert (outcome(again), again.origin) == ((0, 0, 3, 0), SHARED)
    assert world.persist(THIRD, ["Gi1"]).origin == SHARED
    assert world.agrees()
    assert world.is_current()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("settings", [CACHE_OFF, SKIP], ids=["cache off", "skip"])
def test_what_is_ingested_is_stored_though_the_cache_is_left_alone(make_world, situation, settings):
    world = make_world(**settings)
    situation(world)
    cached = world.cache.peek(SITE)
    for again in (False, True):
        report = world.persist(HOST, [*up("Gi1"), "Gi2", "Gi4"])
        assert sorted(row[1:] for row in world.rows() if row[0] == HOST) == [("Gi1", "up"), ("Gi2", ""), ("Gi4", "")]
        assert world.cache.peek(SITE) is cached or world.cache.peek(SITE) == cached
        assert not world.is_current() or world.agrees()
        assert not again or outcome(report) == (0, 0, 3, 0)
    assert report.origin == (UNAVAILABLE if settings is CACHE_OFF else KEPT)


def test_a_database_whose_file_was_deleted_is_made_again(world):
    cached(world)
    shutil.rmtree(world.path().parent)
    world.persist(HOST, up("Gi1"))
    assert world.rows() == [(HOST, "Gi1", "up")]
    assert world.agrees()
    assert world.is_current()


def test_history_has_one_row_for_each_port_that_was_written_and_each_ingestion(world):  # K2
    world.persist(HOST, [*up("Gi1"), "Gi2", "Gi3"])
    world.persist(HOST, [*up("Gi1", "Gi2"), "Gi4"])
    world.persist(HOST, [*up("Gi1", "Gi2"), "Gi4"])
    written = [port for (port,) in world.rows("Port", "InterfaceHistory")]
    assert sorted(written) == ["Gi1", "Gi2", "Gi2", "Gi3", "Gi4"]
    assert len(world.rows("*", "DeviceHistory")) == 3


def test_a_row_keeps_its_id_while_it_is_changed(world):  # K3
    world.persist(HOST, ["Gi1", "Gi2"])
    world.persist(HOST, up("Gi1", "gi2"))
    assert world.rows("ID, Port, Status") == [(1, "Gi1", "up"), (2, "Gi2", "up")]


@pytest.mark.parametrize(("situation", "inserted"), [(nothing, 10), (stored, 0)], ids=["new", "stored"])  # X10, X9
def test_twelve_hosts_of_a_site_take_one_read_of_it(make_world, situation, inserted):
    world = make_world()
    names = [f"{SITE}-A05-AS-{number:02}" for number in range(12)]
    ports = [f"Et1/1/{number}" for number in range(10)]
    if situation is stored:
        for name in names:
            World(world.folder).persist(name, ports)
    reports = [world.persist(name, ports) for name in names]
    assert [report.origin for report in reports] == [HYDRATED, *[SHARED] * 11]
    assert [report.inserted for report in reports] == [inserted] * 12
    assert reads(world) == 1
    assert len(world.rows("*", "InterfaceHistory")) == 120
    assert world.agrees()
    assert world.is_current()


def test_a_host_that_came_from_the_cache_and_did_not_change_is_not_put_there_again(world):  # K6
    world.persist(HOST, ["Gi1"])
    world.events.clear()
    world.persist(HOST, ["Gi1"])
    assert "InterfaceSiteCacheHostPersisted" not in world.events.names
    assert world.is_current()


def test_a_cached_host_without_rows_is_a_hit(world):  # K5
    world.persist(HOST)
    assert (world.persist(HOST).origin, world.is_current()) == (SHARED, True)
    assert world.rows("Hostname, Ports", "DeviceSummary") == [(HOST, 0)]


def test_a_host_whose_rows_are_all_gone_leaves_the_cached_site(world):
    world.persist(HOST, ["Gi1"])
    world.persist(OTHER, ["Gi1"])
    assert outcome(world.persist(HOST, allow_empty=True)) == (0, 0, 0, 1)
    assert list(world.cache.peek(SITE)) == [OTHER]
    assert world.agrees()
    assert world.is_current()


def test_brocade_ports_are_the_same_at_the_second_ingestion(world):  # X14
    ports = [PortFacts(f"1/1/{number}", vlan="trunk", auth_template="open") for number in range(10)]
    facts = {"make": "Brocade", "auth_block": ("aaa", "auth-default-vlan 40")}
    assert outcome(world.persist(HOST, ports, **facts)) == (10, 0, 0, 0)
    assert outcome(world.persist(HOST, ports, **facts)) == (0, 0, 10, 0)
    assert world.cache.peek(SITE)[HOST]["1/1/1"].config == "AUTH BLOCK (GLOBAL)\r\naaa\r\nauth-default-vlan 40"
    assert world.agrees()


def test_the_date_is_local_and_that_of_the_call(world):
    world.persistence.persist_host(canonical(device(HOST, ["Gi1"])), run_date=RUN_DATE)
    world.persist(HOST, up("Gi1"))
    first, second = (date for (date,) in world.rows("RunDate", "DeviceHistory"))
    assert first == RUN_DATE
    assert abs(time.mktime(time.strptime(second, "%Y-%m-%d %H:%M:%S")) - time.time()) < 60
    assert world.rows("RunDate", "InterfaceHistory") == [(first,), (second,)]


def test_a_preview_makes_no_database_and_writes_nothing(world):
    existing, diff = world.persistence.preview(device(HOST, ["Gi1"]))
    assert (dict(existing), list(diff.inserted)) == ({}, ["Gi1"])
    assert not world.folder.exists()
    world.persist(HOST, ["Gi1"])
    existing, diff = world.persistence.preview(device(HOST, up("Gi1")))
    assert (list(existing), list(diff.changed)) == (["Gi1"], ["Gi1"])
    assert world.rows() == [(HOST, "Gi1", "")]
    assert world.is_current()


def test_a_path_stands_for_a_data_folder(tmp_path):
    persistence = ParserPersistence(tmp_path, row_cache=ExistingRowCache())
    try:
        assert persistence.persist(device("TESTPATH-1", ["Gi1"])).inserted == 1
    finally:
        persistence.repository.databases.close()
        persistence.repository.cache.discard("TESTPATH")
    assert (tmp_path / "TESTPATH" / "TESTPATH.sqlite").is_file()


# What others do in the middle


class Meddled(World):
    """A world in which something happens between finding a host's rows and writing it, or after that."""

    def persist_with(self, host, ports, *, before=lambda: None, after=lambda: None):
        persistence = self.persistence
        facts = canonical(device(host, ports))
        database = persistence.repository.databases.made(facts.site)
        existing = persistence.existing_rows(facts.site, facts.hostname, database)
        before()
        written = write_host(database, facts, self.repository.templates, known=existing.known, run_date=RUN_DATE)
        after()
        return persistence.settle(facts, database, existing, written, RUN_DATE)


@pytest.fixture
def meddled(tmp_path):
    world = Meddled(tmp_path / "Data")
    world.persist(HOST, ["Gi1", "Gi2"])
    world.persist(OTHER, ["Gi1"])
    yield world
    world.close()


def test_what_a_foreign_program_did_meanwhile_is_found_and_set_right(meddled):
    meddle = "UPDATE Interfaces SET Status = 'down'"
    report = meddled.persist_with(HOST, ["Gi1", *up("Gi2")], before=lambda: meddled.sql(meddle))
    assert (outcome(report), report.origin) == ((0, 2, 0, 0), OVERTAKEN)
    assert meddled.rows() == [(HOST, "Gi1", ""), (HOST, "Gi2", "up"), (OTHER, "Gi1", "down")]
    # Of the other host the cache does not know, and does not claim to.
    assert not meddled.is_current()
    assert meddled.persist(HOST, ["Gi1", *up("Gi2")]).origin == REFRESHED
    assert meddled.agrees()
    assert meddled.is_current()


def test_what_a_foreign_program_did_right_after_makes_the_cache_no_longer_current(meddled):
    meddled.persist_with(HOST, up("Gi1"), after=lambda: meddled.sql("UPDATE Interfaces SET Status = 'down'"))
    assert not meddled.is_current()
    assert outcome(meddled.persist(HOST, up("Gi1"))) == (0, 1, 0, 0)
    assert meddled.agrees()
    assert meddled.is_current()


def test_what_a_foreign_program_did_in_the_instant_after_the_commit_is_not_taken_for_ours(meddled, monkeypatch):
    facts = canonical(device(HOST, up("Gi1")))
    database = meddled.persistence.repository.databases.made(SITE)
    existing = meddled.persistence.existing_rows(SITE, HOST, database)
    look, looks = database._backend.state, []

    def state():
        looks.append("before, or after")
        if len(looks) == 2:
            meddled.sql("UPDATE Interfaces SET Status = 'down'")
        return look()

    monkeypatch.setattr(database._backend, "state", state)
    written = write_host(database, facts, meddled.repository.templates, known=existing.known, run_date=RUN_DATE)
    monkeypatch.undo()
    assert written.after.mark == ""
    meddled.persistence.settle(facts, database, existing, written, RUN_DATE)
    assert not meddled.is_current()


def test_two_hosts_that_were_written_in_turn_and_put_into_the_cache_in_turn_leave_it_current(meddled):
    meddled.persist_with(HOST, up("Gi1"), before=lambda: meddled.persist(OTHER, up("Gi1")))
    assert meddled.agrees()
    assert meddled.is_current()


def test_a_host_that_comes_late_into_the_cache_claims_no_state_that_it_does_not_have(meddled):
    meddled.persist_with(HOST, up("Gi1"), after=lambda: meddled.persist(HOST, ["Gi7"]))
    assert not meddled.is_current()
    meddled.persist(OTHER, ["Gi1"])
    assert meddled.agrees()
    assert meddled.is_current()


def test_a_site_that_is_dropped_from_the_cache_meanwhile_is_not_cached_by_one_host(meddled):
    meddled.persist_with(HOST, up("Gi1"), after=meddled.cache.clear)
    assert meddled.agrees()
    assert meddled.persist(OTHER, ["Gi1"]).origin == SHARED
    assert meddled.agrees()


def test_hosts_of_a_site_that_are_ingested_at_once_are_all_stored_and_cached(world):
    failures = []
    ready = threading.Barrier(4)

    def ingest(host):
        try:
            ready.wait(10)
            for status in ("up", "down", "up"):
                world.persist(host, [PortFacts(f"Gi{number}", status=status) for number in range(6)])
        except Exception as error:  # noqa: BLE001  # shown below
            failures.append(error)

    threads = [threading.Thread(target=ingest, args=(f"{SITE}-A01-AS-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(world.rows("*", "InterfaceHistory")) == 4 * 3 * 6
    assert world.hydrated() == world.cache.peek(SITE)
    world.persist(f"{SITE}-A01-AS-0", up(*(f"Gi{number}" for number in range(6))))
    assert world.agrees()
    assert world.is_current()


ELSEWHERE = """
import sys
from pathlib import Path
from statetrace.model import DeviceFacts, PortFacts
from statetrace.persistence import ParserPersistence
facts = DeviceFacts(sys.argv[2], "Cisco", ports=(PortFacts("Gi1", status="down"),), interfaces_found=True)
ParserPersistence(Path(sys.argv[1])).persist(facts)
"""


def test_what_another_process_stored_is_found(world):
    world.persist(HOST, up("Gi1"))
    world.persist(OTHER, up("Gi1"))
    subprocess.run([sys.executable, "-c", ELSEWHERE, world.folder, HOST], check=True, timeout=60)
    assert not world.is_current()
    assert outcome(world.persist(OTHER, up("Gi1"))) == (0, 0, 1, 0)
    assert world.cache.peek(SITE)[HOST]["Gi1"].status == "down"
    assert world.agrees()
    assert world.is_current()


# One database for several sites


@pytest.fixture
def together(make_world, tmp_path):
    return make_world(database=tmp_path / "all.sqlite")


def test_of_one_database_for_several_sites_all_stay_current(together):
    together.persist(HOST, ["Gi1"])
    together.persist("BOYO-1", ["Gi1"])
    assert together.repository.is_current(SITE)
    for status in ("up", "up", "down"):
        together.persist("BOYO-1", [PortFacts("Gi1", status=status)])
        assert (together.is_current(SITE), together.is_current("BOYO")) == (True, True)
    assert together.persist(HOST, ["Gi1"]).origin == SHARED
    assert together.agrees(SITE)
    assert together.agrees("BOYO")


def test_a_host_that_was_filed_under_another_site_leaves_it(together):
    together.persist("BOYO-1", ["Gi1"])
    together.persist(HOST, ["Gi1"])
    together.sql("UPDATE DeviceSummary SET Site = 'BOYO' WHERE Hostname = ?", HOST)
    assert HOST in together.repository.site("BOYO", refresh=True)
    report = together.persist(HOST, up("Gi1"))
    assert outcome(report) == (0, 1, 0, 0)
    assert together.agrees(SITE)
    assert not together.is_current("BOYO")
    together.persist("BOYO-1", ["Gi1"])
    assert together.agrees("BOYO")


def test_a_site_that_shows_the_hosts_of_another_is_not_current_when_those_change(world):
    world.persist(HOST, ["Gi1"])
    assert list(world.repository.site("WLLS1")) == [HOST]
    world.persist(HOST, up("Gi1"))
    assert not world.is_current("WLLS1") or world.agrees("WLLS1")


def test_a_site_that_would_show_a_new_host_of_another_is_not_current(world):
    world.persist(HOST, ["Gi1"])
    world.repository.site("WLLS1")
    world.persist(OTHER, ["Gi1"])
    assert not world.is_current("WLLS1") or world.agrees("WLLS1")


# Skip mode


def test_in_skip_mode_a_host_is_read_once_and_kept_as_it_was_written(make_world):  # X6, D9
    world = make_world(**SKIP)
    stored(world)
    origins = [world.persist(HOST, ports).origin for ports in (["Gi1"], up("Gi1"), up("Gi1"))]
    assert origins == [SKIPPED, KEPT, KEPT]
    assert world.rows("Status", f"Interfaces WHERE Hostname = '{HOST}'") == [("up",)]
    assert len(world.rows("*", f"InterfaceHistory WHERE Hostname = '{HOST}'")) == 4
    assert world.cache.peek(SITE) is None


def test_in_skip_mode_what_another_process_wrote_is_found(make_world):
    world = make_world(**SKIP)
    world.persist(HOST, ["Gi1"])
    World(world.folder).persist(HOST, up("Gi1"))
    report = world.persist(HOST, ["Gi1"])
    assert (outcome(report), report.origin) == ((0, 1, 0, 0), SKIPPED)
    assert world.persist(HOST, ["Gi1"]).origin == KEPT


@pytest.mark.parametrize("content", ["equal", "older", "of more ports", "of fewer ports"])
def test_in_skip_mode_rows_of_a_snapshot_save_a_read_or_do_no_harm(make_world, tmp_path, content):  # X7
    snapshot = tmp_path / "rows.clixml"
    first = make_world(**SKIP)
    ports = {"equal": up("Gi1", "Gi2"), "older": ["Gi1", "Gi2"], "of more ports": up("Gi1", "Gi2", "Gi3")}
    first.persist(HOST, ports.get(content, up("Gi1")))
    first.row_cache.export_snapshot(snapshot)
    first.persist(HOST, up("Gi1", "Gi2"))
    first.close()

    world = make_world(existing_row_snapshot=snapshot, **SKIP)
    report = world.persist(HOST, up("Gi1", "Gi2"))
    assert (outcome(report), report.origin) == ((0, 0, 2, 0), KEPT if content == "equal" else SKIPPED)
    assert [row[1:] for row in world.rows()] == [("Gi1", "up"), ("Gi2", "up")]
    assert world.persist(HOST, up("Gi1", "Gi2")).origin == KEPT


def test_in_skip_mode_rows_of_a_snapshot_are_stored_where_the_database_lost_them(make_world, tmp_path):  # X16
    snapshot = tmp_path / "rows.clixml"
    first = make_world(**SKIP)
    first.persist(HOST, up("Gi1", "Gi2"))
    first.row_cache.export_snapshot(snapshot)
    first.close()
    shutil.rmtree(first.path().parent)
    world = make_world(existing_row_snapshot=snapshot, **SKIP)
    assert outcome(world.persist(HOST, up("Gi1", "Gi2"))) == (2, 0, 0, 0)
    assert world.hydrated()[HOST]["Gi2"].status == "up"


def test_a_snapshot_of_rows_that_cannot_be_read_stops_nobody(make_world, tmp_path, caplog):
    world = make_world(existing_row_snapshot=tmp_path / "none.clixml", **SKIP)
    assert [world.persist(host, ["Gi1"]).origin for host in (HOST, OTHER)] == [SKIPPED, SKIPPED]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


# What fails


FAILING = "CREATE TRIGGER fail BEFORE {} BEGIN SELECT RAISE(ABORT, 'no room for it'); END"
STEPS = ["UPDATE ON DeviceSummary", "INSERT ON Interfaces", "INSERT ON InterfaceHistory", "INSERT ON SpanHistory"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("settings", [{}, SKIP, CACHE_OFF], ids=["", "skip", "cache off"])
def test_a_host_that_fails_is_told_and_changes_nothing(make_world, step, settings):  # X15, K9, K12
    world = make_world(**settings)
    world.persist(HOST, up("Gi1", "Gi2"))
    world.sql(FAILING.format(step))
    world.repository.site(SITE, refresh=True)
    database, entry, kept = world.hydrated(), world.cache.peek(SITE), world.row_cache.get(SITE, HOST)
    world.events.clear()
    with pytest.raises(DatabaseError, match="no room for it"):
        world.persist(HOST, ["Gi1", "Gi3"], spanning_tree=(SpanFacts("1"),), uptime="2 days")
    assert world.hydrated() == database
    assert world.cache.peek(SITE) == entry
    assert world.row_cache.get(SITE, HOST) == kept
    assert len(world.rows("*", "DeviceHistory")) == 1
    assert len(world.rows("*", "InterfaceHistory")) == 2
    (failure,) = world.events.of(InterfacePersistenceFailure)
    assert failure.hostname == HOST
    assert "no room for it" in failure.exception_message
    assert not {"RowsWritten", "InterfaceSyncTiming", "DatabaseWriteLatency"} & {*world.events.names}

    world.sql("DROP TRIGGER fail")
    assert outcome(world.persist(HOST, ["Gi1", "Gi3"])) == (1, 1, 0, 1)
    assert settings or (world.agrees() and world.is_current())


def test_a_host_that_fails_does_not_affect_the_others(world):  # K9
    world.persist(HOST, ["Gi1"])
    world.sql(FAILING.format(f"INSERT ON Interfaces WHEN NEW.Hostname = '{OTHER}'"))
    with pytest.raises(DatabaseError):
        world.persist(OTHER, ["Gi1"])
    assert outcome(world.persist(THIRD, ["Gi1"])) == (1, 0, 0, 0)
    assert [row[0] for row in world.rows()] == [HOST, THIRD]
    assert world.rows("Hostname", "DeviceSummary") == [(HOST,), (THIRD,)]
    assert world.agrees()
    assert world.is_current()


def test_a_host_whose_site_must_not_become_a_path_is_refused(world):
    with pytest.raises(UnsafeName):
        world.persist("../../etc-passwd", ["Gi1"])
    (failure,) = world.events.of(InterfacePersistenceFailure)
    assert (failure.hostname, failure.database_path) == ("../../etc-passwd", UNSET)
    assert not world.folder.exists()


def test_a_site_that_cannot_be_read_stops_the_host_and_keeps_the_cached_rows(world):
    cached(world)
    entry = world.cache.peek(SITE)
    world.sql("ALTER TABLE Interfaces RENAME COLUMN Config TO Other")
    with pytest.raises(HydrationFailed):
        world.persist(HOST, ["Gi1"])
    assert world.cache.peek(SITE) is entry
    assert len(world.events.of(InterfacePersistenceFailure)) == 1


# Whatever comes


names = st.sampled_from(["Gi1", "gi1", "GI1 ", "Gi2", "Te1/1", "10", "2", "Po1"])
values = st.sampled_from(["", "up", "x\0y", "\U0001f600", " "])
port_facts = st.builds(
    PortFacts,
    names,
    status=values,
    vlan=st.sampled_from(["", "trunk", "7"]),
    config=values,
    auth_template=st.sampled_from(["", "open", "own"]),
)
hosts = st.builds(
    device,
    st.sampled_from([HOST, HOST.lower(), OTHER, "BOYO-1"]),
    st.lists(port_facts, max_size=4),
    make=st.sampled_from(["Cisco", "Brocade"]),
    auth_block=st.sampled_from([(), ("aaa",)]),
)
actions = st.one_of(
    hosts,
    st.sampled_from(
        ["UPDATE Interfaces SET Status = 'q'", "DELETE FROM Interfaces WHERE Port = 'Gi1'", "clear", "read"]
    ),
)


@given(
    steps=st.lists(actions, min_size=1, max_size=8),
    together=st.booleans(),
    wanted=st.sampled_from([{}, {}, SKIP, CACHE_OFF, FORCED]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_ingested_in_between_everybody_sees_the_same_rows(tmp_path_factory, steps, together, wanted):
    folder = tmp_path_factory.mktemp("data")
    world = World(folder, database=folder / "all.sqlite" if together else None, **wanted)
    cached = wanted in ({}, FORCED)
    expected = {}
    try:
        world.persist(HOST, ["Gi1"])
        world.persist("BOYO-1", ["Gi1"])
        expected[fold(HOST)] = expected["BOYO-1"] = canonical(device(HOST, ["Gi1"])).ports
        for step in steps:
            if step == "clear":
                world.cache.clear()
            elif step == "read":
                world.repository.site(SITE)
            elif isinstance(step, str):
                world.sql(step)
                expected = {}
            else:
                facts = canonical(step)
                world.persistence.persist(step)
                if facts.ports:
                    expected[fold(facts.hostname)] = facts.ports
                assert not cached or (world.agrees(facts.site) and world.is_current(facts.site))
        for host, ports in expected.items():
            rows = world.hydrated(host.partition("-")[0]).hosts.get(host) or {}
            assert {fold(port): observed_of(row) for port, row in rows.items()} == {
                fold(port): observed for port, observed in ports.items()
            }
        for site in (SITE, "BOYO"):
            assert not world.is_current(site) or world.agrees(site)
    finally:
        world.close()

"""One host into its database (reference: parser-persistence 4 to 7)."""

from __future__ import annotations

import threading

import msgspec
import pytest
from world import HOST, OTHER, RUN_DATE, SITE, device

from statetrace.errors import DatabaseError
from statetrace.model import CaseInsensitiveMap, DatabaseState, HostPorts, PortFacts, SpanFacts
from statetrace.persistence import Known, canonical, compare_host, write_host
from statetrace.persistence.canonical import RowMaker, observed_of

UP, DOWN = {"status": "up"}, {"status": "down"}
LATER = "2026-01-07 00:00:00"


def port(port, **values):
    return PortFacts(port, **values)


@pytest.fixture
def database(world):
    return world.databases.made(SITE)


@pytest.fixture
def write(world, database):
    """Write a host, and see that its rows are stored as the outcome says."""

    def run(facts, *, known=None, run_date=RUN_DATE, allow_empty=False):
        written = write_host(
            database,
            canonical(facts),
            world.repository.templates,
            known=known,
            run_date=run_date,
            allow_empty=allow_empty,
        )
        fresh = world.hydrated().hosts.get(facts.hostname) or HostPorts()
        assert (fresh, list(fresh)) == (written.diff.rows, list(written.diff.rows))
        assert written.after == database.state() != written.before
        return written

    return run


def outcome(written):
    diff = written.diff
    return list(diff.inserted), list(diff.changed), diff.unchanged, list(diff.obsolete)


def known_after(written):
    return Known(written.diff.rows, written.after)


# What is written


def test_a_new_host_is_stored_with_its_place_its_ports_and_their_history(write, world):
    facts = device(
        ports=[port("Gi1/0/1", name="desk", vlan="trunk", config="x"), port("Gi1/0/2", vlan="20")],
        model="C9300",
        uptime="1 day",
        building="B",
        room="R",
        auth_default_vlan="40",
        auth_block=("one", "two"),
    )
    written = write(facts)
    assert outcome(written) == (["Gi1/0/1", "Gi1/0/2"], [], 0, [])
    summary = ("Cisco", "C9300", "1 day", SITE, "B", "R", 2, "40", "one\r\ntwo")
    assert world.rows("*", "DeviceSummary") == [(HOST, *summary)]
    assert world.rows("*", "DeviceHistory") == [(1, HOST, RUN_DATE, *summary)]
    rows = [
        ("Gi1/0/1", "desk", "", 0, "", "", "", "", "", "", "", "", "x", "", "", ""),
        ("Gi1/0/2", "", "", 20, "", "", "", "", "", "", "", "", "", "", "", ""),
    ]
    assert world.rows("*", "Interfaces") == [(1, HOST, *rows[0]), (2, HOST, *rows[1])]
    assert world.rows("*", "InterfaceHistory") == [(1, HOST, RUN_DATE, *rows[0]), (2, HOST, RUN_DATE, *rows[1])]


def test_an_unchanged_host_gets_a_device_history_and_nothing_else(write, world):  # X2, K2
    facts = device(ports=[port(f"Gi1/0/{number}", vlan=str(number)) for number in range(1, 49)])
    write(facts)
    before = world.rows("*")
    written = write(facts, run_date=LATER)
    assert outcome(written) == ([], [], 48, [])
    assert (written.existing, written.existing_sample[:2], written.loaded) == (48, ("Gi1/0/1", "Gi1/0/2"), True)
    assert world.rows("*") == before
    assert world.rows("RunDate", "DeviceHistory") == [(RUN_DATE,), (LATER,)]
    assert len(world.rows("*", "InterfaceHistory")) == 48


@pytest.mark.parametrize("of_what", ["loaded", "known"])
def test_what_changed_is_updated_in_place_what_is_new_inserted_what_is_gone_deleted(write, world, of_what):  # X3, K3
    first = write(device(ports=[port("1/1", **DOWN), port("1/2", **UP), port("1/3", **UP)]))
    written = write(
        device(ports=[port("1/1", **UP), port("1/2", **UP), port("1/4", **UP)]),
        known=known_after(first) if of_what == "known" else None,
        run_date=LATER,
    )
    assert written.loaded == (of_what == "loaded")
    assert outcome(written) == (["1/4"], ["1/1"], 1, ["1/3"])
    assert world.rows("ID, Port, Status") == [(1, "1/1", "up"), (2, "1/2", "up"), (4, "1/4", "up")]
    history = world.rows("Port, Status", "InterfaceHistory WHERE RunDate = '2026-01-07 00:00:00'")
    assert sorted(history) == [("1/1", "up"), ("1/4", "up")]
    assert world.rows("Ports", "DeviceSummary") == [(3,)]


def test_spanning_tree_is_replaced_and_its_history_grows(write, world):  # X5
    spans = (SpanFacts("1", "root", "Gi1", "Desg", "up"), SpanFacts("2"))
    write(device(spanning_tree=spans))
    write(device(spanning_tree=spans[:1]), run_date=LATER)
    span = ("1", "root", "Gi1", "Desg", "up")
    assert world.rows("*", "SpanInfo") == [(HOST, *span, LATER)]
    assert [row[1:] for row in world.rows("*", "SpanHistory")] == [
        (HOST, RUN_DATE, *span), (HOST, RUN_DATE, "2", "", "", "", ""), (HOST, LATER, *span),
    ]  # fmt: skip
    write(device())
    assert world.rows("*", "SpanInfo") == []
    assert len(world.rows("*", "SpanHistory")) == 3


def test_only_the_hosts_own_rows_change(write, world):
    write(device(OTHER, [port("Gi1", **UP)], spanning_tree=(SpanFacts("1"),)))
    write(device(HOST, [port("Gi1", **UP)]))
    write(device(HOST, [], make="Brocade"), allow_empty=True)
    assert world.rows() == [(OTHER, "Gi1", "up")]
    assert world.rows("Hostname, Make", "DeviceSummary") == [(OTHER, "Cisco"), (HOST, "Brocade")]
    assert world.rows("Hostname", "SpanInfo") == [(OTHER,)]


def test_a_host_and_its_ports_are_the_same_in_any_case(write, world):  # K1
    write(device(ports=["Gi1", "Gi2"]))
    written = write(device(HOST.lower(), [port("gi1"), port("GI2", **UP), port("gi3")]))
    assert outcome(written) == (["gi3"], ["Gi2"], 1, [])
    assert [row[:2] for row in world.rows()] == [(HOST, "Gi1"), (HOST, "Gi2"), (HOST.lower(), "gi3")]
    assert world.rows("Hostname", "DeviceSummary") == [(HOST,)]


def test_of_a_port_that_comes_twice_one_row_is_written_and_one_history(write, world):  # D7
    written = write(device(ports=[port("Gi1", **UP), port("gi1", **DOWN)]))
    assert outcome(written) == (["Gi1"], [], 0, [])
    assert world.rows() == [(HOST, "Gi1", "down")]
    assert world.rows("Port, Status", "InterfaceHistory") == [("Gi1", "down")]


@pytest.mark.parametrize(
    "text",
    ["a\0b", "\U0001f600", "'; DROP TABLE Interfaces; --", '"', "%s ? :name {}", "\u2028\r\n\t", "x" * 1_000_000],
    ids=["nul", "emoji", "quote", "double quote", "placeholders", "line ends", "a million"],
)
def test_any_text_is_stored_as_it_is(write, world, text):
    facts = device(
        ports=[port("Gi1", name=text, config=text, learned_macs=text)],
        model=text,
        auth_block=(text,),
        spanning_tree=(SpanFacts(text, text),),
    )
    write(facts)
    assert outcome(write(facts)) == ([], [], 1, [])
    assert world.rows("Name, Config, LearnedMACs") == [(text, text, text)]
    assert world.rows("Model, AuthBlock", "DeviceSummary") == [(text, text)]
    assert world.rows("Vlan, RootSwitch", "SpanInfo") == [(text, text)]


@pytest.mark.parametrize("name", ["'", '"', "]", "\U0001f600", "é", "a b", "%", "_", "x" * 5000])
def test_any_name_of_a_port_is_found_again(write, name):
    write(device(ports=[name, "Gi1"]))
    assert outcome(write(device(ports=[port(name, **UP)]))) == ([], [name], 0, ["Gi1"])
    assert outcome(write(device(ports=["Gi2"]))) == (["Gi2"], [], 0, [name])


# A log without ports


def test_a_log_without_ports_leaves_the_rows_alone(write, world):  # D17
    write(device(ports=["Gi1", "Gi2"]))
    for found, allowed in ((False, False), (False, True), (True, False)):
        facts = msgspec.structs.replace(device(uptime="2 days"), interfaces_found=found)
        assert outcome(write(facts, allow_empty=allowed)) == ([], [], 2, [])
    assert world.rows("Uptime, Ports", "DeviceSummary") == [("2 days", 2)]


def test_an_empty_table_removes_the_rows_where_that_is_asked_for(write, world):  # X4
    write(device(ports=["Gi1", "Gi2"]))
    assert outcome(write(device(), allow_empty=True)) == ([], [], 0, ["Gi1", "Gi2"])
    assert world.rows() == []
    assert len(world.rows("*", "InterfaceHistory")) == 2
    assert world.rows("Ports", "DeviceSummary") == [(0,)]


# What is known, and what the database says


def test_known_rows_count_only_in_the_state_that_they_are_known_in(write, world):  # decision 9
    first = write(device(ports=[port("Gi1", **DOWN)]))
    world.sql("UPDATE Interfaces SET Status = 'up'")
    written = write(device(ports=[port("Gi1", **DOWN)]), known=known_after(first))
    assert written.loaded
    assert outcome(written) == ([], ["Gi1"], 0, [])


def test_a_state_that_another_process_saw_is_the_same_state(write):
    first = write(device(ports=["Gi1"]))
    state = msgspec.structs.replace(first.after, commits="another.1")
    assert not write(device(ports=["Gi1"]), known=Known(first.diff.rows, state)).loaded


def test_a_state_without_a_mark_is_none(write):
    first = write(device(ports=["Gi1"]))
    assert write(device(ports=["Gi1"]), known=Known(first.diff.rows, DatabaseState(first.after.identity))).loaded


def test_rows_of_no_known_state_are_trusted_to_be_unchanged(write):  # X7
    first = write(device(ports=["Gi1"]))
    written = write(device(ports=["Gi1"]), known=Known(first.diff.rows, None))
    assert not written.loaded
    assert outcome(written) == ([], [], 1, [])


def test_of_no_known_state_no_row_is_changed_that_was_not_read(write, world):
    first = write(device(ports=[port("Gi1", **DOWN)]))
    world.sql("UPDATE Interfaces SET Status = 'up'")
    written = write(device(ports=[port("Gi1", **UP)]), known=Known(first.diff.rows, None))
    assert written.loaded
    assert written.diff.empty
    assert len(world.rows("*", "InterfaceHistory")) == 1


CONTRADICTIONS = {
    "all gone": "DELETE FROM Interfaces",
    "the unchanged one gone": "DELETE FROM Interfaces WHERE Port = 'Gi1'",
    "the changed one gone": "DELETE FROM Interfaces WHERE Port = 'Gi2'",
    "the obsolete one gone": "DELETE FROM Interfaces WHERE Port = 'Gi3'",
    "the new one there": f"INSERT INTO Interfaces (Hostname, Port, VLAN) VALUES ('{HOST}', 'Gi4', 9)",
    "one there that nobody knows": f"INSERT INTO Interfaces (Hostname, Port, VLAN) VALUES ('{HOST}', 'Gi9', 9)",
    "the new one there in place of another": "UPDATE Interfaces SET Port = 'gi4' WHERE Port = 'Gi1'",
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
@pytest.mark.parametrize("stateless", [True, False])
def test_a_database_that_contradicts_is_set_right(write, world, contradiction, stateless):  # D8, X16
    first = write(device(ports=["Gi1", "Gi2", "Gi3"]))
    world.sql(contradiction)
    there = {name.casefold() for _, name, _ in world.rows()}
    # With a state: of two that look the same to the file system, as after a backup was put in place.
    state = None if stateless else world.databases.open(SITE).state()
    written = write(
        device(ports=[port("Gi1"), port("Gi2", **UP), port("Gi4", vlan="4")]),
        known=Known(first.diff.rows, state),
        run_date=LATER,
    )
    assert written.loaded
    assert sorted((name.casefold(), status) for _, name, status in world.rows()) == [
        ("gi1", ""),
        ("gi2", "up"),
        ("gi4", ""),
    ]
    assert {name.casefold() for name in written.diff.inserted} == {"gi1", "gi2", "gi4"} - there
    history = world.rows("Port", f"InterfaceHistory WHERE RunDate = '{LATER}'")
    assert sorted(name for (name,) in history) == sorted([*written.diff.inserted, *written.diff.changed])
    assert world.rows("RunDate", "DeviceHistory") == [(RUN_DATE,), (LATER,)]


@pytest.mark.parametrize("contradiction", list(CONTRADICTIONS.values())[:-1], ids=list(CONTRADICTIONS)[:-1])
def test_a_database_that_lost_rows_gets_them_though_the_log_did_not_change(write, world, contradiction):  # D8, X16
    facts = device(ports=["Gi1", "Gi2", "Gi3"])
    first = write(facts)
    world.sql(contradiction)
    written = write(facts, known=Known(first.diff.rows, None))
    assert written.loaded
    assert [row[1] for row in sorted(world.rows())] == ["Gi1", "Gi2", "Gi3"]


def test_a_host_that_is_filed_under_another_site_is_found_all_the_same(write, world):
    write(device(ports=[port("Gi1", **DOWN)]))
    world.sql("UPDATE DeviceSummary SET Site = 'BOYO'")
    state = world.databases.open(SITE).state()
    written = write(device(ports=[port("Gi1", **UP)]), known=Known(HostPorts(), state))
    assert written.loaded
    assert outcome(written) == ([], ["Gi1"], 0, [])
    assert world.rows("Site", "DeviceSummary") == [(SITE,)]


FOREIGN = {
    "blanks around a port": "UPDATE Interfaces SET Port = ' Gi1 ' WHERE Port = 'Gi1'",
    "blanks around an obsolete port": "UPDATE Interfaces SET Port = 'Gi3 ' WHERE Port = 'Gi3'",
    "a port twice": f"INSERT INTO Interfaces (Hostname, Port, Name) VALUES ('{HOST}', 'Gi2', 'again')",
    "a blank port": f"INSERT INTO Interfaces (Hostname, Port) VALUES ('{HOST}', ' ')",
}


@pytest.mark.parametrize("statement", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("known", [True, False])
def test_rows_that_no_statement_of_ours_can_tell_apart_are_stored_anew(write, world, statement, known):
    facts = device(ports=[port("Gi1", **UP), port("Gi2")])
    first = write(device(ports=["Gi1", "Gi2", "Gi3"]))
    world.sql("DROP INDEX idx_interfaces_host_port")
    world.sql(statement)
    state = world.databases.open(SITE).state()
    write(facts, known=Known(first.diff.rows, state) if known else None)
    assert sorted(row[1:] for row in world.rows()) == [("Gi1", "up"), ("Gi2", "")]
    assert write(facts).diff.empty


def test_nulls_are_empty_texts_and_what_is_stored_of_derived_values_is_kept(write, world):
    first = write(device(ports=[port("Gi1", auth_template="open"), port("Gi2")]))
    world.sql("UPDATE Interfaces SET Name = NULL, VLAN = NULL, Config = NULL, PortColor = 'Pink', ToolTip = 'tip '")
    written = write(device(ports=[port("Gi1", auth_template="open", vlan="x"), port("Gi2", **UP)]))
    assert outcome(written) == ([], ["Gi2"], 1, [])
    kept = written.diff.rows["Gi1"]
    assert (kept.port_color, kept.compliance, kept.tooltip) == ("Pink", first.diff.rows["Gi1"].compliance, "tip")
    # In place of what a template says, a colour is not to be trusted beyond this state of the database.
    assert write(
        device(ports=[port("Gi1", auth_template="open"), port("Gi2", **UP)]), known=known_after(written)
    ).loaded


def test_of_another_make_a_port_gets_the_colour_of_that_makes_template(make_world, tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    for make, color in (("Cisco", "Red"), ("Brocade", "Blue")):
        (folder / f"{make}.json").write_text(f'{{"templates": [{{"name": "open", "color": "{color}"}}]}}')
    world = make_world(templates=folder)
    ports = [port("Gi1", auth_template="open")]
    world.persist(ports=ports)
    report = world.persist(ports=ports, make="Brocade")
    assert (report.changed, report.unchanged) == (0, 1)
    assert world.cache.peek(SITE)[HOST]["Gi1"].port_color == "Blue"
    assert world.agrees()
    assert world.is_current()


# All or nothing


TABLES = ("DeviceSummary", "DeviceHistory", "Interfaces", "InterfaceHistory", "SpanInfo", "SpanHistory")
STEPS = [
    ("UPDATE", "DeviceSummary"), ("INSERT", "DeviceHistory"), ("DELETE", "Interfaces"), ("UPDATE", "Interfaces"),
    ("INSERT", "Interfaces"), ("INSERT", "InterfaceHistory"), ("DELETE", "SpanInfo"), ("INSERT", "SpanInfo"),
    ("INSERT", "SpanHistory"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "table"), STEPS)
@pytest.mark.parametrize("known", [True, False])
def test_a_statement_that_fails_leaves_everything_as_it_was(write, world, action, table, known):  # X15, K12
    first = write(device(ports=["Gi1", "Gi2", "Gi3"], spanning_tree=(SpanFacts("1"),)))
    before = [world.rows("*", name) for name in TABLES]
    facts = device(ports=["Gi1", port("Gi2", **UP), "Gi4"], spanning_tree=(SpanFacts("2"),), uptime="2 days")
    world.sql(f"CREATE TRIGGER fail BEFORE {action} ON {table} BEGIN SELECT RAISE(ABORT, 'no room for it'); END")
    state = world.databases.open(SITE).state()
    with pytest.raises(DatabaseError, match="no room for it"):
        write(facts, known=Known(first.diff.rows, state) if known else None)
    assert [world.rows("*", name) for name in TABLES] == before
    assert world.rows("*", "InterfaceBulkSeed") == []  # K10
    world.sql("DROP TRIGGER fail")
    assert outcome(write(facts)) == (["Gi4"], ["Gi2"], 1, ["Gi3"])


def test_a_text_that_no_database_can_hold_is_refused_whole(write, world):
    with pytest.raises(DatabaseError):
        write(device(ports=[port("Gi1"), port("Gi2", name="\ud800")]))
    assert [world.rows("*", name) for name in TABLES] == [[]] * len(TABLES)


def test_hosts_that_are_written_at_once_are_all_stored(world, database):
    templates = world.repository.templates
    failures = []

    def store(number):
        try:
            for uptime in "123":
                facts = device(f"{SITE}-A01-AS-{number:02}", [port(f"Gi{n}", name=uptime) for n in range(5)])
                write_host(database, canonical(facts), templates, known=None, run_date=RUN_DATE)
        except Exception as error:  # noqa: BLE001  # shown below
            failures.append(error)

    threads = [threading.Thread(target=store, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert {ports["Gi0"].name for ports in world.hydrated().values()} == {"3"}
    assert len(world.rows("*", "DeviceHistory")) == 12
    assert len(world.rows("*", "InterfaceHistory")) == 60


# Without writing


def test_a_comparison_tells_what_a_write_would_do_and_does_nothing(write, world, database):
    facts = device(ports=[port("1/1", **UP), port("1/4")])
    templates = world.repository.templates
    existing, diff = compare_host(None, canonical(facts), templates)
    assert (dict(existing), list(diff.inserted)) == ({}, ["1/1", "1/4"])
    write(device(ports=["1/1", "1/3"]))
    before, state = [world.rows("*", name) for name in TABLES], database.state()
    existing, diff = compare_host(database, canonical(facts), templates)
    assert list(existing) == ["1/1", "1/3"]
    assert (list(diff.inserted), list(diff.changed), diff.obsolete) == (["1/4"], ["1/1"], ("1/3",))
    assert ([world.rows("*", name) for name in TABLES], database.state()) == (before, state)
    assert compare_host(database, canonical(device()), templates)[1].empty
    assert compare_host(database, canonical(device()), templates, allow_empty=True)[1].obsolete == ("1/1", "1/3")
    written = write(facts)
    assert written.diff.rows == diff.rows


def test_rows_are_read_as_a_hydration_reads_them(write, world, database):
    write(device(ports=[port("Gi1", auth_template="macauth", config="c"), port("Te1/1/1"), port("10"), port("2")]))
    world.sql("UPDATE Interfaces SET ConfigStatus = ' ', PortColor = ' Pink ', ToolTip = ' t ' WHERE Port = 'Gi1'")
    existing, _ = compare_host(database, canonical(device()), world.repository.templates)
    assert (existing, list(existing)) == (world.hydrated()[HOST], list(world.hydrated()[HOST]))
    make = RowMaker(world.repository.templates, "Cisco")
    assert CaseInsensitiveMap(
        (name, make.row(name, observed_of(row))) for name, row in existing.without(["Gi1"]).items()
    ) == existing.without(["Gi1"])


# What may have been stored before


def test_a_host_that_an_earlier_attempt_stored_is_left_as_it_is(world, database):
    facts = canonical(device(ports=("1/1", "1/2"), spanning_tree=(SpanFacts("10"),)))
    write_host(database, facts, world.repository.templates, known=None, run_date=RUN_DATE)
    before = database.state()
    again = write_host(database, facts, world.repository.templates, known=None, run_date=RUN_DATE, once=True)
    assert (again.stored_before, again.diff.unchanged, again.after) == (True, 2, before)
    for table in ("DeviceHistory", "SpanHistory"):
        assert world.rows("COUNT(*)", table) == [(1,)]


def test_a_host_that_an_earlier_attempt_did_not_store_is_stored_with_its_histories(world, database):
    facts = canonical(device(ports=("1/1",), spanning_tree=(SpanFacts("10"),)))
    write_host(database, facts, world.repository.templates, known=None, run_date=RUN_DATE)
    # Nothing was changed, but that was at another time.
    again = write_host(database, facts, world.repository.templates, known=None, run_date=LATER, once=True)
    assert (again.stored_before, again.diff.empty) == (False, True)
    for table in ("DeviceHistory", "SpanHistory"):
        assert world.rows("RunDate", table) == [(RUN_DATE,), (LATER,)]


def test_rows_that_differ_are_stored_whatever_was_stored_before(world, database):
    templates = world.repository.templates
    write_host(database, canonical(device(ports=("1/1",))), templates, known=None, run_date=RUN_DATE)
    facts = canonical(device(ports=("1/1", "1/2")))
    again = write_host(database, facts, templates, known=None, run_date=RUN_DATE, once=True)
    assert (again.stored_before, list(again.diff.inserted)) == (False, ["1/2"])
    assert world.rows("COUNT(*)", "DeviceHistory") == [(2,)]

"""The statements that store a host, on SQLite and in the words of the real Access dialect."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from statetrace.database import open_database, schema, statements
from statetrace.database.statements import Statement
from statetrace.errors import DatabaseError
from statetrace.model import AuthTemplates, CaseInsensitiveMap, DeviceFacts, HostPorts, PortFacts, SpanFacts
from statetrace.persistence import Known, canonical, compare_host, write_host
from statetrace.repository import HintCache
from statetrace.repository.hydration import hydrate_site

DATE, LATER = "2026-01-06 13:28:32", "2026-01-07 00:00:00"
HOST, OTHER = "BOYO-A05-AS-02", "BOYO-A05-AS-05"
DEVICE = ("Cisco", "C9300", "1 day", "BOYO", "B", "R", 2, "40", "a\r\nb")
DATA = ("desk", "up", 20, "full", "1G", "copper", "aa", "auth", "dot1x", "bb", "open", "config", "Red", "Match", "tip")
SPAN = ("1", "root", "Gi1", "Desg", "up")
TABLES = (
    schema.device_summary,
    schema.device_history,
    schema.interfaces,
    schema.interface_history,
    schema.span_info,
    schema.span_history,
)


@pytest.fixture(params=["sqlite", pytest.param("access", marks=pytest.mark.sqliteodbc)])
def database(request, tmp_path):
    """An empty database of either dialect."""
    if request.param == "access":
        yield request.getfixturevalue("access")()
        return
    with open_database(tmp_path / "SITE.sqlite", create=True) as database:
        yield database


def rows(database, table):
    """All rows without their IDs, dates as texts."""
    columns = [column for column in table.c if column.name != "ID"]
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns))]


def run(database, *batches):
    """Insert devices, batch by batch, in one transaction."""
    with database.begin() as connection:
        for batch in batches:
            statements.insert_device.run(connection, batch)


def test_every_statement_stores_what_it_is_given(database):
    with database.begin() as connection:
        assert statements.insert_device.run(connection, [(HOST, *DEVICE), (OTHER, *DEVICE)]) == 2
        statements.insert_device_history.run(connection, [(HOST, DATE, *DEVICE)])
        statements.insert_interface.run(connection, [(HOST, "Gi1", *DATA), (HOST, "Gi2", *DATA)])
        statements.insert_interface_history.run(connection, [(HOST, DATE, "Gi1", *DATA)])
        statements.insert_spanning_tree.run(connection, [(HOST, *SPAN, DATE)])
        statements.insert_spanning_tree_history.run(connection, [(HOST, DATE, *SPAN)])
    assert rows(database, schema.device_summary) == [(HOST, *DEVICE), (OTHER, *DEVICE)]
    assert rows(database, schema.device_history) == [(HOST, DATE, *DEVICE)]
    assert rows(database, schema.interfaces) == [(HOST, "Gi1", *DATA), (HOST, "Gi2", *DATA)]
    assert rows(database, schema.interface_history) == [(HOST, DATE, "Gi1", *DATA)]
    assert rows(database, schema.span_info) == [(HOST, *SPAN, DATE)]
    assert rows(database, schema.span_history) == [(HOST, DATE, *SPAN)]


def test_updates_and_deletes_tell_how_many_rows_were_there(database):
    changed = ("other", *DATA[1:])
    with database.begin() as connection:
        statements.insert_device.run(connection, [(HOST, *DEVICE)])
        statements.insert_interface.run(connection, [(HOST, port, *DATA) for port in ("Gi1", "Gi2", "Gi3")])
        statements.insert_spanning_tree.run(connection, [(HOST, *SPAN, DATE), (OTHER, *SPAN, DATE)])
        assert statements.update_device.run(connection, [("Brocade", *DEVICE[1:], HOST)]) == 1
        assert statements.update_device.run(connection, [(*DEVICE, OTHER)]) == 0
        assert (
            statements.update_interface.run(
                connection, [(*changed, HOST, "Gi1"), (*changed, HOST, "Gi2"), (*changed, HOST, "Gi9")]
            )
            == 2
        )
        assert statements.delete_interface.run(connection, [(HOST, "Gi3"), (HOST, "Gi9"), (OTHER, "Gi1")]) == 1
        assert statements.delete_spanning_tree.run(connection, [(HOST,)]) == 1
        assert statements.host_row_count.rows(connection, (HOST,))[0][0] == 2
        assert [tuple(row) for row in statements.host_interfaces.rows(connection, (HOST,))] == [
            ("Gi1", *changed), ("Gi2", *changed),
        ]  # fmt: skip
        assert statements.delete_interfaces.run(connection, [(HOST,)]) == 2
        assert statements.host_row_count.rows(connection, (HOST,))[0][0] == 0
    assert rows(database, schema.device_summary) == [(HOST, "Brocade", *DEVICE[1:])]
    assert rows(database, schema.span_info) == [(OTHER, *SPAN, DATE)]


def test_the_history_of_a_device_is_found_by_host_and_date(database):
    with database.begin() as connection:
        statements.insert_device_history.run(connection, [(HOST, DATE, *DEVICE), (HOST, DATE, *DEVICE)])
        statements.insert_device_history.run(connection, [(HOST, LATER, *DEVICE), (OTHER, DATE, *DEVICE)])
        counts = {
            (host, date): statements.device_history_count.rows(connection, (host, date))[0][0]
            for host in (HOST, OTHER)
            for date in (DATE, LATER)
        }
    assert counts == {(HOST, DATE): 2, (HOST, LATER): 1, (OTHER, DATE): 1, (OTHER, LATER): 0}


def test_for_no_rows_nothing_is_sent(database):
    with database.connect() as connection:
        assert statements.insert_device.run(connection, []) == 0


def test_an_empty_date_is_stored_and_read_as_none(database):
    with database.begin() as connection:
        statements.insert_spanning_tree.run(connection, [(HOST, *SPAN, ""), (HOST, *SPAN, DATE)])
    assert [row[-1] or "" for row in rows(database, schema.span_info)] == ["", DATE]


def test_what_fails_takes_everything_back(database):
    with pytest.raises(DatabaseError):
        run(database, [(HOST, *DEVICE)], [(OTHER, *DEVICE), (HOST, *DEVICE)])
    assert rows(database, schema.device_summary) == []


def test_parameters_come_in_the_order_of_their_names_not_of_the_statement(database):
    table = schema.device_summary
    statement = Statement(
        sa.update(table).values(Model=sa.bindparam("model")).where(table.c.Hostname == sa.bindparam("host")),
        ["host", "model"],
    )
    with database.begin() as connection:
        statements.insert_device.run(connection, [(HOST, *DEVICE)])
        assert statement.run(connection, [(HOST, "C9500")]) == 1
    assert rows(database, table)[0][2] == "C9500"


@pytest.mark.sqliteodbc
def test_statements_stay_within_what_access_understands(access):
    every = [one for one in vars(statements).values() if isinstance(one, Statement)]
    assert len(every) >= 12
    with access().connect() as connection:
        for one in every:
            text, _ = one._compile(connection.dialect)
            assert text.startswith(("INSERT INTO [", "UPDATE [", "DELETE FROM [", "SELECT ")), text
            assert not any(word in text for word in (" LIMIT ", " COLLATE ", " CAST", " RETURNING", "CONFLICT"))


# A host, whole


def facts(*ports, **values):
    return canonical(DeviceFacts(HOST, "Brocade", ports=ports, interfaces_found=True, auth_block=("aaa",), **values))


FIRST = facts(
    PortFacts("1/1/1", "a", "Down", "trunk", "Full", "1G", "Access", "aa,bb", "Open", "open", "cc", "open", "config"),
    PortFacts("1/1/2", auth_template="dot1x"),
    PortFacts("1/1/3", name="\U0001f600 'quoted' \"twice\""),
    uptime="1 day",
    spanning_tree=(SpanFacts(*SPAN), SpanFacts("2")),
)
SECOND = facts(
    PortFacts("1/1/1", "a", "Up", "20", "Full", "1G", "Access", "aa,bb", "Open", "open", "cc", "open", "config"),
    PortFacts("1/1/2", auth_template="dot1x"),
    PortFacts("1/1/10", config="x" * 70_000),
    spanning_tree=(SpanFacts("2"),),
)
NO_PORTS = facts()


def store(database, host, known, date=DATE):
    return write_host(database, host, AuthTemplates.load(), known=known, run_date=date, allow_empty=True)


def hydrated(database):
    entry = hydrate_site("BOYO", database, previous=None, templates=HintCache(), refresh=False).entry
    return entry.hosts.get(HOST) or HostPorts()


@pytest.mark.parametrize("knowing", [False, True])
@pytest.mark.parametrize(
    "steps", list(itertools.permutations([FIRST, SECOND, NO_PORTS], 2)), ids=["12", "10", "21", "20", "01", "02"]
)
def test_a_host_is_stored_and_read_back_whatever_the_database(database, steps, knowing):
    known = None
    for host in (*steps, steps[-1]):
        written = store(database, host, known)
        assert written.loaded == (known is None)
        assert hydrated(database) == written.diff.rows
        assert compare_host(database, host, AuthTemplates.load(), allow_empty=True)[1].empty
        known = Known(written.diff.rows, database.state()) if knowing else None
    assert written.diff.empty
    assert len(rows(database, schema.device_summary)) == 1
    assert len(rows(database, schema.device_history)) == 3
    assert [row[1] for row in rows(database, schema.span_info)] == [span.vlan for span in steps[-1].spanning_tree]


@pytest.mark.sqliteodbc
def test_both_databases_hold_the_same_after_the_same(access, tmp_path):
    with open_database(tmp_path / "SITE.sqlite", create=True) as sqlite:
        both = [access(), sqlite]
        for database in both:
            store(database, FIRST, None)
            store(database, SECOND, None, LATER)
        for table in TABLES:
            assert rows(both[0], table) == rows(both[1], table), table.name
        assert hydrated(both[0]) == hydrated(both[1]) == CaseInsensitiveMap(hydrated(sqlite))


@pytest.mark.parametrize(
    "statement", ["DELETE FROM Interfaces", "UPDATE Interfaces SET Port = '1/1/9' WHERE Port = '1/1/1'"]
)
def test_a_database_that_contradicts_is_set_right_whatever_it_is(database, statement):
    written = store(database, FIRST, None)
    with database.begin() as connection:
        connection.exec_driver_sql(statement)
    again = store(database, SECOND, Known(written.diff.rows, database.state()), LATER)
    assert again.loaded
    assert list(hydrated(database)) == ["1/1/1", "1/1/2", "1/1/10"]
    assert len(rows(database, schema.device_history)) == 2


def test_of_a_port_that_is_stored_twice_one_row_remains(database, raw):
    store(database, FIRST, None)
    foreign = raw(database.path)
    foreign.execute("DROP INDEX idx_interfaces_host_port")
    foreign.execute("INSERT INTO Interfaces (Hostname, Port, Name, VLAN) VALUES (?, '1/1/1', 'late', 1)", (HOST,))
    foreign.commit()
    written = store(database, FIRST, Known(hydrated(database), database.state()))
    assert hydrated(database) == written.diff.rows
    assert sorted(row[1] for row in rows(database, schema.interfaces)) == ["1/1/1", "1/1/2", "1/1/3"]

"""What the statements find, and in which order."""

from __future__ import annotations

import pytest

from statetrace.database import queries, schema


def rows(database, statement):
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_the_site_query_has_the_originals_columns(database):
    """Reference: access-database 7.2, R2."""
    with database.connect() as connection:
        names = tuple(connection.execute(queries.site_interfaces("BOYO")).keys())
    assert " ".join(names) == (
        "Hostname Port Name Status VLAN Duplex Speed Type LearnedMACs AuthState AuthMode AuthClientMAC Site Building Room "
        "Make AuthTemplate Config ConfigStatus PortColor ToolTip"
    )


def test_interfaces_of_a_site_come_in_text_order_with_their_device(database):
    found = rows(database, queries.site_interfaces("BOYO"))
    assert [row[1] for row in found] == ["Et1/1/1", "Et1/1/10", "Et1/1/2"]
    assert {row[12:16] for row in found} == {("BOYO", "5", "", "Brocade")}
    assert found[1][4] == 20


@pytest.mark.parametrize("site", ["boyo", "BOYO", "Boyo"])
def test_sites_are_found_in_any_case(database, site):
    assert len(rows(database, queries.site_interfaces(site))) == 3


def test_letters_alone_and_the_historical_form_stand_for_a_site(database):
    """``BOYO7`` also reads ``BOYO``; hosts of ``LAB`` were stored under ``LAB-``."""
    assert len(rows(database, queries.site_interfaces("BOYO7"))) == 3
    assert [row[0] for row in rows(database, queries.site_interfaces("LAB"))] == ["LAB-SW1"]
    assert queries.stored_sites("WLLS1") == ("WLLS1", "WLLS")
    assert queries.stored_sites("LAB") == ("LAB", "LAB-")


def test_a_hostile_name_is_a_value(database):
    assert rows(database, queries.site_interfaces("x' OR 'a'='a")) == []


def test_devices_and_sites(database):
    assert [row[0] for row in rows(database, queries.devices())] == ["BOYO-A05-AS-02", "LAB-SW1"]
    assert [row[0] for row in rows(database, queries.devices("lab"))] == ["LAB-SW1"]
    assert [row[0] for row in rows(database, queries.device("lab-sw1"))] == ["LAB-SW1"]
    assert rows(database, queries.site_hosts()) == [("BOYO", "BOYO-A05-AS-02"), ("LAB-", "LAB-SW1")]


def test_spanning_tree_order(database):
    span = [("VLAN0030", "a", "Gi2"), ("vlan0010", "b", "Gi1"), ("VLAN0030", "b", "Gi1")]
    with database.begin() as connection:
        connection.execute(
            schema.span_info.insert(),
            [
                {
                    "Hostname": "LAB-SW1",
                    "Vlan": vlan,
                    "RootSwitch": root,
                    "RootPort": port,
                    "Role": "Desg",
                    "Upstream": "",
                    "LastUpdated": "2025-12-17 22:42:07",
                }
                for vlan, root, port in span
            ],
        )
    found = rows(database, queries.spanning_tree("lab-sw1"))
    assert [row[:3] for row in found] == [("vlan0010", "b", "Gi1"), ("VLAN0030", "b", "Gi1"), ("VLAN0030", "a", "Gi2")]
    assert found[0][5] == "2025-12-17 22:42:07"


def test_histories_run_forward(database, make):
    with database.begin() as connection:
        for date in ("2026-01-02 00:00:00", "2026-01-01 00:00:00"):
            connection.execute(schema.device_history.insert(), {**make.device("LAB-SW1", "LAB-"), "RunDate": date})
            for port in ("Gi1", "Gi2"):
                row = {**make.interface("LAB-SW1", port), "RunDate": date}
                connection.execute(schema.interface_history.insert(), row)
    dates = ["2026-01-01 00:00:00", "2026-01-02 00:00:00"]
    assert [row[2] for row in rows(database, queries.device_history("LAB-SW1"))] == dates
    assert len(rows(database, queries.interface_history("LAB-SW1"))) == 4
    assert [row[2:4] for row in rows(database, queries.interface_history("LAB-SW1", "gi2"))] == [
        (date, "Gi2") for date in dates
    ]


def test_the_site_query_pays_for_no_conversion(database):
    """Its 21 columns reach the caller as SQLite gave them: hydration takes the driver's own tuples."""
    dialect = schema.sa.create_engine("sqlite://").dialect
    columns = queries.site_interfaces("BOYO").selected_columns
    assert [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns] == [None] * 21


def test_statements_are_compiled_once(database):
    with database.connect() as connection:
        cache = connection.engine._compiled_cache
        connection.execute(queries.site_interfaces("BOYO")).all()
        known = len(cache)
        for site in ("WLLS1", "LAB", "DENVER7"):
            connection.execute(queries.site_interfaces(site)).all()
        assert len(cache) == known


def test_of_two_rows_of_one_port_the_later_comes_last(database, make):
    """A copy keeps the last one, so a reader of either must end with the same."""
    with database.begin() as connection:
        connection.exec_driver_sql("DROP INDEX idx_interfaces_host_port")
        connection.exec_driver_sql("CREATE INDEX newest_first ON Interfaces (Hostname, Port, ID DESC)")
    make.fill(database, interfaces=[make.interface("LAB-SW1", "Gi1/0/1", Name="later")])
    assert [row[2] for row in rows(database, queries.site_interfaces("LAB"))] == ["", "later"]


def test_sqlite_sorts_no_rows_to_read_a_site(database):
    """A sort of whole rows costs half as much again as reading them, and more a row the more there are."""
    with database.connect() as connection:
        compiled = queries.site_interfaces("BOYO").compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert len(plan) == 2
    assert not any("TEMP B-TREE" in step for step in plan)

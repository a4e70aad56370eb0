"""Site databases made for tests."""

from __future__ import annotations

from statetrace.database import create_tables, open_database, schema

BLANK_ROW = dict.fromkeys(
    ("Name", "Status", "Duplex", "Speed", "Type", "LearnedMACs", "AuthState", "AuthMode", "AuthClientMAC", "AuthTemplate", "Config", "PortColor", "ConfigStatus", "ToolTip"),
    "",
) | {"VLAN": 0}  # fmt: skip


def write_rows(path, rows, *, make="Cisco", site=None):
    """Write interfaces ``(host, port, values)`` and the summaries of their hosts, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_database(path, create=not path.exists()) as database, database.begin() as connection:
        create_tables(connection)
        connection.execute(schema.interfaces.delete())
        connection.execute(schema.device_summary.delete())
        for host in dict.fromkeys(host for host, _, _ in rows):
            makes = make if isinstance(make, str) else make[host]
            connection.execute(
                schema.device_summary.insert(),
                {
                    "Hostname": host,
                    "Make": makes,
                    "Site": site or host.split("-")[0],
                    "Building": "B1",
                    "Room": "R1",
                    "Ports": 0,
                },
            )
        for host, port, values in rows:
            connection.execute(schema.interfaces.insert(), {**BLANK_ROW, "Hostname": host, "Port": port, **values})

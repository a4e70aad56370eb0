"""One host into its database: what is there is compared with what its log says, and the difference is written.

Everything of a host, its summary, interfaces, spanning tree and histories, is one transaction: all of it is stored or
nothing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from statetrace.database import statements
from statetrace.model import CaseInsensitiveMap, DatabaseState, HostPorts, InterfaceRow
from statetrace.model.interface import derive_tooltip
from statetrace.persistence.canonical import HostFacts, RowMaker
from statetrace.persistence.diff import HostDiff, arranged, diff_host
from statetrace.telemetry import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import sqlalchemy as sa

    from statetrace.database import Database
    from statetrace.model import AuthTemplates, Device


class Known(msgspec.Struct, frozen=True):
    """The rows that a host is known to have in a certain state of its database; worth nothing in another state.

    Without a state they are trusted as far as they say that nothing changed, and until the database contradicts them.
    """

    ports: HostPorts
    state: DatabaseState | None

    def count_in(self, state: DatabaseState, make: RowMaker) -> bool:
        """Whether they are worth anything in this state, for a device of this make."""
        return self.state is None or (self.state.agrees(state) and make.would_make(self.ports))


class _Contradicted(Exception):
    """The database does not hold what was known of it, or may not."""


class WriteTimes(msgspec.Struct):
    """Nanoseconds of one host's transaction, stage by stage."""

    summary: int = 0
    load: int = 0
    diff: int = 0
    project: int = 0
    delete: int = 0
    update: int = 0
    insert: int = 0
    history: int = 0
    check: int = 0
    spanning_tree: int = 0
    commit: int = 0
    total: int = 0

    @property
    def interfaces(self) -> int:
        """All that concerns the interface rows."""
        return (
            self.load + self.diff + self.project + self.delete + self.update + self.insert + self.history + self.check
        )


class HostWritten(msgspec.Struct, frozen=True):
    """What one transaction did to a host.

    Attributes:
        diff: what was to be changed, and the rows of the host now.
        existing: how many rows it had before, and a sample of their ports.
        loaded: whether those were read from the database, because none were known that fit it.
        before: the state of the database before the transaction, nobody else writing since.
        after: its state after the commit; without a mark if a foreign program wrote at the same instant.
        times: nanoseconds by stage.
        stored_before: an earlier attempt had stored it all, so nothing was written.
    """

    diff: HostDiff
    existing: int
    existing_sample: tuple[str, ...]
    loaded: bool
    before: DatabaseState
    after: DatabaseState
    times: WriteTimes
    stored_before: bool = False


def write_host(
    database: Database,
    facts: HostFacts,
    templates: AuthTemplates,
    *,
    known: Known | None,
    run_date: str,
    allow_empty: bool = False,
    once: bool = False,
) -> HostWritten:
    """Store what a log says of a host, in one transaction, and tell what that changed.

    A host whose log names no port keeps the rows that it has; its summary is stored all the same.

    Args:
        database: where the host's site is stored.
        facts: what the log says.
        templates: the auth templates that new and changed rows are held against.
        known: the rows that the host has, if they are known; used only when the database is still in that state, and
            not when it turns out to hold other rows: it was restored from a backup, perhaps, or files the host under
            another site.
        run_date: local, ``YYYY-MM-DD HH:MM:SS``, for the histories.
        allow_empty: a table of interfaces that was found and is empty removes the host's rows after all.
        once: an earlier attempt, with the same date, may have been committed; what it stored is not stored again.

    Raises:
        DatabaseError: nothing was stored.
    """
    make = RowMaker(templates, facts.device.make)
    if known is not None:
        with suppress(_Contradicted):
            return _write_host(database, facts, make, known, run_date, allow_empty=allow_empty, once=once)
    return _write_host(database, facts, make, None, run_date, allow_empty=allow_empty, once=once)


def _write_host(
    database: Database,
    facts: HostFacts,
    make: RowMaker,
    known: Known | None,
    run_date: str,
    *,
    allow_empty: bool,
    once: bool,
) -> HostWritten:
    times = WriteTimes()
    with database.begin() as connection:
        whole = Stopwatch().start()
        watch = Stopwatch().start()
        before = database.state()
        trusted = known if known is not None and known.count_in(before, make) else None
        existing = _load(connection, facts.hostname, make) if trusted is None else trusted.ports
        times.load = watch.lap()
        diff = _diff(existing, facts, make, allow_empty=allow_empty)
        times.diff = watch.lap()
        if trusted is not None and trusted.state is None and not diff.empty:
            raise _Contradicted
        # Rows that differ were not stored by the earlier attempt, or have been changed since.
        stored_before = once and diff.empty and _in_history(connection, facts.hostname, run_date)
        if not stored_before:
            _write_difference(connection, facts, diff, run_date, times, trusting=trusted is not None)
        watch.start()
        after = database.commit(connection)
        times.commit = watch.lap()
        times.total = whole.lap()
    return HostWritten(diff, len(existing), tuple(existing)[:5], trusted is None, before, after, times, stored_before)


def compare_host(
    database: Database | None, facts: HostFacts, templates: AuthTemplates, *, allow_empty: bool = False
) -> tuple[HostPorts, HostDiff]:
    """The rows that a host has, and what ``write_host`` would do now. Writes nothing.

    Raises:
        DatabaseError: the database cannot be read.
    """
    make = RowMaker(templates, facts.device.make)
    if database is None:
        existing = HostPorts()
    else:
        with database.connect() as connection:
            existing = _load(connection, facts.hostname, make)
    return existing, _diff(existing, facts, make, allow_empty=allow_empty)


def _diff(existing: HostPorts, facts: HostFacts, make: RowMaker, *, allow_empty: bool) -> HostDiff:
    if not facts.ports and not (facts.interfaces_found and allow_empty):
        return HostDiff({}, {}, len(existing), (), existing)
    return diff_host(existing, facts.ports, make)


def _load(connection: sa.Connection, hostname: str, make: RowMaker) -> HostPorts:
    """The rows of a host as they are stored, ports in natural order; of two rows of one port the later one."""
    rows = CaseInsensitiveMap(
        (row[0], _stored_row(row[0], row[1:], make))
        for row in statements.host_interfaces.rows(connection, (hostname,))
        if row[0] and not row[0].isspace()
    )
    return arranged(rows)


def _stored_row(port: str, values: Iterable[object], make: RowMaker) -> InterfaceRow:
    *observed, color, status, tooltip = ("" if value is None else str(value) for value in values)
    row = make.row(port.strip(), tuple(observed))  # type: ignore[arg-type]  # twelve values, as many as are selected
    stored = {"port_color": color, "compliance": status} if color.strip() or status.strip() else {}
    stored = {name: value for name, value in stored.items() if value.strip()}
    tooltip = tooltip.rstrip()
    if tooltip and tooltip != derive_tooltip(row.auth_template, row.config):
        stored["stated_tooltip"] = tooltip
    return msgspec.structs.replace(row, **stored) if stored else row


def _in_history(connection: sa.Connection, hostname: str, run_date: str) -> bool:
    ((count,),) = statements.device_history_count.rows(connection, (hostname, run_date))
    return bool(count)


def _write_difference(
    connection: sa.Connection, facts: HostFacts, diff: HostDiff, run_date: str, times: WriteTimes, *, trusting: bool
) -> None:
    """Write a host, whose rows need this difference, with all its histories."""
    watch = Stopwatch().start()
    _write_summary(connection, facts.device, len(diff.rows), run_date)
    times.summary = watch.lap()

    as_planned = _write_rows(connection, facts.hostname, diff, run_date, times, trusting=trusting)
    watch.start()
    if not as_planned or not _complete(connection, facts.hostname, diff):
        if trusting:
            raise _Contradicted
        _rewrite(connection, facts.hostname, diff)
    times.check = watch.lap()

    _write_spanning_tree(connection, facts, run_date)
    times.spanning_tree = watch.lap()


def _write_summary(connection: sa.Connection, device: Device, ports: int, run_date: str) -> None:
    values = (
        device.make, device.model, device.uptime, device.site, device.building, device.room, ports,
        device.auth_default_vlan, device.auth_block,
    )  # fmt: skip
    stored = statements.device.rows(connection, (device.hostname,))
    if not stored:
        statements.insert_device.run(connection, [(device.hostname, *values)])
    elif tuple(stored[0]) != values:
        # An equal one is not written again: the authentication block alone may fill several pages.
        statements.update_device.run(connection, [(*values, device.hostname)])
    statements.insert_device_history.run(connection, [(device.hostname, run_date, *values)])


def _write_rows(
    connection: sa.Connection, hostname: str, diff: HostDiff, run_date: str, times: WriteTimes, *, trusting: bool
) -> bool:
    """Write a difference and its history; whether every row was there to be changed, and none that is new."""
    if diff.empty:
        return True
    watch = Stopwatch().start()
    inserted, changed = _stored(diff.inserted), _stored(diff.changed)
    times.project = watch.lap()
    deleted = statements.delete_interface.run(connection, [(hostname, port) for port in diff.obsolete])
    times.delete = watch.lap()
    updated = statements.update_interface.run(
        connection, [(*values, hostname, port) for port, values in changed.items()]
    )
    times.update = watch.lap()
    try:
        statements.insert_interface.run(connection, [(hostname, port, *values) for port, values in inserted.items()])
    except connection.dialect.loaded_dbapi.IntegrityError:
        if trusting:
            return False
        raise
    times.insert = watch.lap()
    statements.insert_interface_history.run(
        connection, [(hostname, run_date, port, *values) for port, values in (inserted | changed).items()]
    )
    times.history = watch.lap()
    return (deleted, updated) == (len(diff.obsolete), len(changed))


def _stored(rows: Mapping[str, InterfaceRow]) -> dict[str, tuple[object, ...]]:
    """The fifteen data columns of each row. What is derived when a row is read is stored as nothing."""
    return {
        port: (
            row.name, row.status, int(row.vlan), row.duplex, row.speed, row.type, row.learned_macs, row.auth_state,
            row.auth_mode, row.auth_client_mac, row.auth_template, row.config, "", "", "",
        )
        for port, row in rows.items()
    }  # fmt: skip


def _complete(connection: sa.Connection, hostname: str, diff: HostDiff) -> bool:
    """Whether the database holds as many rows of the host as it should."""
    ((count,),) = statements.host_row_count.rows(connection, (hostname,))
    return bool(count == len(diff.rows))


def _rewrite(connection: sa.Connection, hostname: str, diff: HostDiff) -> None:
    """Store all rows of a host anew.

    A foreign program has left some that no statement of ours can tell apart: a port twice, or with blanks around it.
    """
    statements.delete_interfaces.run(connection, [(hostname,)])
    statements.insert_interface.run(
        connection, [(hostname, port, *values) for port, values in _stored(diff.rows).items()]
    )


def _write_spanning_tree(connection: sa.Connection, facts: HostFacts, run_date: str) -> None:
    """Replace the instances of the host, and add them to their history."""
    hostname = facts.hostname
    spans = [(span.vlan, span.root_switch, span.root_port, span.role, span.upstream) for span in facts.spanning_tree]
    statements.delete_spanning_tree.run(connection, [(hostname,)])
    statements.insert_spanning_tree.run(connection, [(hostname, *span, run_date) for span in spans])
    statements.insert_spanning_tree_history.run(connection, [(hostname, run_date, *span) for span in spans])

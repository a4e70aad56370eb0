"""Snapshots: what is written is read back, and every shape that was ever written is understood."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import threading
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psrpcore.types import deserialize_clixml

from statetrace.cache import SnapshotStyle, read_snapshot, write_snapshot
from statetrace.cache.clixml import NAMESPACE
from statetrace.cache.snapshot import content_sha256, format_snapshot, parse_snapshot
from statetrace.errors import SnapshotError
from statetrace.model import WIRE_FIELDS, CaseInsensitiveMap, HostPorts, SiteEntry
from statetrace.model.interface import row_from_wire

EXAMPLE_CONFIG = "interface Gi1/0/1\r\n description a_x41 \U0001f600"
EXAMPLE = {
    "DEMO": SiteEntry(
        {
            "DEMO-A01-AS-01": HostPorts(
                {
                    "Gi1/0/1": row_from_wire(
                        "Gi1/0/1",
                        ["Lab & Test <1>", "connected", "7", "a-full", "a-1000", "10/100/1000BaseTX", "", "Unknown", "unknown",
                         "", "open", EXAMPLE_CONFIG, "", "", "", "", ""],
                    ),
                    "Gi1/0/2": row_from_wire("Gi1/0/2", ["Spare2", "disabled", *[""] * 15]),
                }
            ),
            "DEMO-A01-AS-02": HostPorts(),
        }
    )
}  # fmt: skip


def joined(text):
    """In UTF-16, two halves of a pair that stand side by side are the character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


texts = st.one_of(
    st.sampled_from(["", "auto", "Full", "open", " port-name A\n exit", "interface Gi1\r\n switchport\r\n"]),
    st.text(
        st.one_of(
            st.sampled_from(list("_xX005FDA\r\n\t &<>|\"'\x00\x7f\x85\u00a0\ufeff\ufffe\uffff\ud800\udfff\U0001f600")),
            st.characters(codec=None),
        ),
        max_size=12,
    ).map(joined),
    st.sampled_from(["_x000A_", "_x005F_", "_X000A_", "_x0001F600_", "\r_x000A_\n", "_x_x000D__x000A_"]),
)
keys = texts.filter(str.strip)


@st.composite
def rows(draw):
    values = [draw(texts) for _ in WIRE_FIELDS]
    for derived in ("ToolTip", "Signature"):
        if draw(st.booleans()):
            values[WIRE_FIELDS.index(derived)] = ""
    return row_from_wire("Gi1", values)


entries = st.dictionaries(
    keys,
    st.dictionaries(keys, st.dictionaries(keys, rows(), max_size=3).map(HostPorts), max_size=3).map(SiteEntry),
    max_size=3,
).map(CaseInsensitiveMap)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries, st.sampled_from(SnapshotStyle))
def test_whatever_is_written_is_read_back_equal(sites, style):
    snapshot = parse_snapshot(format_snapshot(sites, style))
    assert snapshot.entries == sites
    assert list(snapshot.entries) == list(sites)
    assert snapshot.to_wire() == {site: entry.to_wire() for site, entry in sites.items()}
    assert [list(entry) for entry in snapshot.entries.values()] == [list(entry) for entry in sites.values()]
    assert snapshot.style is style
    assert snapshot.skipped == ()
    assert snapshot.content_sha256() == content_sha256(sites)
    assert format_snapshot(snapshot.entries, style) == format_snapshot(sites, style)


def by_psrpcore(data, style):
    text = data.decode("utf-16" if style is SnapshotStyle.WINDOWS_POWERSHELL else "utf-8")
    return {
        str(entry.SiteKey): {
            str(host): {
                str(port): {field: str(getattr(row, field)) for field in WIRE_FIELDS} for port, row in ports.items()
            }
            for host, ports in entry.HostMap.items()
        }
        for entry in deserialize_clixml(text, cipher=None)
    }


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(entries.filter(bool), st.sampled_from(SnapshotStyle))  # it cannot read an empty root
def test_psrpcore_reads_the_same_values(sites, style):
    assert by_psrpcore(format_snapshot(sites, style), style) == {site: entry.to_wire() for site, entry in sites.items()}


def test_the_example_of_the_reference_is_written_as_powershell_would():
    lines = format_snapshot(EXAMPLE).decode().split("\r\n")
    assert lines[0] == f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">'
    assert lines[-1] == "</Objs>"
    assert [line.strip() for line in lines if "RefId" in line] == [
        '<Obj RefId="0">', '<TN RefId="0">', '<Obj N="HostMap" RefId="1">', '<TN RefId="1">',
        '<Obj N="Value" RefId="2">', '<TN RefId="2">', '<Obj N="Value" RefId="3">', '<TN RefId="3">',
        '<Obj N="Value" RefId="4">', '<TNRef RefId="3" />', '<Obj N="Value" RefId="5">', '<TNRef RefId="2" />',
    ]  # fmt: skip
    assert "              <DCT />" in lines
    config = "interface Gi1/0/1_x000D__x000A_ description a_x005F_x41 _xD83D__xDE00_"
    assert f'                      <S N="Config">{config}</S>' in lines
    signature = next(line for line in lines if 'N="Signature"' in line)
    assert f"|40:{config}|0:|0:|" in signature
    assert '                      <S N="VLAN"></S>' in lines
    snapshot = parse_snapshot("\n".join(lines).encode())
    assert dict(snapshot.entries) == EXAMPLE
    assert (snapshot.entries["demo"].host_count, snapshot.entries["demo"].total_rows) == (2, 2)


def test_both_styles_differ_in_encoding_and_core_library_only():
    new = format_snapshot(EXAMPLE).decode()
    old = format_snapshot(EXAMPLE, SnapshotStyle.WINDOWS_POWERSHELL)
    assert old.startswith(b"\xff\xfe<\0O\0")
    old = old.decode("utf-16")
    assert old.replace("mscorlib, Version=4.0.0.0", "X").replace("b77a5c561934e089", "Y") == new.replace(
        "System.Private.CoreLib, Version=9.0.0.0", "X"
    ).replace("7cec85d7bea7798e", "Y")


@pytest.mark.parametrize("style", SnapshotStyle)
def test_no_entries_make_an_empty_root_which_is_read_as_s0(style):
    data = format_snapshot({}, style)
    assert data.decode("utf-16" if style is SnapshotStyle.WINDOWS_POWERSHELL else "utf-8") == (
        f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}" />'
    )
    snapshot = parse_snapshot(data)
    assert (snapshot.shape, len(snapshot.entries)) == ("S0", 0)
    assert snapshot.content_sha256() == hashlib.sha256(b"{}").hexdigest()


def test_type_names_are_numbered_when_first_used():
    sites = {"A": SiteEntry(), "B": SiteEntry({"h": HostPorts()}), **EXAMPLE}
    assert list(parse_snapshot(format_snapshot(sites)).entries) == ["A", "B", "DEMO"]
    assert [line.strip() for line in format_snapshot(sites).decode().split("\r\n") if "<TN" in line][:5] == [
        '<TN RefId="0">', '<TN RefId="1">', '<TNRef RefId="0" />', '<TNRef RefId="1" />', '<TN RefId="2">',
    ]  # fmt: skip


def test_the_digest_is_that_of_the_sorted_json_of_the_wire_fields():
    text = json.dumps({"DEMO": EXAMPLE["DEMO"].to_wire()}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    assert content_sha256(EXAMPLE) == hashlib.sha256(text.encode()).hexdigest()


def row(name="Users1"):
    return f'<Obj N="Value"><MS><S N="Name">{name}</S><S N="Status">connected</S></MS></Obj>'


def entry(key, value):
    return f'<En><S N="Key">{key}</S>{value}</En>'


HOSTS = (
    '<Obj N="HostMap"><DCT>'
    + entry("DEMO-A01-AS-01", f'<Obj N="Value"><DCT>{entry("Gi1/0/1", row())}</DCT></Obj>')
    + "</DCT></Obj>"
)
DETAILS = (
    '<DT N="CachedAt">2025-11-12T17:35:00.1234567-07:00</DT><S N="CacheStatus">Refreshed</S>'
    '<Db N="HydrationDurationMs">471.2</Db><I32 N="TotalRows">7</I32><I32 N="HostCount">7</I32>'
)
LISTED = (
    '<Obj N="HostMap"><DCT>'
    + entry(
        "DEMO-A01-AS-01",
        '<Obj N="Value"><LST><Obj><MS><S N="PortId">Gi1/0/1</S><S N="Name">Users1</S><S N="Status">connected</S></MS></Obj></LST></Obj>',
    )
    + "</DCT></Obj>"
)


def record(*members):
    return f"<Obj><MS>{''.join(members)}</MS></Obj>"


def snapshot_of(*roots):
    return f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">{"".join(roots)}</Objs>'.encode()


TEXT_VALUE = '<S N="Value">DEMO</S>'
SITE, SITE_KEY = '<S N="Site">DEMO</S>', '<S N="SiteKey"> DEMO </S>'
L1 = record(SITE, f'<Obj N="Entry"><MS>{DETAILS}{HOSTS}</MS></Obj>')


@pytest.mark.parametrize(
    ("shape", "root"),
    [
        ("L1", L1),
        ("L2", f"<Obj><LST>{L1}</LST></Obj>"),
        ("L2", f"<Obj><LST><Obj><LST>{L1}</LST></Obj></LST></Obj>"),
        ("L3", record(SITE_KEY, HOSTS)),
        ("L4", record(SITE, HOSTS, '<S N="CacheStatus">Refreshed</S>')),
        ("L5", record(SITE_KEY, f'<Obj N="Entry"><MS>{HOSTS}</MS></Obj>')),
        ("L6", record(SITE_KEY, '<I32 N="HostCount">9</I32>', '<I32 N="TotalRows">9</I32>', HOSTS)),
        ("S6", record(SITE_KEY, f'<Obj N="Entry"><MS>{LISTED}</MS></Obj>')),
        ("L4", record('<S N="site"> </S>', SITE_KEY, HOSTS)),
        ("L3", f"<Obj><DCT>{entry('SiteKey', TEXT_VALUE)}{entry('HostMap', HOSTS.replace('HostMap', 'Value', 1))}</DCT></Obj>"),
        ("L5", record(SITE_KEY, HOSTS, '<Obj N="Entry"><MS><S N="Note">no map</S></MS></Obj>')),
    ],
)  # fmt: skip
def test_every_shape_of_the_past_gives_the_same_content(shape, root):
    snapshot = parse_snapshot(snapshot_of(root))
    assert snapshot.skipped == ()
    assert list(snapshot.entries) == ["DEMO"]
    read = snapshot.entries["DEMO"]
    assert {host: {port: found.name for port, found in ports.items()} for host, ports in read.items()} == {
        "DEMO-A01-AS-01": {"Gi1/0/1": "Users1"}
    }
    assert read["DEMO-A01-AS-01"]["Gi1/0/1"].port_sort == "40-GI-00001-00000-00001-00000"
    assert snapshot.shape == shape


def test_what_an_entry_carries_besides_its_hosts_is_kept():
    read = parse_snapshot(snapshot_of(L1)).entries["DEMO"]
    assert read.cached_at == datetime.fromisoformat("2025-11-12T17:35:00.123456-07:00")
    assert (read.cache_status, dict(read.fields)) == ("Refreshed", {"HydrationDurationMs": 471.2})


def test_references_across_top_level_objects_are_followed():
    shared = HOSTS.replace("<Obj ", '<Obj RefId="5" ', 1)
    snapshot = parse_snapshot(
        snapshot_of(record(SITE_KEY, shared), record('<S N="SiteKey">TWIN</S><Ref N="HostMap" RefId="5" />'))
    )
    assert snapshot.entries["TWIN"] == snapshot.entries["DEMO"]


def test_entries_that_cannot_be_used_are_reported_and_the_others_taken_only_on_request():
    document = snapshot_of(
        "<S>text</S>",
        record('<S N="Site">INVALID</S>', '<Nil N="Entry" />'),
        record('<S N="SiteKey"> </S>', HOSTS),
        record('<S N="SiteKey">CUT</S>', '<S N="HostMap">System.Collections.Hashtable</S>'),
        record(SITE_KEY, HOSTS.replace("Gi1/0/1", "  ")),
        record('<S N="SiteKey">demo</S>', HOSTS),
    )
    with pytest.raises(SnapshotError, match=r"object 1 is no entry .*, and 3 more would be lost; an import in part"):
        parse_snapshot(document)
    snapshot = parse_snapshot(document, partial=True)
    assert list(snapshot.entries) == ["DEMO"]
    assert snapshot.entries["DEMO"].total_rows == 1
    assert list(map(str, snapshot.skipped)) == [
        "object 1 is no entry of the cache",
        "site 'INVALID': the entry has no cache data",
        "entry 3 has no site",
        "site 'CUT': HostMap holds the text 'System.Collections.Hashtable' where hosts are expected",
        "site 'DEMO', host 'DEMO-A01-AS-01': port without a name",
        "site 'demo': an earlier entry of the site was replaced by a later one",
    ]


CUT_ROW = '<S N="Value">StateTrace.Models.InterfaceCacheEntry</S>'


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        (row(), CUT_ROW, 4, "site 'DEMO', host 'DEMO-A01-AS-01', port 'Gi1/0/1': the text 'StateTrace.Models."),
        (row(), row().replace('<S N="Status">connected</S>', '<Obj N="Config"><DCT>' + entry("a", TEXT_VALUE) + "</DCT></Obj>"), 5, "port 'Gi1/0/1': field Config holds a dict"),
        ("Gi1/0/1", " ", 5, "host 'DEMO-A01-AS-01': port without a name"),
        ("DEMO-A01-AS-01", " ", 4, "site 'DEMO': host without a name"),
        (HOSTS, '<S N="HostMap">System.Collections.Hashtable</S>', 3, "site 'DEMO': HostMap holds the text"),
        (SITE_KEY, '<S N="SiteKey"> </S>', 3, "entry 1 has no site"),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_refused_with_site_host_and_line_unless_asked(tmp_path, old, new, line, what):
    broken = record(SITE_KEY, HOSTS).replace(old, new, 1)
    document = snapshot_of(
        "\n\n", broken.replace('<Obj N="Value"', '\n<Obj N="Value"'), record('<S N="SiteKey">GOOD</S>', HOSTS)
    )
    path = tmp_path / "cut.clixml"
    path.write_bytes(document)
    with pytest.raises(SnapshotError) as refused:
        read_snapshot(path)
    assert what in str(refused.value)
    assert (refused.value.path, refused.value.line) == (path, line)
    kept = read_snapshot(path, partial=True)
    assert kept.entries["GOOD"].total_rows == 1
    assert [what in str(one) for one in kept.skipped] == [True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (row(), '<Nil N="Value" />'),
        (entry("Gi1/0/1", row()), entry(" ", '<Nil N="Value" />') + entry("Gi1/0/1", row())),
        (entry("DEMO-A01-AS-01", ""), entry(" ", '<Nil N="Value" />')),
        (HOSTS, ""),
    ],
)  # fmt: skip
def test_what_holds_nothing_is_no_loss(old, new):
    # reference: site-cache 4.2, null rows and blank keys are dropped
    snapshot = parse_snapshot(
        snapshot_of(record(SITE_KEY, HOSTS.replace(old, new)), record('<S N="SiteKey">GOOD</S>', HOSTS))
    )
    assert "GOOD" in snapshot.entries


def test_a_foreign_clixml_file_is_refused():
    with pytest.raises(SnapshotError, match="none of its 2 objects is an entry of the cache"):
        parse_snapshot(snapshot_of("<S>a</S>", "<Obj><MS><I32 N='Id'>4</I32></MS></Obj>"))


@pytest.mark.parametrize("style", SnapshotStyle)
def test_a_file_cut_off_anywhere_is_refused_as_a_whole_unless_asked(style, tmp_path):
    sites = {**EXAMPLE, "SECOND": SiteEntry({"S-1": HostPorts({"Gi1": row_from_wire("Gi1", [""] * 17)})})}
    data = format_snapshot(sites, style)
    path = tmp_path / "cut.clixml"
    kept = set()
    for length in range(1, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(SnapshotError) as caught:
            read_snapshot(path)
        assert caught.value.path == path
        try:
            partial = read_snapshot(path, partial=True)
        except SnapshotError:
            kept.add(())
        else:
            kept.add(tuple(partial.entries))
            assert all(partial.entries[site] == sites[site] for site in partial.entries)
            assert str(path) in partial.skipped[-1].reason
    assert {(), ("DEMO",)} <= kept <= {(), ("DEMO",), ("DEMO", "SECOND")}


def test_the_complete_sites_of_a_broken_array_are_kept_when_asked():
    data = snapshot_of(f"<Obj><LST>{L1}{L1.replace('DEMO', 'TWO')}</LST></Obj>")
    snapshot = parse_snapshot(data[: data.index(b"TWO") + 200], partial=True)
    assert (list(snapshot.entries), snapshot.shape) == (["DEMO"], "L2")


def test_a_missing_file_and_a_directory_are_snapshot_errors(tmp_path):
    with pytest.raises(SnapshotError, match="no such file") as caught:
        read_snapshot(tmp_path / "absent.clixml")
    assert caught.value.path == tmp_path / "absent.clixml"
    with pytest.raises(SnapshotError, match="cannot be read"):
        read_snapshot(tmp_path)


def test_an_error_names_path_line_and_element(tmp_path):
    path = tmp_path / "bad.clixml"
    path.write_bytes(format_snapshot(EXAMPLE).replace(b'<TNRef RefId="2" />', b'<TNRef RefId="9" />'))
    with pytest.raises(SnapshotError, match=r"bad\.clixml, line \d+, <TNRef>: refers to type names '9'") as caught:
        read_snapshot(path)
    assert caught.value.path == path
    assert caught.value.tag == "TNRef"
    lines = path.read_bytes().split(b"\r\n")
    assert b'RefId="9"' in lines[caught.value.line - 1]


def test_writing_makes_the_directory_and_leaves_nothing_beside_the_file(tmp_path):
    path = tmp_path / "new" / "folder" / "cache.clixml"
    write_snapshot(path, EXAMPLE)
    write_snapshot(str(path), EXAMPLE, style=SnapshotStyle.WINDOWS_POWERSHELL)
    assert [file.name for file in path.parent.iterdir()] == ["cache.clixml"]
    snapshot = read_snapshot(path)
    assert (snapshot.encoding, snapshot.shape, snapshot.style) == ("UTF-16LE", "S4", SnapshotStyle.WINDOWS_POWERSHELL)


@pytest.mark.skipif(sys.platform == "win32", reason="links and permissions of POSIX")
def test_a_file_that_is_replaced_keeps_its_permissions_and_a_link_stays_one(tmp_path):
    path, link = tmp_path / "cache.clixml", tmp_path / "latest.clixml"
    write_snapshot(path, {})
    path.chmod(0o600)
    link.symlink_to(path)
    write_snapshot(link, EXAMPLE)
    assert link.is_symlink()
    assert dict(read_snapshot(path).entries) == EXAMPLE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "cache.clixml"
    write_snapshot(path, EXAMPLE)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_snapshot(path, {**EXAMPLE, "BROKEN": None})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["cache.clixml"]


def test_readers_beside_a_writer_see_whole_files_only(tmp_path):
    path = tmp_path / "cache.clixml"
    write_snapshot(path, EXAMPLE)
    done = threading.Event()
    seen = set()

    def read():
        try:
            while not done.is_set():
                seen.add(read_snapshot(path).style)
        except SnapshotError as error:
            seen.add(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(100):
            write_snapshot(path, EXAMPLE, style=list(SnapshotStyle)[turn % 2])
    finally:
        done.set()
        reader.join()
    assert seen <= set(SnapshotStyle)
    assert seen


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([L1, f"<Obj><LST>{L1}</LST></Obj>", record(SITE_KEY, HOSTS), record(SITE_KEY, LISTED), "<S>a</S>"]),
    st.lists(
        st.tuples(st.integers(0, 2000), st.sampled_from([b"", b"<", b">", b"S", b"/", b'"', b"<Obj>", b"\xff", b"_x"]))
    ),
    st.booleans(),
)
def test_damage_of_any_kind_is_a_snapshot_error_or_harmless(root, damage, partial):
    data = bytearray(snapshot_of(root))
    for position, change in damage:
        data[position % len(data) : position % len(data) + 1] = change
    with contextlib.suppress(SnapshotError):
        parse_snapshot(bytes(data), partial=partial)


@pytest.mark.parametrize("escape", ["_x0061_", "_X0061_", "_x00000061_", "a"])
def test_a_row_is_the_same_however_its_text_is_escaped(escape):
    values = ["Lab", "up", *[""] * 8, "open", " port-name Lab", "", "Green", "Match"]
    row = row_from_wire("Gi1", values := [*values, "AuthTemplate: open\r\n\r\n port-name Lab", ""])
    written = dict(zip(WIRE_FIELDS, values, strict=True)) | {"PortSort": row.port_sort, "Signature": row.signature}
    assert row.stated_tooltip is None
    for odd in (
        ("Name",),
        ("Config",),
        ("ToolTip",),
        ("Signature",),
        ("Config", "ToolTip", "Signature"),
        ("PortSort",),
    ):
        members = "".join(
            f'<S N="{field}">{(value.replace("a", escape) if field in odd else value).replace(chr(13), "_x000D_").replace(chr(10), "_x000A_")}</S>'
            for field, value in written.items()
        )
        ports = f'<Obj N="Value"><DCT>{entry("Gi1", f"<Obj N={chr(34)}Value{chr(34)}><Props>{members}</Props></Obj>")}</DCT></Obj>'
        host_map = f'<Obj N="HostMap"><DCT>{entry("H-1", ports)}</DCT></Obj>'
        (read,) = parse_snapshot(snapshot_of(record(SITE_KEY, host_map))).entries.values()
        assert read["H-1"]["Gi1"] == row


def test_what_killed_writers_left_is_removed_once_they_cannot_be_at_it(tmp_path):
    path = tmp_path / "a.clixml"
    old, young = tmp_path / ".a.clixml.0123456789ab.tmp", tmp_path / ".a.clixml.ba9876543210.tmp"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (0, 0))
    write_snapshot(path, EXAMPLE)
    assert not old.exists()
    assert young.exists()

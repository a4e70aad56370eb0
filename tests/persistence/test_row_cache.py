"""The rows kept of hosts in skip mode: what is known of them, until when, and their snapshots."""

from __future__ import annotations

import os
import signal
import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psrpcore.types import deserialize_clixml

from statetrace.cache.clixml import NAMESPACE
from statetrace.errors import SnapshotError
from statetrace.model import WIRE_FIELDS, CaseInsensitiveMap, DatabaseState, HostPorts, InterfaceRow
from statetrace.model.interface import row_from_wire
from statetrace.persistence.row_cache import ExistingRowCache, KeptRows, existing_row_cache
from statetrace.persistence.row_snapshot import HostRecord, read_row_snapshot, write_row_snapshot
from statetrace.persistence.write import Known

HOST, OTHER, THIRD = "WLLS-A01-AS-01", "WLLS-A01-AS-02", "WLLS-A01-AS-03"


def state(number, database="db"):
    return DatabaseState(database, f"mark {number}")


def ports(*names, **values):
    return HostPorts({name: InterfaceRow(**values) for name in names or ("Gi1/0/1",)})


def document(*objects):
    return f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">{"".join(objects)}</Objs>'


def record(site="WLLS", host=HOST, rows=""):
    return f'<Obj><MS><S N="Site">{site}</S><S N="Hostname">{host}</S>{rows}</MS></Obj>'


def rows_of(*entries):
    """``Rows`` as an import of the original has them: a hash table of objects with properties."""
    written = "".join(
        f'<En><S N="Key">{port}</S><Obj N="Value"><MS>{members}</MS></Obj></En>' for port, members in entries
    )
    return f'<Obj N="Rows"><TN><T>System.Collections.Hashtable</T><T>System.Object</T></TN><DCT>{written}</DCT></Obj>'


@pytest.fixture
def cache():
    return ExistingRowCache()


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "rows.clixml"
        path.write_text(text, "utf-8")
        return path

    return write


# What is kept, and until when


def test_a_host_that_was_read_once_need_not_be_read_again(cache):  # X6
    assert cache.get("WLLS", HOST) is None
    cache.put("WLLS", HOST, ports(), since=state(1), state=state(1))
    assert cache.get("WLLS", HOST) == Known(ports(), state(1))


def test_names_are_found_in_any_case_and_with_blanks_around(cache):  # K11
    cache.put(" Wlls ", f" {HOST} ", ports(), since=None, state=state(1))
    assert cache.get("WLLS", HOST.lower()) == cache.get("wlls", HOST)
    assert cache.get("wlls", HOST).ports["GI1/0/1"] == InterfaceRow()
    cache.put("WLLS", HOST.lower(), ports("1"), since=state(1), state=state(2))
    assert len(cache) == 1
    assert cache.summary("wlls", HOST).sample == (HOST,)


@pytest.mark.parametrize(("site", "host"), [("", HOST), (" ", HOST), ("WLLS", ""), ("WLLS", "\t")])
def test_blank_names_are_ignored(cache, site, host):
    cache.put(site, host, ports(), since=None, state=state(1))
    assert len(cache) == 0
    assert cache.get(site, host) is None


def test_the_rows_kept_are_those_that_were_written_last(cache):  # D9
    cache.put("WLLS", HOST, ports(status="down"), since=state(1), state=state(2))
    cache.put("WLLS", HOST, ports(status="up"), since=state(2), state=state(3))
    assert cache.get("WLLS", HOST) == Known(ports(status="up"), state(3))


def test_a_host_without_rows_is_not_kept(cache):
    cache.put("WLLS", HOST, ports(), since=None, state=state(1))
    cache.put("WLLS", HOST, HostPorts(), since=state(1), state=state(2))
    assert cache.get("WLLS", HOST) is None
    assert len(cache) == 0


def test_writing_one_host_leaves_the_others_known(cache):
    cache.put("WLLS", HOST, ports("1"), since=state(1), state=state(2))
    cache.put("WLLS", OTHER, ports("2"), since=state(2), state=state(3))
    assert cache.get("WLLS", HOST) == Known(ports("1"), state(3))
    assert cache.get("WLLS", OTHER) == Known(ports("2"), state(3))


@pytest.mark.parametrize("since", [state(3), state(2, "another database"), DatabaseState("db"), None])
def test_a_write_by_somebody_else_makes_the_other_hosts_unknown(cache, since):
    cache.put("WLLS", HOST, ports("1"), since=state(1), state=state(2))
    cache.put("BOYO", "BOYO-A01-AS-01", ports("1"), since=state(1), state=state(2))
    cache.put("WLLS", OTHER, ports("2"), since=since, state=state(4))
    assert cache.get("WLLS", HOST) is None
    assert cache.get("WLLS", OTHER) == Known(ports("2"), state(4))
    assert cache.get("BOYO", "BOYO-A01-AS-01") == Known(ports("1"), state(2))


def test_a_state_that_could_not_be_told_agrees_with_no_other(cache):
    unknown = DatabaseState("db")
    cache.put("WLLS", HOST, ports(), since=state(1), state=unknown)
    cache.put("WLLS", OTHER, ports(), since=unknown, state=unknown)
    assert cache.get("WLLS", HOST) is None
    assert not cache.get("WLLS", OTHER).state.agrees(unknown)


def test_a_state_seen_by_another_process_is_the_same_state(cache):
    cache.put("WLLS", HOST, ports(), since=None, state=DatabaseState("db", "mark", "here.4"))
    cache.put("WLLS", OTHER, ports(), since=DatabaseState("db", "mark", "there.1"), state=state(2))
    assert cache.get("WLLS", HOST) == Known(ports(), state(2))


def test_a_database_without_states_is_trusted(cache):
    cache.put("WLLS", HOST, ports("1"), since=None, state=None)
    cache.put("WLLS", OTHER, ports("2"), since=None, state=None)
    assert cache.get("WLLS", HOST) == Known(ports("1"), None)


def test_rows_of_no_state_are_not_claimed_to_be_of_a_later_one(cache):
    cache.put("WLLS", HOST, ports("1"), since=None, state=None)
    cache.put("WLLS", OTHER, ports("2"), since=state(1), state=state(2))
    assert cache.get("WLLS", HOST) is None


@settings(deadline=None)
@given(st.data())
def test_what_is_said_to_be_the_rows_in_a_state_were_the_rows_in_that_state(data):
    cache, content, past, ours = ExistingRowCache(), {}, {state(0): {}}, []
    for number in range(1, data.draw(st.integers(2, 13))):
        host = data.draw(st.sampled_from((HOST, OTHER, THIRD)))
        written = data.draw(st.sampled_from(("ours", "ours", "nothing", "theirs")))
        if written != "nothing":
            content = {**content, host: ports(name=str(number))}
        past[state(number)] = content
        if written != "theirs":
            ours.append((host, content.get(host, HostPorts()), state(number - 1), state(number)))
    # Threads may tell of their writes in another order than they wrote.
    for host, rows, since, after in data.draw(st.permutations(ours) | st.just(ours)):
        cache.put("WLLS", host, rows, since=since, state=after)
        for each in (HOST, OTHER, THIRD):
            known = cache.get("WLLS", each)
            assert known is None or known.ports == past[known.state][each]


def test_an_emptied_cache_holds_nothing(cache):  # X6
    cache.put("WLLS", HOST, ports(), since=None, state=state(1))
    cache.clear()
    assert cache.get("WLLS", HOST) is None
    assert len(cache) == 0


def test_a_summary_counts_what_is_kept(cache):
    assert cache.summary("WLLS", HOST) == KeptRows(0, (), 0)
    hosts = [f"WLLS-A01-AS-{number:02}" for number in range(1, 8)]
    for number, host in enumerate(hosts):
        cache.put("WLLS", host, ports("1", "2"), since=state(number), state=state(number + 1))
    assert cache.summary(" wlls", HOST.lower()) == KeptRows(7, tuple(hosts[:5]), 2)
    assert cache.summary("WLLS", HOST).host_exists
    assert not cache.summary("WLLS", "WLLS-B01-AS-01").host_exists


def test_the_process_has_one():
    assert existing_row_cache() is existing_row_cache()


# Importing


def test_the_rows_of_the_original_are_understood(cache, file, caplog):  # X7, D12
    rows = rows_of(
        (
            " Gi1/0/1 ",
            (
                '<S N="Name">Cam_x000A_era</S><S N="status">up</S><I32 N="VLAN">20</I32><Nil N="Duplex" />'
                '<Obj N="LearnedMACs"><LST><S>aa.1</S><S></S><S>bb.2</S></LST></Obj><S N="AuthClientMAC">cc.3</S>'
                '<S N="AuthTemplate">dot1x</S><S N="ConfigStatus">Match</S><S N="CacheSignature">its own</S>'
            ),
        ),
        ("Gi1/0/2", '<S N="Learned">aa,bb</S><S N="Template">open</S>'),
    )
    assert cache.import_snapshot(file(document(record("  wlls  ", f" {HOST} ", rows)))) == 1
    kept, trusted = cache.get("WLLS", HOST).ports, cache.get("WLLS", HOST).state
    assert trusted is None
    first = kept["gi1/0/1"]
    assert (first.name, first.status, first.vlan, first.duplex) == ("Cam\nera", "up", "20", "")
    assert (first.learned_macs, first.auth_client_mac, first.auth_template) == ("aa.1,bb.2", "cc.3", "dot1x")
    assert (first.compliance, first.signature) == ("Match", "its own")
    assert kept["Gi1/0/2"] == row_from_wire(
        "Gi1/0/2", [{"Learned": "aa,bb", "Template": "open"}.get(field, "") for field in WIRE_FIELDS]
    )
    assert not caplog.records


ROW = ("Gi1/0/1", '<S N="Name">A</S>')


@pytest.mark.parametrize(
    "objects",
    [
        record(rows=rows_of(ROW)),
        f"<Obj><LST>{record(rows=rows_of(ROW))}</LST></Obj>",
        f"<Obj><LST><Nil />{record(rows=rows_of(ROW))}</LST></Obj>",
        (
            '<Obj><DCT><En><S N="Key">SITE</S><S N="Value">WLLS</S></En>'
            f'<En><S N="Key">hostname</S><S N="Value">{HOST}</S></En>'
            f'<En><S N="Key">rows</S>{rows_of(ROW).replace("Rows", "Value", 1)}</En></DCT></Obj>'
        ),
    ],
    ids=["alone", "array", "array with null", "hash table"],
)
def test_a_record_is_understood_alone_and_in_an_array(cache, file, objects):
    assert cache.import_snapshot(file(document(objects))) == 1
    assert cache.get("WLLS", HOST) == Known(HostPorts({"Gi1/0/1": row_from_wire("Gi1/0/1", ["A", *[""] * 16])}), None)


@pytest.mark.parametrize(
    "rows",
    [
        "",
        '<Nil N="Rows" />',
        '<S N="Rows">System.Collections.Hashtable</S>',
        '<I32 N="Rows">7</I32>',
        '<Obj N="Rows"><LST><S>Gi1/0/1</S></LST></Obj>',
        '<Obj N="Rows"><DCT><En><S N="Key">Gi1/0/1</S><S N="Value">InterfaceCacheEntry</S></En></DCT></Obj>',
        '<Obj N="Rows"><DCT /></Obj>',
    ],
)
def test_rows_that_are_no_map_of_rows_are_none_and_that_is_told(cache, file, caplog, rows):  # D18
    assert cache.import_snapshot(file(document(record(rows=rows)))) == 0
    assert cache.get("WLLS", HOST) is None
    assert HOST in caplog.text


def test_records_without_site_or_host_are_left_out_and_that_is_told(cache, file, caplog):
    nameless = record(" ", HOST, rows_of(ROW)) + record("WLLS", "", rows_of(ROW)) + "<S>text</S>"
    assert cache.import_snapshot(file(document(nameless, record(rows=rows_of(ROW))))) == 1
    assert len(cache) == 1
    assert "3 things were left out, the first: host 'WLLS-A01-AS-01': record 1 has no site" in caplog.text


def test_of_two_records_of_a_host_the_last_wins(cache, file):
    first, last = rows_of(("Gi1/0/1", ROW[1])), rows_of(("Gi1/0/2", ROW[1]))
    assert cache.import_snapshot(file(document(record(rows=first), record("wlls", HOST.lower(), last)))) == 1
    assert list(cache.get("WLLS", HOST).ports) == ["Gi1/0/2"]


def test_an_import_adds_hosts_and_drops_none_that_were_loaded(cache, file):  # D10
    cache.put("WLLS", HOST, ports(status="up"), since=state(1), state=state(2))
    cache.put("BOYO", "BOYO-A01-AS-01", ports(), since=state(1), state=state(2))
    snapshot = file(document(record(rows=rows_of(ROW)), record(host=OTHER, rows=rows_of(ROW))))
    assert cache.import_snapshot(snapshot) == 1
    assert cache.get("WLLS", HOST) == Known(ports(status="up"), state(2))
    assert cache.get("WLLS", OTHER).state is None
    assert cache.get("BOYO", "BOYO-A01-AS-01") == Known(ports(), state(2))


def test_an_import_replaces_what_was_imported_before(cache, file):
    cache.import_snapshot(file(document(record(rows=rows_of(ROW)), record(host=OTHER, rows=rows_of(ROW)))))
    cache.import_snapshot(file(document(record(rows=rows_of(("Te1", ROW[1]))), record(host=THIRD, rows=rows_of(ROW)))))
    assert list(cache.get("WLLS", HOST).ports) == ["Te1"]
    assert cache.get("WLLS", OTHER) is not None
    assert cache.get("WLLS", THIRD) is not None
    cache.import_snapshot(file(document(record(rows='<Obj N="Rows"><DCT /></Obj>'))))
    assert cache.get("WLLS", HOST) is None


def test_imported_rows_are_trusted_until_the_host_itself_is_written(cache, file):  # X7
    cache.import_snapshot(file(document(*(record(host=host, rows=rows_of(ROW)) for host in (HOST, OTHER, THIRD)))))
    cache.put("WLLS", HOST, ports(), since=state(1), state=state(2))
    assert cache.get("WLLS", HOST) == Known(ports(), state(2))
    assert cache.get("WLLS", OTHER).state is None
    cache.put("WLLS", OTHER, ports(), since=state(7), state=state(8))
    assert cache.get("WLLS", HOST) is None
    assert cache.get("WLLS", OTHER) == Known(ports(), state(8))
    assert cache.get("WLLS", THIRD).state is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (document("<S>text</S>"), "none of its 1 objects"),
        (document('<Obj><MS><S N="SiteKey">WLLS</S></MS></Obj>'), "none of its 1 objects"),
        (document(record(), "\n<Unknown />"), "line 2, <Unknown>"),
        (document(record())[:-20], "not well-formed"),
    ],
)
def test_a_file_that_is_no_snapshot_of_rows_is_refused_and_changes_nothing(cache, file, text, reason):
    cache.put("WLLS", HOST, ports(), since=None, state=state(1))
    path = file(text)
    with pytest.raises(SnapshotError, match=reason) as caught:
        cache.import_snapshot(path)
    assert caught.value.path == path
    assert cache.get("WLLS", HOST) == Known(ports(), state(1))


@pytest.mark.parametrize("text", [document(), document("<Nil />"), document("<Obj><LST /></Obj>")])
def test_a_snapshot_of_nothing_is_one_without_records(cache, file, text):
    assert cache.import_snapshot(file(text)) == 0


def test_a_snapshot_is_imported_once(cache, file, monkeypatch):
    path = file(document(record(rows=rows_of(ROW))))
    monkeypatch.chdir(path.parent)
    assert cache.import_once(path)
    cache.clear()
    assert not cache.import_once(path.name)
    assert len(cache) == 0
    another = path.rename(path.with_name("another.clixml"))
    assert cache.import_once(another)
    assert len(cache) == 1


def test_an_unreadable_snapshot_is_told_once(cache, tmp_path):
    with pytest.raises(SnapshotError, match="no such file"):
        cache.import_once(tmp_path / "missing.clixml")
    assert not cache.import_once(tmp_path / "missing.clixml")
    with pytest.raises(SnapshotError, match="cannot be read"):
        cache.import_once(tmp_path)


def test_all_threads_wait_for_the_one_import(cache, file):
    path = file(document(*(record(host=f"WLLS-{number}", rows=rows_of(ROW)) for number in range(200))))
    barrier, outcomes = threading.Barrier(6), []

    def use():
        barrier.wait(10)
        imported = cache.import_once(path)
        outcomes.append((imported, cache.get("WLLS", "WLLS-199") is not None))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == [(False, True)] * 5 + [(True, True)]


# Exporting


def joined(text):
    """In UTF-16, two halves of a pair that stand side by side are the character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


texts = st.one_of(
    st.sampled_from(["", "auto", "open", " port-name A\n exit", "interface Gi1\r\n switchport\r\n", "_x000A_"]),
    st.text(
        st.one_of(
            st.sampled_from("_x005F\r\n\t &<>\"'\x00\x85\ufffe\ud800\udfff\U0001f600"), st.characters(codec=None)
        ),
        max_size=8,
    ).map(joined),
)
names = texts.filter(str.strip)
rows = st.lists(texts, min_size=17, max_size=17).map(lambda values: row_from_wire("Gi1", values))
sites = st.dictionaries(
    names,
    st.dictionaries(names, st.dictionaries(names, rows, min_size=1, max_size=2).map(HostPorts), max_size=3),
    max_size=3,
)


def filled(content):
    cache = ExistingRowCache()
    for site, hosts in content.items():
        for number, (host, kept) in enumerate(hosts.items()):
            cache.put(site, host, kept, since=state(number), state=state(number + 1))
    return cache


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(sites)
def test_what_is_exported_is_imported_equal(tmp_path_factory, content):
    cache, restored = filled(content), ExistingRowCache()
    path = tmp_path_factory.mktemp("snapshot") / "rows.clixml"
    assert cache.export_snapshot(path) == len(cache)
    if not len(cache):
        assert not path.exists()
        return
    assert restored.import_snapshot(path) == len(cache)
    for site, hosts in content.items():
        for host in hosts:
            assert restored.get(site, host) == Known(cache.get(site, host).ports, None)
    again = path.with_name("again.clixml")
    restored.export_snapshot(again)
    assert again.read_bytes() == path.read_bytes()


def test_an_export_is_written_as_powershell_would(cache, tmp_path):
    path = tmp_path / "new" / "rows.clixml"
    cache.put("WLLS", HOST, ports("Gi1/0/1", name="R&D"), since=None, state=state(1))
    cache.put("WLLS", OTHER, ports("Gi1/0/2"), since=state(1), state=state(2))
    assert cache.export_snapshot(path) == 2
    text = path.read_bytes().decode()
    lines = text.split("\r\n")
    assert lines[:7] == [
        f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">', '  <Obj RefId="0">', '    <TN RefId="0">',
        "      <T>System.Object[]</T>", "      <T>System.Array</T>", "      <T>System.Object</T>", "    </TN>",
    ]  # fmt: skip
    assert [line.strip() for line in lines if "RefId" in line][2:] == [
        '<Obj RefId="1">', '<TN RefId="1">', '<Obj N="Rows" RefId="2">', '<TN RefId="2">',
        '<Obj N="Value" RefId="3">', '<TN RefId="3">',
        '<Obj RefId="4">', '<TNRef RefId="1" />', '<Obj N="Rows" RefId="5">', '<TNRef RefId="2" />',
        '<Obj N="Value" RefId="6">', '<TNRef RefId="3" />',
    ]  # fmt: skip
    # Each element stands two blanks further in than the one that it stands in.
    depth = 0
    for line in lines:
        depth -= line.lstrip().startswith("</")
        assert len(line) - len(line.lstrip()) == 2 * depth
        depth += not line.endswith("/>") and not line.lstrip().startswith("</") and line.count("</") == 0
    (records,) = deserialize_clixml(text, cipher=None)
    assert [(str(one.Site), str(one.Hostname), list(map(str, one.Rows))) for one in records] == [
        ("WLLS", HOST, ["Gi1/0/1"]),
        ("WLLS", OTHER, ["Gi1/0/2"]),
    ]
    assert str(records[0].Rows["Gi1/0/1"].Name) == "R&D"


def test_rows_survive_at_full_depth(cache, tmp_path):  # 8.4: the notes of the project report hosts without rows
    row = InterfaceRow(
        name="Camera", config=" exit\n", auth_template="dot1x", stated_tooltip="own", stated_signature="x"
    )
    cache.put("WLLS", HOST, HostPorts({"Gi1/0/1": row}), since=None, state=state(1))
    cache.export_snapshot(tmp_path / "rows.clixml")
    assert read_row_snapshot(tmp_path / "rows.clixml").records == (
        HostRecord("WLLS", HOST, HostPorts({"Gi1/0/1": row})),
    )


def test_an_export_that_would_not_read_back_equal_leaves_the_file_alone(tmp_path):
    path = tmp_path / "rows.clixml"
    path.write_bytes(b"the old one")
    halves = CaseInsensitiveMap({"Gi1": InterfaceRow(name="\ud83d\ude00")})
    with pytest.raises(SnapshotError, match="does not read back"):
        write_row_snapshot(path, [HostRecord("WLLS", HOST, halves)])
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_row_that_states_what_is_derived_anyway_can_be_exported(cache, tmp_path):
    row = InterfaceRow(name="A")
    stating = msgspec.structs.replace(row, stated_tooltip=row.tooltip, stated_signature=row.signature)
    cache.put("WLLS", HOST, HostPorts({"Gi1": stating}), since=None, state=state(1))
    assert cache.export_snapshot(tmp_path / "rows.clixml") == 1


# Threads and processes


def test_threads_never_see_rows_in_a_state_in_which_they_were_not(cache):
    wrong, stop = [], threading.Event()
    writing, number, content = threading.Lock(), 0, {}
    past = {state(0): {}}

    def write(host):
        nonlocal content, number
        for _ in range(300):
            with writing:
                since, number = state(number), number + 1
                after = state(number)
                content = {**content, host: ports(name=str(number))}
                past[after] = content
                rows = content[host]
            cache.put("WLLS", host, rows, since=since, state=after)

    def read():
        while not stop.is_set():
            for host in (HOST, OTHER, THIRD):
                known = cache.get("wlls", host)
                if known is not None and past[known.state][host] != known.ports:
                    wrong.append(known)
            cache.summary("WLLS", HOST)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(host,)) for host in (HOST, OTHER, THIRD)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(20)
    stop.set()
    reader.join(20)
    assert wrong == []
    assert len(cache) >= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_can_use_a_cache_that_another_thread_had_locked(cache, file):
    cache.put("WLLS", HOST, ports(), since=None, state=state(1))
    path = file(document(record(host=OTHER, rows=rows_of(ROW))))
    locked, forked = threading.Event(), threading.Event()

    def hold():
        with cache._lock, cache._import_lock:
            locked.set()
            forked.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    child = os.fork()
    if not child:
        signal.alarm(10)
        cache.put("WLLS", THIRD, ports(), since=state(1), state=state(2))
        used = cache.import_once(path) and cache.get("WLLS", OTHER) is not None
        os._exit(not (used and cache.get("WLLS", HOST).state == state(2)))
    forked.set()
    holder.join(10)
    assert os.waitpid(child, 0)[1] == 0
    assert len(cache) == 1

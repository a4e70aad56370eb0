"""Budgets, required sites and summaries of snapshots."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from statetrace.cache import write_snapshot
from statetrace.cache.snapshot_check import SnapshotBudgets, check_snapshot, summarize, write_summary
from statetrace.model import HostPorts, InterfaceRow, SiteEntry

NOW = 1_700_000_000.0


def site(hosts, ports=1):
    return SiteEntry(
        {f"H-{host}": HostPorts({f"Gi{port}": InterfaceRow() for port in range(ports)}) for host in range(hosts)}
    )


@pytest.fixture
def written(tmp_path):
    def write(entries, name="cache.clixml", age_hours=1.0):
        path = tmp_path / name
        write_snapshot(path, entries)
        os.utime(path, (NOW, NOW - age_hours * 3600))
        return path

    return write


def types(path, budgets=None, **options):
    check = check_snapshot(path, budgets or SnapshotBudgets(), now=NOW, **options)
    assert check.passed == (not check.issues)
    return [issue.type for issue in check.issues]


def test_a_sound_snapshot_passes_and_no_site_is_required_by_default(written):
    check = check_snapshot(written({"BOYO": site(2, 3)}), now=NOW)
    assert check.passed
    assert (check.site_count, check.host_count, check.row_count, check.age_hours) == (1, 2, 6, 1.0)
    assert check.size_bytes > 1000


@pytest.mark.parametrize(
    ("budgets", "issue"),
    [
        (SnapshotBudgets(max_bytes=1000), "SizeBudgetExceeded"),
        (SnapshotBudgets(max_hosts=3), "HostCountExceeded"),
        (SnapshotBudgets(max_rows=7), "RowCountExceeded"),
        (SnapshotBudgets(max_age_hours=0.5), "SnapshotTooOld"),
        (SnapshotBudgets(min_sites=3), "InsufficientSites"),
        (SnapshotBudgets(min_hosts=5), "InsufficientHosts"),
        (SnapshotBudgets(min_rows=9), "InsufficientRows"),
        (SnapshotBudgets(required_sites=("boyo", "LAB", "PARK")), "MissingSites"),
    ],
)
def test_each_budget_has_its_issue(written, budgets, issue):
    path = written({"BOYO": site(2, 2), "WLLS": site(2, 2)})
    assert types(path) == []
    assert types(path, budgets) == [issue]


def test_limits_themselves_are_within_budget(written):
    path = written({"BOYO": site(2, 2)}, age_hours=168)
    exact = SnapshotBudgets(
        max_bytes=path.stat().st_size, max_hosts=2, max_rows=4, min_sites=1, min_hosts=2, min_rows=4, required_sites=(" boyo ", "")
    )  # fmt: skip
    assert types(path, exact) == []


def test_missing_sites_are_named_in_the_order_required(written):
    check = check_snapshot(written({"BOYO": site(1)}), SnapshotBudgets(required_sites=("WLLS", "BOYO", "LAB")), now=NOW)
    assert check.missing_sites == ("WLLS", "LAB")
    assert "WLLS, LAB" in check.issues[0].message


@pytest.mark.parametrize(("hosts", "issues"), [(20, []), (19, []), (18, ["UnexpectedShrinkage"]), (30, [])])
def test_shrinking_by_more_than_five_per_cent_is_an_issue(written, hosts, issues):
    baseline = written({"BOYO": site(20)}, "baseline.clixml")
    assert types(written({"BOYO": site(hosts)}), baseline=baseline) == issues


STORE = b'{"EventName":"InterfaceSiteCacheSharedStore","Operation":"%s"}\r\n'


@pytest.mark.parametrize(("removals", "issues"), [(0, []), (10, []), (11, ["HighEvictionRate"])])
def test_removals_are_counted_among_the_operations_of_the_store(written, tmp_path, removals, issues):
    lines = [STORE % b"Remove"] * removals + [STORE % b"Set"] * (100 - removals)
    others = [b'{"EventName":"InterfaceSiteCacheMetrics","Operation":"Remove"}\r\n'] * 90
    broken = [
        b"\r\n",
        b"torn\r\n",
        b'{"EventName":"\xff"}\r\n',
        b'{"EventName":' + b"[" * 100_000 + b"\r\n",
        b'{"EventName":7}\r\n',
    ]
    (tmp_path / "2025-12-05.json").write_bytes(b"\xef\xbb\xbf" + b"".join(lines[:50] + others + broken))
    (tmp_path / "2025-12-06.json").write_bytes(b"".join(lines[50:]))
    days = [tmp_path / "2025-12-05.json", tmp_path / "2025-12-06.json"]
    assert types(written({"BOYO": site(1)}), events=days) == issues


def test_events_that_are_not_there_are_an_issue(written, tmp_path):
    assert types(written({"BOYO": site(1)}), events=[tmp_path / "absent.json"]) == ["EventsNotFound"]


def test_an_empty_snapshot_is_an_issue(written):
    assert types(written({})) == ["EmptySnapshot", "InsufficientSites", "InsufficientHosts", "InsufficientRows"]


def test_a_missing_or_damaged_file_is_an_issue_and_no_error(written, tmp_path):
    assert types(tmp_path / "absent.clixml") == ["SnapshotNotFound"]
    broken = written({"BOYO": site(1)})
    broken.write_bytes(broken.read_bytes()[:-10])
    os.utime(broken, (NOW, NOW))
    assert types(broken) == ["SchemaInvalid"]
    whole = written({"BOYO": site(1, 2)})
    text = whole.read_bytes()
    start = text.index(b'<Obj N="Value"', text.index(b">Gi1<"))
    row = text[start : text.index(b"</En>", start)]
    whole.write_bytes(text.replace(row, b'<S N="Value">StateTrace.Models.InterfaceCacheEntry</S>'))
    os.utime(whole, (NOW, NOW))
    (issue,) = check_snapshot(whole, now=NOW).issues
    assert issue.type == "SchemaInvalid"
    assert "site 'BOYO', host 'H-0', port 'Gi1': the text 'StateTrace.Models" in issue.message
    good = written({"BOYO": site(1)}, "good.clixml")
    assert types(good, baseline=broken) == ["BaselineInvalid"]


def test_a_summary_is_a_list_always(tmp_path):
    path = tmp_path / "new" / "cache-summary.json"
    moment = datetime(2025, 11, 12, 17, 35, tzinfo=UTC)
    for entries in ({}, {"Ü": site(2, 3)}, {"A": site(0).evolve(cached_at=moment), "B": site(1)}):
        write_summary(path, entries)
        assert json.loads(path.read_text("utf-8")) == summarize(entries)
    assert summarize({"A": site(2, 3).evolve(cached_at=moment)}) == [
        {"Site": "A", "Hosts": 2, "TotalRows": 6, "CachedAt": "2025-11-12T17:35:00+00:00"}
    ]
    assert [file.name for file in path.parent.iterdir()] == ["cache-summary.json"]

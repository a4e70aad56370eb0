"""A warm run over real logs: what it proves, what it leaves alone, and which fault it shows."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

import msgspec
import pytest

from statetrace.analysis.gates.verification import verify_telemetry
from statetrace.analysis.warm.between import BetweenPasses
from statetrace.analysis.warm.comparison import compare
from statetrace.analysis.warm.pass_start import HistorySeed, WarmCache
from statetrace.analysis.warm.warm_rows import read_export
from statetrace.analysis.warm.warm_run import WarmRun, WarmRunOptions
from statetrace.cache import SharedSiteCache, read_snapshot
from statetrace.engine import Engine
from statetrace.errors import StateTraceError
from statetrace.ingestion.corpus import CorpusPlan, write_corpus
from statetrace.model import HostPorts, InterfaceRow, SiteEntry
from statetrace.model.site_entry import DatabaseState
from statetrace.settings import Settings
from statetrace.telemetry import Telemetry

PLAN = CorpusPlan.original_shape()
SMALL = CorpusPlan.of_size(2, 6, 8)


@pytest.fixture
def logs(tmp_path):
    write_corpus(tmp_path / "Logs", SMALL)
    return tmp_path / "Logs"


def run(logs, tmp_path, **options):
    named = {name: options.pop(name) for name in ("data", "settings", "history") if name in options}
    return WarmRun(logs, tmp_path / "Evidence", WarmRunOptions(**options), **named).run()


def labelled(rows, label):
    return [row for row in rows if row.pass_label == label]


def failures(report):
    """The codes of the gates that fail, but for those of time: six hosts on a busy machine prove nothing of it."""
    verdict = verify_telemetry(report_folder(report))
    return set(verdict.violations) - {"ImprovementPercent", "WarmAverageDelta"}


def report_folder(report):
    return Path(report.folder)


class TestIdenticalLogs:
    def test_all_hosts_are_hits_and_no_row_changes(self, tmp_path):
        write_corpus(tmp_path / "Logs", PLAN)
        report = run(tmp_path / "Logs", tmp_path)
        assert failures(report) == set()  # how much faster, processes of their own show: tests/test_readme.py
        found = report.comparison
        assert (found.cold_host_count, found.warm_host_count) == (37, 37)
        assert (found.warm_cache_provider_hit_count, found.warm_cache_hit_ratio_percent) == (37, 100.0)
        assert (found.warm_rows_compared, found.warm_rows_changed) == (1320, 0)
        assert found.warm_signature_match_miss_count == found.warm_signature_rewrite_total == 0
        assert report.warnings == ()

    @pytest.mark.parametrize(
        "options",
        [
            {"refresh": True},
            {"warm_cache": WarmCache.LIVE},
            {"cold_history": HistorySeed.SNAPSHOT},
            {"jobs": 2},
        ],
        ids=str,
    )
    def test_however_the_warm_pass_is_prepared(self, logs, tmp_path, options):
        report = run(logs, tmp_path, **options)
        assert report.comparison.warm_cache_hit_ratio_percent == 100.0
        assert report.comparison.warm_rows_changed == 0

    def test_two_processes_are_as_fair_as_one(self, tmp_path):
        write_corpus(tmp_path / "Logs", PLAN)
        assert failures(run(tmp_path / "Logs", tmp_path, jobs=2)) == set()

    def test_known_logs_are_told_as_such(self, logs, tmp_path):
        report = run(logs, tmp_path, warm_history=HistorySeed.COLD_OUTPUT)
        assert report.warm.totals.outcomes == {"skipped_duplicate": 6}
        states = [row for row in read_export(tmp_path / "Evidence" / "WarmRunTelemetry-latest.json") if row.metric_name]
        assert {(row.metric_status_reason, row.history_seed_mode) for row in states} == {
            ("SkippedDuplicateOnly", "ColdOutput")
        }

    def test_the_comparison_can_be_limited_to_hosts(self, logs, tmp_path):
        host = min(path.stem for path in logs.glob("*.log"))
        report = run(logs, tmp_path, hosts=(host.lower(),))
        assert [pair.host for pair in report.comparison.hosts] == [host]
        assert run(logs, tmp_path, hosts=(host, "NONE-A01"), partial_hosts=True).comparison.warm_host_count == 1
        assert len({row.hostname for row in labelled(read_export(Path(report.export)), "WarmPass")}) == 6

    def test_limited_to_hosts_it_leaves_out_what_reads_of_other_sites_rewrote(self, logs, tmp_path):
        stale = report_folder(run(logs, tmp_path)) / "SharedCacheSnapshot-ColdPass.clixml"
        write_corpus(tmp_path / "Later", msgspec.structs.replace(SMALL, generation=2, change_percent=50))
        host, *others = sorted(path.stem for path in logs.glob("*.log"))
        for other in others:
            if other.partition("-")[0] != host.partition("-")[0]:
                shutil.copy(tmp_path / "Later" / f"{other}.log", logs)
        assert run(logs, tmp_path, snapshot=stale).comparison.warm_signature_rewrite_total > 0
        assert run(logs, tmp_path, snapshot=stale, hosts=(host,)).comparison.warm_signature_rewrite_total == 0

    def test_rows_of_a_snapshot_are_lent_their_origin_and_nothing_else(self, tmp_path):
        settings = Settings()
        live, state = SharedSiteCache(settings=settings), DatabaseState("a", "1@5", "p.1")
        entry = SiteEntry({"ALDR-A01-AS-01": HostPorts({"1/1": InterfaceRow(status="up")})}, source=state)
        live.put("ALDR", entry)
        live.export_snapshot(tmp_path / "rows.clixml")
        between = BetweenPasses(tmp_path, Telemetry.to_directory(tmp_path / "Told"))
        filled = between.warm_cache(WarmCache.SNAPSHOT, live, tmp_path / "rows.clixml", settings).entries()["ALDR"]
        assert (filled, filled.source, between.origins_lent) == (entry, state, 1)
        assert filled is not live.entries()["ALDR"]

    def test_the_sites_that_were_lent_their_origin_are_counted(self, logs, tmp_path):
        assert run(logs, tmp_path).origins_lent == 2
        assert run(logs, tmp_path, warm_cache=WarmCache.LIVE).origins_lent == 0

    def test_the_cold_pass_is_not_filled_from_the_snapshot_of_the_settings(self, logs, tmp_path):
        snapshot = report_folder(run(logs, tmp_path)) / "SharedCacheSnapshot-ColdPass.clixml"
        report = run(logs, tmp_path, settings=Settings(shared_cache_snapshot=snapshot))
        told = "".join(path.read_text() for path in (report_folder(report) / "ColdPass").glob("*.json"))
        assert "SnapshotImported" not in told
        assert "InterfaceSiteCacheMetrics" in told

    @pytest.fixture
    def known(self, logs, tmp_path):
        """The data folder of an engine that ingested the logs."""
        with Engine(tmp_path / "Data") as engine:
            engine.ingest(logs)
        return tmp_path / "Data"

    def test_logs_known_to_a_data_folder_are_known_to_the_warm_pass_of_a_run_outside_it(self, logs, tmp_path, known):
        report = run(logs, tmp_path, warm_history=HistorySeed.SNAPSHOT, history=known / "IngestionHistory")
        assert report.warm.totals.outcomes == {"skipped_duplicate": 6}
        assert report.warnings == ()

    @pytest.mark.parametrize("seed", [HistorySeed.SNAPSHOT, HistorySeed.WARM_BACKUP])
    def test_new_databases_lack_the_rows_of_known_logs_which_is_told(self, logs, tmp_path, known, seed):
        report = run(logs, tmp_path, cold_history=seed, history=known / "IngestionHistory")
        assert report.cold.totals.outcomes == {"ingested": 6}
        assert any("parsed all the same" in told for told in report.warnings)

    @pytest.mark.parametrize("seed", [HistorySeed.SNAPSHOT, HistorySeed.WARM_BACKUP])
    def test_in_place_the_cold_pass_passes_over_known_logs(self, logs, tmp_path, known, seed):
        report = run(logs, tmp_path, cold_history=seed, data=known)
        assert report.cold.totals.outcomes == {"skipped_duplicate": 6}

    def test_a_seed_without_a_history_is_a_warning(self, logs, tmp_path):
        (told,) = run(logs, tmp_path, warm_history=HistorySeed.SNAPSHOT, history=tmp_path / "none").warnings
        assert "none holds no history" in told


class TestWhatIsRefused:
    def refused(self, logs, tmp_path, match, **options):
        with pytest.raises(StateTraceError, match=match):
            run(logs, tmp_path, **options)
        assert not list((tmp_path / "Evidence").glob("Run-*"))

    def test_a_host_that_the_cold_pass_did_not_write_is_told_with_a_near_name_and_leaves_nothing(self, logs, tmp_path):
        host = min(path.stem for path in logs.glob("*.log"))
        self.refused(logs, tmp_path, f"no host {host}x; did you mean.* {host}", hosts=(f"{host}x",))

    def test_of_a_host_like_no_other_those_are_told_that_there_are(self, logs, tmp_path):
        self.refused(logs, tmp_path, r"no host QQQ; it wrote .*, .* and 1 more", hosts=("QQQ",))

    def test_a_folder_without_logs(self, tmp_path):
        (tmp_path / "Logs").mkdir()
        self.refused(tmp_path / "Logs", tmp_path, "no raw logs")
        assert not (tmp_path / "Evidence").exists()

    def test_logs_without_a_host(self, tmp_path):
        (tmp_path / "Logs").mkdir()
        (tmp_path / "Logs" / "note.txt").write_text("no device at all")
        self.refused(tmp_path / "Logs", tmp_path, "no raw logs .* of a host")

    def test_a_folder_without_logs_for_the_warm_pass(self, logs, tmp_path):
        (tmp_path / "Other").mkdir()
        self.refused(logs, tmp_path, "Other holds no raw logs", warm_logs=tmp_path / "Other")

    def test_a_data_folder_that_is_not_there(self, logs, tmp_path):
        self.refused(logs, tmp_path, "no such data folder", data=tmp_path / "Dtaa")
        assert not (tmp_path / "Dtaa").exists()

    def test_databases_in_which_no_host_can_be_written(self, logs, tmp_path):
        for site in {path.stem.partition("-")[0] for path in logs.glob("*.log")}:
            (tmp_path / "Data" / site).mkdir(parents=True)
            (tmp_path / "Data" / site / f"{site}.sqlite").write_text("no database, however long it is read" * 100)
        self.refused(logs, tmp_path, "every host failed; ColdPass: .*: database_failed: ", data=tmp_path / "Data")

    def test_telemetry_that_is_damaged_before_its_last_line(self, logs, tmp_path):
        (tmp_path / "Evidence").mkdir()
        (tmp_path / "Evidence" / "2026-01-01.json").write_text('{"EventNa\n{"EventName":"RowsWritten"}\n')
        self.refused(logs, tmp_path, r"2026-01-01\.json:1 .*--skip-preflight")
        assert run(logs, tmp_path, preflight=False).comparison.warm_host_count == 6


class TestEvidence:
    def test_the_export_gives_the_same_comparison_as_the_run(self, logs, tmp_path):
        report = run(logs, tmp_path)
        rows = read_export(tmp_path / "Evidence" / "WarmRunTelemetry-latest.json")
        again = compare(rows[:-1])
        original_fields = msgspec.to_builtins(report.comparison.row())
        assert {
            name: value for name, value in msgspec.to_builtins(again.row()).items() if value is not None
        }.items() <= (original_fields.items())
        assert rows[-1] == report.comparison.row()

    def test_as_exported_it_gives_the_comparison_of_the_original(self, logs, tmp_path):
        report = run(logs, tmp_path, as_exported=True)
        assert read_export(Path(report.export))[-1] == report.as_exported.row() != report.comparison.row()

    def test_the_rows_tell_what_was_cached_between_the_passes(self, logs, tmp_path):
        report = run(logs, tmp_path, refresh=True)
        rows = read_export(report_folder(report) / f"WarmRunTelemetry-{report_folder(report).name[4:]}.json")
        labels = [row.pass_label for row in rows]
        assert list(dict.fromkeys(labels)) == [
            "ColdPass",
            "SharedCacheState:PostColdPass",
            "CacheProbe:PostColdPass",
            "SharedCacheSnapshot:PostColdPass",
            "CacheRefresh",
            "SharedCacheState:PostRefresh",
            "CacheState:PostRefresh",
            "CacheProbe",
            "SharedCacheSnapshot:PostRefresh",
            "SharedCacheRestore:PreWarmPass",
            "SharedCacheState:PostRestore",
            "SharedCacheState:PreWarmPass",
            "CacheState:PreWarmPass",
            "WarmPass",
            "WarmRunComparison",
        ]
        refreshed = labelled(rows, "CacheRefresh")
        assert all(row.host_map_signature_match_count == row.total_rows == 24 for row in refreshed)
        assert all(row.host_map_signature_rewrite_count == 0 for row in refreshed)
        (restored,) = labelled(rows, "SharedCacheRestore:PreWarmPass")
        assert restored.restored_count == 2

    def test_a_run_leaves_its_snapshot_and_history(self, logs, tmp_path):
        folder = report_folder(run(logs, tmp_path))
        assert len(read_snapshot(folder / "SharedCacheSnapshot-ColdPass.clixml").entries) == 2
        assert len(list((folder / "History").glob("*.json"))) == 2

    def test_runs_within_a_second_have_folders_of_their_own(self, logs, tmp_path):
        assert run(logs, tmp_path).folder != run(logs, tmp_path).folder

    def test_a_last_line_that_is_torn_is_a_warning(self, logs, tmp_path):
        (tmp_path / "Evidence").mkdir()
        (tmp_path / "Evidence" / "2026-01-01.json").write_text('{"EventName":"RowsWritten"}\n{"EventNa')
        (warning,) = run(logs, tmp_path).warnings
        assert "2026-01-01.json:2, the last line, is torn" in warning

    def test_paths_may_be_text(self, logs, tmp_path):
        report = WarmRun(str(logs), str(tmp_path / "Evidence"), WarmRunOptions(warm_logs=str(logs))).run()
        assert report.comparison.warm_host_count == 6

    def test_a_run_is_marked_as_incomplete_until_its_evidence_is_whole(self, logs, tmp_path):
        marks = []
        job = WarmRun(
            logs, tmp_path / "Evidence", on_pass=lambda _, __: marks.append((job.folder / "INCOMPLETE").exists())
        )
        report = job.run()
        assert marks == [True, True]
        assert str(job.folder) == report.folder
        assert not (job.folder / "INCOMPLETE").exists()

    def test_an_interrupted_run_stays_marked(self, logs, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
        (tmp_path / "scratch").mkdir()

        def interrupt(label, _):
            if label == "WarmPass":
                raise KeyboardInterrupt

        job = WarmRun(logs, tmp_path / "Evidence", on_pass=interrupt)
        with pytest.raises(KeyboardInterrupt):
            job.run()
        assert (job.folder / "INCOMPLETE").exists()
        assert list((tmp_path / "scratch").iterdir()) == []

    def test_an_interrupt_of_the_cold_pass_ends_the_run(self, logs, tmp_path):
        passes, outcomes = [], []

        def interrupt_once(outcome):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                signal.raise_signal(signal.SIGINT)

        job = WarmRun(
            logs, tmp_path / "Evidence", on_pass=lambda label, _: passes.append(label), on_outcome=interrupt_once
        )
        with pytest.raises(KeyboardInterrupt):
            job.run()
        assert passes == ["ColdPass"]
        assert (job.folder / "INCOMPLETE").exists()

    def test_older_runs_are_removed_if_few_are_to_be_kept(self, logs, tmp_path):
        first, second = report_folder(run(logs, tmp_path)), report_folder(run(logs, tmp_path))
        others = [tmp_path / "Evidence" / name for name in ("Run-20200101-000000", "Run-mine", "20200101")]
        for other in others:  # of the original, of a user
            other.mkdir()
        under_way = tmp_path / "Evidence" / "Run-20200102-000000"
        shutil.copytree(first, under_way)
        (under_way / "WarmRunTelemetry-20200102-000000.json").write_text("[]")
        (under_way / "INCOMPLETE").touch()
        report = run(logs, tmp_path, keep=2)
        assert report.removed == (str(first),)
        assert not first.exists()
        assert all(path.is_dir() for path in (second, report_folder(report), under_way, *others))

    def test_a_host_that_fails_is_one_host(self, logs, tmp_path):
        (logs / "ALDR-A09-AS-09.log").write_text("ALDR-A09-AS-09#show nonsense\n% Invalid input\n")
        report = run(logs, tmp_path)
        assert report.comparison.warm_host_count == 6
        assert report.comparison.warm_cache_hit_ratio_percent == 100.0
        (warning,) = report.warnings
        assert warning.startswith("ColdPass and WarmPass: ALDR-A09-AS-09: ")

    def test_what_fails_many_hosts_for_one_reason_is_told_once(self, logs, tmp_path):
        for number in range(7):
            (logs / f"ALDR-A09-AS-0{number}.log").write_text(f"ALDR-A09-AS-0{number}#show nonsense\n")
        report = run(logs, tmp_path)
        assert len(report.cold.failed) == 7
        (warning,) = report.warnings
        assert "ALDR-A09-AS-04 and 2 more: " in warning

    def test_files_that_are_not_used_are_told_by_pass(self, logs, tmp_path):
        shutil.copytree(logs, tmp_path / "Other")
        lost = min((tmp_path / "Other").glob("*.log"))
        lost.write_text("")
        report = run(logs, tmp_path, warm_logs=tmp_path / "Other")
        assert report.cold.unused_files == ()
        assert [(file.path, file.reason) for file in report.warm.unused_files] == [(str(lost), "is empty")]
        assert report.comparison.cold_only_hosts == (lost.stem,)


class TestWhatIsLeftAlone:
    def test_a_run_touches_no_data_folder(self, logs, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before = {path.name for path in tmp_path.iterdir()}
        run(logs, tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == before | {"Evidence"}

    def test_in_place_the_databases_keep_the_rows_and_the_history_is_as_it_was(self, logs, tmp_path):
        with Engine(tmp_path / "Data") as engine:
            engine.ingest(logs)
        history = {path: path.read_bytes() for path in (tmp_path / "Data" / "IngestionHistory").glob("*.json")}
        assert history
        report = run(logs, tmp_path, data=tmp_path / "Data")
        assert report.cold.totals.rows_unchanged == report.warm.totals.rows_unchanged == 48
        assert report.comparison.warm_cache_hit_ratio_percent == 100.0
        assert {path: path.read_bytes() for path in (tmp_path / "Data" / "IngestionHistory").glob("*.json")} == history

    def test_the_skip_setting_is_off_unless_it_is_to_be_kept(self, logs, tmp_path):
        settings = Settings(skip_site_cache_update=True)
        assert run(logs, tmp_path, settings=settings).comparison.warm_cache_hit_ratio_percent == 100.0
        kept = run(logs, tmp_path, settings=settings, preserve_skip=True)
        assert kept.comparison.warm_cache_hit_ratio_percent == 0.0


class TestFaults:
    def test_a_shared_cache_that_is_switched_off_fails_the_hits(self, logs, tmp_path):
        report = run(logs, tmp_path, settings=Settings(shared_cache_enabled=False))
        assert {"HitRatio", "WarmCacheMissCount", "SnapshotImported"} <= failures(report)

    def test_a_lost_snapshot_fails_import_and_hits(self, logs, tmp_path):
        report = run(logs, tmp_path, snapshot=tmp_path / "gone.clixml")
        assert {"HitRatio", "WarmCacheMissCount", "SnapshotImported"} <= failures(report)
        assert any("gone.clixml" in warning for warning in report.warnings)

    def test_an_empty_cache_fails_likewise(self, logs, tmp_path):
        report = run(logs, tmp_path, warm_cache=WarmCache.EMPTY)
        assert {"HitRatio", "SnapshotImported"} <= failures(report)

    def test_a_stale_snapshot_fails_the_refreshes(self, logs, tmp_path):
        earlier = run(logs, tmp_path)
        stale = report_folder(earlier) / "SharedCacheSnapshot-ColdPass.clixml"
        write_corpus(logs, msgspec.structs.replace(SMALL, generation=2, change_percent=20), force=True)
        report = run(logs, tmp_path, snapshot=stale)
        assert {"AccessRefresh", "HitRatio"} <= failures(report)
        assert "SnapshotImported" not in failures(report)

    def test_one_changed_host_fails_the_changed_rows_and_is_named(self, logs, tmp_path):
        changed = tmp_path / "Changed"
        shutil.copytree(logs, changed)
        log = min(changed.glob("*.log"))
        write_corpus(tmp_path / "Later", msgspec.structs.replace(SMALL, generation=2, change_percent=50))
        shutil.copy(tmp_path / "Later" / log.name, log)
        report = run(logs, tmp_path, warm_logs=changed)
        assert report.comparison.warm_cache_hit_ratio_percent == 100.0
        assert report.comparison.warm_rows_changed > 0
        verdict = verify_telemetry(report_folder(report))
        named = {offender.host for gate in verdict.gates if gate.failed for offender in gate.offenders if offender.host}
        assert log.stem in named

    def test_a_forced_refresh_fails_the_refreshes(self, logs, tmp_path):
        report = run(logs, tmp_path, settings=Settings(force_site_cache_refresh=True))
        assert "AccessRefresh" in failures(report)

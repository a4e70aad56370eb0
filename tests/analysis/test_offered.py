"""What the package offers is there under its name, and whoever only reads telemetry does not wait for a database."""

from __future__ import annotations

import subprocess
import sys

import pytest

from statetrace import analysis


@pytest.mark.parametrize("name", analysis.__all__)
def test_what_is_offered_is_there_under_its_name(name):
    assert getattr(analysis, name).__name__ == name


def test_nothing_else_is_there():
    assert sorted(analysis._HOMES) == sorted(analysis.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        analysis.nothing  # noqa: B018


def test_reports_and_checks_do_without_a_database():
    imports = "from statetrace.analysis import check_queue_delay, queue_delays, store_states, sync_timing"
    asked = f"{imports}; import sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0

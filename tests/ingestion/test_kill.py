"""A session may be killed at any moment; ``kill.py`` does so hundreds of times, this is a sample."""

import signal

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="a process cannot be killed by a signal on this system"
)


def test_killed_sessions_leave_whole_hosts_or_none_and_are_completed_by_the_next(tmp_path):
    from kill import Trial  # noqa: PLC0415  # uses process groups

    trial = Trial(tmp_path, seed=20260106)
    for number in range(5):
        trial.round(number)

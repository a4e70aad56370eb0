"""One writer at a time, by a lock file that may come and go."""

from __future__ import annotations

import threading

import pytest

from statetrace.database.turns import WriterTurns


def test_two_writers_take_turns(tmp_path):
    first, second = WriterTurns(tmp_path / "a.sqlite"), WriterTurns(tmp_path / "a.sqlite")
    order = []

    def write():
        with second.turn():
            order.append("second")

    with first.turn():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_file_that_was_deleted_between_turns_excludes_no_less(tmp_path):
    first, second = WriterTurns(tmp_path / "a.sqlite"), WriterTurns(tmp_path / "a.sqlite")
    with first.turn():
        pass
    (tmp_path / "a.sqlite.lock").unlink()
    waited = threading.Event()

    def write():
        with second.turn():
            waited.set()

    with first.turn():
        thread = threading.Thread(target=write)
        thread.start()
        assert not waited.wait(0.1)
    thread.join()
    assert waited.is_set()


def test_a_turn_that_fails_to_make_the_database_leaves_no_lock_and_excludes_no_less(tmp_path):
    first, second = WriterTurns(tmp_path / "a.sqlite"), WriterTurns(tmp_path / "a.sqlite")
    order = []

    def write():
        with second.turn():
            order.append("second")
            (tmp_path / "a.sqlite").touch()

    thread = threading.Thread(target=write)

    def fail():
        with first.turn():
            thread.start()
            thread.join(0.1)
            order.append("first")
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fail()
    thread.join()
    assert order == ["first", "second"]
    (tmp_path / "a.sqlite").unlink()
    (tmp_path / "a.sqlite.lock").unlink()
    order.clear()
    thread = threading.Thread()
    with pytest.raises(OSError, match="no room"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_no_file_stays_open_while_nobody_writes(tmp_path):
    turns = WriterTurns(tmp_path / "a.sqlite")
    with turns.turn():
        turns.rest()  # somebody has a turn: nothing is let go
        assert turns._processes is not None
    turns.rest()
    with turns.turn():
        pass

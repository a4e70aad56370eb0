"""Single flight."""

import threading
import time

import pytest

from statetrace.cache.flights import SingleFlight


def run_threads(count, target):
    threads = [threading.Thread(target=target, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)


def test_of_many_callers_one_works_and_all_share_the_result():
    flights, calls, results = SingleFlight(), [], []
    gate = threading.Barrier(16)

    def work():
        calls.append(1)
        time.sleep(0.1)
        return object()

    def ask(_):
        gate.wait()
        results.append(flights.run("site", work))

    run_threads(16, ask)
    assert len(calls) == 1
    assert len({id(value) for value, _ in results}) == 1
    assert sum(mine for _, mine in results) == 1


def test_a_failure_is_shared_and_the_next_caller_tries_again():
    flights, errors = SingleFlight(), []
    gate = threading.Barrier(4)

    def work():
        time.sleep(0.1)
        raise OSError("disk")

    def ask(_):
        gate.wait()
        with pytest.raises(OSError, match="disk") as caught:
            flights.run("site", work)
        errors.append(caught.value)

    run_threads(4, ask)
    assert len(set(map(id, errors))) == 1
    assert flights.run("site", lambda: 7) == (7, True)


def test_different_keys_fly_at_the_same_time():
    flights, together = SingleFlight(), threading.Barrier(2, timeout=10)
    run_threads(2, lambda number: flights.run(str(number), together.wait))


def test_who_asks_anew_gets_what_was_begun_after_he_asked():
    flights = SingleFlight()
    started, release = threading.Event(), threading.Event()
    order, results = iter(range(10)), {}

    def slow():
        number = next(order)
        started.set()
        release.wait(10)
        return f"read {number}"

    first = threading.Thread(target=lambda: results.update(first=flights.run("site", slow)))
    first.start()
    started.wait(10)
    anew = [
        threading.Thread(target=lambda name=name: results.update({name: flights.run("site", slow, anew=True)}))
        for name in ("a", "b", "c")
    ]
    for thread in anew:
        thread.start()
    time.sleep(0.1)
    release.set()
    for thread in (first, *anew):
        thread.join(10)
    assert results["first"] == ("read 0", True)
    assert {results[name][0] for name in "abc"} <= {"read 1", "read 2", "read 3"}
    assert next(order) < 5  # those who asked anew while nobody had begun share their flight


def test_an_interrupted_leader_leaves_the_work_to_the_next():
    flights, begun = SingleFlight(), threading.Event()
    outcome = []

    def interrupted():
        begun.set()
        time.sleep(0.1)
        raise KeyboardInterrupt

    def lead(_):
        with pytest.raises(KeyboardInterrupt):
            flights.run("site", interrupted)

    leader = threading.Thread(target=lead, args=(0,))
    leader.start()
    begun.wait(10)
    outcome.append(flights.run("site", lambda: "done"))
    leader.join(10)
    assert outcome == [("done", True)]


def test_a_flight_that_is_done_is_over_even_if_it_was_interrupted_while_landing():
    flights = SingleFlight()

    class Interrupted:
        def __enter__(self):
            raise KeyboardInterrupt

        def __exit__(self, *_):
            pass

    usual = flights._lock

    def work():
        flights._lock = Interrupted()
        return "lost"

    with pytest.raises(KeyboardInterrupt):
        flights.run("site", work)
    flights._lock = usual
    outcome = []
    caller = threading.Thread(target=lambda: outcome.append(flights.run("site", lambda: "done")), daemon=True)
    caller.start()
    caller.join(5)
    assert outcome == [("done", True)]


def test_work_that_asks_for_itself_is_told_instead_of_waiting_forever():
    flights = SingleFlight()
    with pytest.raises(RuntimeError, match="waits for itself"):
        flights.run("site", lambda: flights.run("site", lambda: 1))

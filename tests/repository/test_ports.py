"""Port batches (reference: site-cache 10 and 15.10)."""

import pytest

from statetrace.model import InterfaceRow
from statetrace.repository import choose_chunk
from statetrace.repository.ports import open_port_stream
from statetrace.telemetry import InterfacePortQueueMetrics, Telemetry
from statetrace.testing import EventCapture

D, V = "Default", "Dynamic"
CHOICES = {
    0: {24: (24, D, 0), 64: (64, D, 0), 10: (10, D, 0), 200: (200, D, 0)},
    10: {24: (10, V, 1), 64: (10, V, 1), 10: (10, D, 1), 200: (10, V, 1)},
    24: {24: (24, D, 1), 64: (24, V, 1), 10: (24, V, 1), 200: (24, V, 1)},
    48: {24: (24, D, 2), 64: (48, V, 1), 10: (24, V, 2), 200: (48, V, 1)},
    96: {24: (24, D, 4), 64: (64, D, 2), 10: (24, V, 4), 200: (96, V, 1)},
    150: {24: (25, V, 6), 64: (64, D, 3), 10: (25, V, 6), 200: (150, V, 1)},
    400: {24: (67, V, 6), 64: (67, V, 6), 10: (67, V, 6), 200: (200, D, 2)},
    1200: {24: (120, V, 10), 64: (120, V, 10), 10: (120, V, 10), 200: (200, D, 6)},
}


@pytest.mark.parametrize(
    ("total", "base", "expected"),
    [(total, base, expected) for total, row in CHOICES.items() for base, expected in row.items()],
)
def test_worked_examples_of_the_chunk_choice(total, base, expected):
    choice = choose_chunk(total, base=base)
    assert (choice.size, choice.source, choice.batches) == expected


def test_an_override_is_taken_as_it_is():
    choice = choose_chunk(48, override=7)
    assert (choice.size, choice.source, choice.batches) == (7, "Override", 7)


def test_batches_deliver_every_port_once_in_order_and_say_how_far_they_are():
    ports = tuple((f"Gi1/0/{number}", InterfaceRow()) for number in range(50))
    events = EventCapture()
    stream = open_port_stream("WLLS-A", ports, chunk_size=20, telemetry=Telemetry(events))
    batches = list(stream)
    assert [port for batch in batches for port in batch.ports] == list(ports)
    assert [batch.ordinal for batch in batches] == [1, 2, 3]
    assert [batch.ports_delivered for batch in batches] == [20, 40, 50]
    assert [batch.batches_remaining for batch in batches] == [2, 1, 0]
    assert [batch.completed for batch in batches] == [False, False, True]
    assert list(stream) == batches
    assert stream[-1] == batches[-1]
    with pytest.raises(IndexError):
        stream[3]
    event = events.of(InterfacePortQueueMetrics)[0]
    assert (event.hostname, event.batch_id, event.batch_count, event.total_ports) == ("WLLS-A", stream.batch_id, 3, 50)
    assert (event.chunk_size, event.chunk_source) == (20, "Override")


def test_a_host_without_ports_has_no_batches():
    assert list(open_port_stream("WLLS-A", ())) == []

"""Sort keys of ports."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statetrace.model.port_sort import UNKNOWN_PORT, PortSortMemo, port_sort_key

# reference: site-cache 15.1
WORKED_EXAMPLES = {
    "Gi1/0/1": "40-GI-00001-00000-00001-00000",
    "  gi1/0/1 ": "40-GI-00001-00000-00001-00000",
    "GigabitEthernet1/0/42": "40-GI-00001-00000-00042-00000",
    "Et1/1/1": "30-ET-00001-00001-00001-00000",
    "1/1/1": "30-ET-00001-00001-00001-00000",
    "Ethernet1": "30-ET-00001-00000-00000-00000",
    "TenGigabitEthernet1/1/4": "25-TE-00001-00001-00004-00000",
    "TwentyFiveGigE1/0/1": "26-TW-00001-00000-00001-00000",
    "FortyGigabitEthernet1/1/1": "24-FO-00001-00001-00001-00000",
    "HundredGigE1/0/49": "23-HU-00001-00000-00049-00000",
    "FourHundredGigE1/1": "22-TH-00001-00001-00000-00000",  # D15: the original said 60-FOURHU-…
    "Port-channel10": "10-PO-00010-00000-00000-00000",
    "Vlan10": "97-VL-00010-00000-00000-00000",
    "Loopback0": "98-LO-00000-00000-00000-00000",
    "Management1": "05-MGMT-00001-00000-00000-00000",
    "mgmt0": "05-MGMT-00000-00000-00000-00000",
    "FastEthernet0/1": "50-FA-00000-00001-00000-00000",
    "Gi1/0/1.100": "40-GI-00001-00000-00001-00100",
    "ge-0/0/1": "60-GE--00000-00000-00001-00000",
    "AppGigabitEthernet1/0/1": "60-APPGI-00001-00000-00001-00000",
    "1/2/3/4/5/6/7": "30-ET-00001-00002-00003-00004-00005-00006",
    "lag 5": "60-LAG-00005-00000-00000-00000",
    "Uplink": "60-UPLINK-00000-00000-00000-00000",
    "Users8": "60-USERS-00008-00000-00000-00000",
    "": UNKNOWN_PORT,
    "   ": UNKNOWN_PORT,
}


@pytest.mark.parametrize(("port", "key"), WORKED_EXAMPLES.items())
def test_worked_examples(port, key):
    assert port_sort_key(port) == key


@pytest.mark.original
def test_all_given_pairs_but_the_mended_one(original_data):
    pairs = json.loads((original_data / "logs" / "port_sort_keys.json").read_text())
    assert len(pairs) == 44
    different = {
        pair["port"]: port_sort_key(pair["port"]) for pair in pairs if port_sort_key(pair["port"]) != pair["key"]
    }
    assert different == {"FourHundredGigE0/0/0/1": "22-TH-00000-00000-00000-00001"}


@given(st.text(max_size=40))
def test_any_text_has_a_key_with_weight_and_four_to_six_numbers(port):
    key = port_sort_key(port)
    assert key[:2].isdigit()
    assert 4 <= sum(part.isdigit() and len(part) >= 5 for part in key.split("-")) <= 6


def test_a_name_counts_as_a_miss_once():
    memo = PortSortMemo()
    first = memo.lookup(["Gi1/0/1", "Gi1/0/2", "Gi1/0/1"])
    assert (first.hits, first.misses, len(memo)) == (1, 2, 2)
    assert first.keys == [port_sort_key(port) for port in ("Gi1/0/1", "Gi1/0/2", "Gi1/0/1")]
    again = memo.lookup(["Gi1/0/2"])
    assert (again.hits, again.misses) == (1, 0)


def test_the_memo_is_bounded_and_still_answers_right():
    memo = PortSortMemo(limit=10)
    for number in range(100):
        ports = [f"Gi1/0/{number}", "Gi1/0/1"]
        assert memo.lookup(ports).keys == [port_sort_key(port) for port in ports]
        assert len(memo) <= 12


def test_threads_share_one_memo():
    memo = PortSortMemo(limit=50)
    wrong = []

    def ask(offset):
        for number in range(300):
            port = f"Gi{offset}/0/{number % 60}"
            if memo.key(port) != port_sort_key(port):
                wrong.append(port)

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

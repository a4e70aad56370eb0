"""The rows of a MAC table as both IOS and EOS print them."""

from __future__ import annotations

from statetrace.ingestion.corpus.device import Device
from statetrace.ingestion.corpus.truth import CorpusHost


def mac_rows(device: Device, host: CorpusHost) -> list[str]:
    """One row for each learned address, in order of VLAN, address and port."""
    learned = sorted(
        (vlan, mac, facts.port) for port, facts in zip(device.ports, host.ports, strict=True) for vlan, mac in port.macs
    )
    return [f"{vlan:>4}    {mac}    DYNAMIC     {port}\n" for vlan, mac, port in learned]

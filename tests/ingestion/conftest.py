"""Fixtures of the tests of sessions."""

from __future__ import annotations

import re

import pytest

from statetrace.model import DeviceFacts
from statetrace.model.facts import PortFacts
from statetrace.parsing import Vendor, register_vendor
from statetrace.parsing import vendor as vendor_module


@pytest.fixture
def own_vendor(monkeypatch):
    """Registers a vendor for the test, by default one whose devices have two ports."""
    monkeypatch.setattr(vendor_module, "_VENDORS", dict(vendor_module._VENDORS))

    def two_ports(log):
        ports = (PortFacts("1", status="connected"), PortFacts("2", status="notconnect"))
        return DeviceFacts(log.hostname, "Acme", ports=ports, interfaces_found=True)

    def register(make, parse=two_ports, **options):
        register_vendor(Vendor(make, parse, version_words=re.compile(rf"\b{make}\b"), priority=9, **options))

    return register

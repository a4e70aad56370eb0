"""The makes that StateTrace reads, one module each; importing this package registers them."""

from statetrace.parsing.vendors import arista, aruba, brocade, cisco, juniper, paloalto

__all__ = ["arista", "aruba", "brocade", "cisco", "juniper", "paloalto"]

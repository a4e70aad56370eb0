"""What host names say, and which names may become part of a path."""

import pytest

from statetrace.errors import UnsafeName
from statetrace.model import safe_file_name, site_of, zone_of
from statetrace.model.names import historical_site, site_aliases


# reference: site-cache 15.11; other than there, a name without a dash has one site everywhere, its first four
# characters, and not as many as each caller asks for
@pytest.mark.parametrize(
    ("host", "site", "zone"),
    [
        ("SITE1-Z1-SW1", "SITE1", "Z1"),
        ("SSH@SITE2-Z9-EDGE", "SITE2", "Z9"),
        ("core", "core", ""),
        ("WLLS-A01-AS-01", "WLLS", "A01"),
        ("SSH@BOYO-A05-AS-02", "BOYO", "A05"),
        ("ssh@ SITE2-Z9-EDGE ", "SITE2", "Z9"),
        ("SW1", "SW1", ""),
        ("CORESWITCH", "CORE", ""),
        ("LAB-SW1", "LAB", "SW1"),
        ("LAB--SW1", "LAB", "SW1"),
        ("-X1", "-X1", ""),
        ("", "Unknown", ""),
        ("  ", "Unknown", ""),
        ("SSH@", "Unknown", ""),
    ],
)
def test_site_and_zone_of_a_host(host, site, zone):
    assert (site_of(host), zone_of(host)) == (site, zone)


def test_a_site_is_also_filed_under_its_letters():
    assert site_aliases("SITE1") == ("SITE1", "SITE")
    assert site_aliases("BOYO") == ("BOYO",)
    assert site_aliases("12") == ("12",)


def test_the_original_filed_hosts_under_the_first_four_characters():
    assert [historical_site(site) for site in ("WLLS", "LAB", "DENVER")] == ["WLLS", "LAB-", "DENV"]


@pytest.mark.parametrize("name", ["WLLS", "SITE-1", "A.B", "Zürich", "a b"])
def test_plain_names_are_safe(name):
    assert safe_file_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "../x", "a/b", "a\\b", "C:", "ACME:HQ", "a\0b", "a\nb", "nul", "CON.txt", "com1", "x.", " x", "x ", ".x", "a*", "x" * 200, "\u6f22" * 100, "a\u202eb"],
)  # fmt: skip
def test_hostile_names_are_refused(name):
    with pytest.raises(UnsafeName, match="cannot be used as a file name"):
        safe_file_name(name)

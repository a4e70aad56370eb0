"""Auth-template compliance."""

import pytest

from statetrace.errors import TemplateError
from statetrace.model import AuthTemplates, Hint


@pytest.fixture(scope="module")
def templates():
    return AuthTemplates.load()


@pytest.mark.parametrize("vendor", ["Cisco", "Brocade"])
@pytest.mark.parametrize(
    ("template", "color"),
    [
        ("flexible", "Green"), ("macauth", "Blue"), ("dot1x", "Purple"), ("open", "Red"),
        ("Dual Authentication Port", "Green"), ("MAB ONLY PORT", "Blue"), ("OPEN", "Red"),
    ],
)  # fmt: skip
def test_known_templates_match_in_their_colour(templates, vendor, template, color):
    assert templates.hint(vendor, template) == Hint(color, "Match", known=True)


def test_without_a_template_a_port_is_gray_and_unknown(templates):
    assert templates.hint("Cisco", " ") == Hint("Gray", "Unknown")


def test_an_unknown_template_is_a_mismatch(templates):
    assert templates.hint("Cisco", "home-made") == Hint("Gray", "Mismatch")


@pytest.mark.parametrize(
    ("make", "vendor"),
    [("Brocade", "Brocade"), ("brocade icx", "Brocade"), ("Cisco", "Cisco"), ("Arista", "Cisco"), ("", "Cisco")],
)
def test_the_make_names_the_vendor(templates, make, vendor):
    assert templates.vendor(make) == vendor


def test_a_folder_replaces_the_templates_and_adds_vendors(tmp_path):
    (tmp_path / "Arista.json").write_text(
        '{"templates": [{"name": "Edge", "aliases": ["flexible"]}, {"name": "flexible", "color": "Pink"}]}', "utf-8-sig"
    )
    own = AuthTemplates.load(tmp_path)
    assert own.vendor("Arista Networks") == "Arista"
    assert own.hint("Arista", "FLEXIBLE") == Hint(
        "Gray", "Match", known=True
    )  # first definition wins, no colour is gray
    assert own.hint("Cisco", "flexible") == Hint("Gray", "Mismatch")


@pytest.mark.parametrize("content", ["{", '{"templates": 7}', "[]", '{"templates": [{"aliases": []}]}'])
def test_a_broken_template_file_is_named(tmp_path, content):
    (tmp_path / "Cisco.json").write_text(content)
    with pytest.raises(TemplateError, match=r"Cisco\.json"):
        AuthTemplates.load(tmp_path)


def test_a_missing_template_folder_is_named(tmp_path):
    with pytest.raises(TemplateError, match="nowhere"):
        AuthTemplates.load(tmp_path / "nowhere")

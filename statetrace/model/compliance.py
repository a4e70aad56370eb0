"""Auth-template compliance: which colour and status a port gets for the template it follows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from statetrace.errors import TemplateError

DEFAULT_VENDOR = "Cisco"


class Hint(msgspec.Struct, frozen=True):
    """Colour and compliance status of a port; ``known`` when its template is among the vendor's."""

    color: str
    status: str
    known: bool = False


NO_TEMPLATE = Hint("Gray", "Unknown")
"""The hint for a port that follows no template."""
UNKNOWN_TEMPLATE = Hint("Gray", "Mismatch")
"""The hint for a template that the vendor's file does not name."""


class _Template(msgspec.Struct):
    name: str
    aliases: list[str] = []
    color: str = ""


class _TemplateFile(msgspec.Struct):
    templates: list[_Template]


class AuthTemplates:
    """The templates of all vendors, by name and alias in any case. Immutable.

    >>> templates = AuthTemplates.load()
    >>> templates.hint("Brocade", "MacAuth")
    Hint(color='Blue', status='Match', known=True)
    >>> templates.hint("Cisco", ""), templates.hint("Cisco", "home-made")
    (Hint(color='Gray', status='Unknown', known=False), Hint(color='Gray', status='Mismatch', known=False))
    """

    def __init__(self, hints: Mapping[str, Mapping[str, Hint]]) -> None:
        self._hints = hints
        self._vendors = {vendor.casefold(): vendor for vendor in hints}

    @classmethod
    def load(cls, folder: Path | None = None) -> AuthTemplates:
        """The templates of ``<folder>/<Vendor>.json``, by default those that come with the package.

        Each file holds an object with a list ``templates`` of ``{name, aliases, color, …}``; of several definitions
        of a name or alias the first wins. A template without colour is ``Gray``.

        Raises:
            TemplateError: a file that cannot be read or has another shape.
        """
        root: Traversable = resources.files("statetrace.model") / "templates" if folder is None else folder
        try:
            files = sorted((file for file in root.iterdir() if file.name.lower().endswith(".json")), key=_name)
        except OSError as error:
            raise TemplateError(Path(str(root)), f"the folder cannot be read: {error.strerror}") from error
        if not files:
            raise TemplateError(Path(str(root)), "the folder holds no <Vendor>.json")
        return cls({file.name[: -len(".json")]: _read(file) for file in files})

    def vendor(self, make: str) -> str:
        """The vendor whose templates apply to a device of this make: the first that the make names, else Cisco."""
        make = make.casefold()
        return next((vendor for folded, vendor in self._vendors.items() if folded in make), DEFAULT_VENDOR)

    def hint(self, vendor: str, template: str) -> Hint:
        """Colour and status for a port of this vendor that follows ``template``."""
        if not template or template.isspace():
            return NO_TEMPLATE
        known = self._hints.get(self._vendors.get(vendor.casefold(), ""), {})
        return known.get(template.strip().casefold(), UNKNOWN_TEMPLATE)


def _name(file: Traversable) -> str:
    return file.name.casefold()


def _read(file: Traversable) -> dict[str, Hint]:
    try:
        content = msgspec.json.decode(file.read_text("utf-8-sig"), type=_TemplateFile)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise TemplateError(Path(str(file)), str(error)) from error
    hints: dict[str, Hint] = {}
    for template in content.templates:
        for name in (template.name, *template.aliases):
            hints.setdefault(name.strip().casefold(), Hint(template.color or NO_TEMPLATE.color, "Match", known=True))
    return hints

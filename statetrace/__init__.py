"""StateTrace: what network switches print, turned into data one can trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statetrace.engine import Engine

__version__ = "0.1.0"
__all__ = ["Engine", "__version__"]


def __getattr__(name: str) -> Any:
    # Engine pulls in SQLAlchemy; what needs only the model or a reader process should not wait for it.
    if name == "Engine":
        from statetrace.engine import Engine  # noqa: PLC0415  # as said above

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""How far an ingestion is, told on standard error while it runs."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from statetrace.cli.output import counted, say, stderr

if TYPE_CHECKING:
    from statetrace.ingestion.report import HostOutcome

_REFRESH_S = 0.1
_LINE_S = 5.0


def in_words(outcomes: dict[str, int]) -> str:
    """``35 ingested, 2 parse failed``."""
    return ", ".join(f"{number:,} {outcome.replace('_', ' ')}" for outcome, number in outcomes.items())


class IngestProgress:
    """Hosts done, their outcomes and their rate: a bar on a terminal, else a line every five seconds.

    The bar is drawn when a host is done and never by a thread: worker processes are forked from this one, which is safe
    only while it has no other thread.
    """

    def __init__(self) -> None:
        self._live = stderr.is_terminal and not stderr.is_dumb_terminal
        self._bar = Progress(
            TextColumn("ingesting"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            console=stderr,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._live,
        )
        self._task = self._bar.add_task("", total=None, told="", visible=False)
        self._outcomes: Counter[str] = Counter()
        self._done = self._hosts = 0
        self._begun = self._told = time.monotonic()

    def start(self, hosts: int) -> None:
        """Begin with so many hosts."""
        self._outcomes.clear()
        self._done, self._hosts = 0, hosts
        self._begun = self._told = time.monotonic()
        self._bar.update(self._task, total=hosts, completed=0, told="", visible=True)

    def outcome(self, host: HostOutcome) -> None:
        """Count a host that is done."""
        self._done += 1
        self._outcomes[host.outcome] += 1
        now = time.monotonic()
        if now - self._told < (_REFRESH_S if self._live else _LINE_S):
            return
        self._told = now
        told = f"{self._done / max(now - self._begun, 1e-9):,.0f} a second: {in_words(self._outcomes)}"
        if self._live:
            self._bar.update(self._task, completed=self._done, told=told, refresh=True)
        else:
            say(f"{self._done:,} of {counted(self._hosts, 'host')}, {told}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.update(self._task, visible=False)
        self._bar.stop()

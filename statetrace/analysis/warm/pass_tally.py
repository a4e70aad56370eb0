"""One pass of a warm run in numbers: hosts, providers, durations (reference: warm-run-and-gates 2.7)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from statetrace.analysis.statistics import mean, percentile, round_even
from statetrace.analysis.warm.host_pairs import PassHost
from statetrace.analysis.warm.pass_rows import PassTelemetry
from statetrace.analysis.warm.provider_counts import ProviderMeasure, is_hit, provider_measure
from statetrace.analysis.warm.warm_rows import WarmRunRow
from statetrace.model import fold


class CallMetrics(msgspec.Struct, frozen=True, rename="pascal"):
    """``InterfaceCallDurationMs`` of one pass; ``None`` where there are no durations.

    Attributes:
        count: number of durations.
        average: mean, three decimals; that and the others unrounded as ``…_raw``.
        p95: 95 of 100 are not longer.
        maximum: written ``Max``.
        provider_counts: provider → how many, ``SharedCache`` among ``Cache``.
    """

    count: int
    average: float | None
    average_raw: float | None
    p95: float | None
    p95_raw: float | None
    maximum: float | None = msgspec.field(name="Max")
    maximum_raw: float | None = msgspec.field(name="MaxRaw")
    provider_counts: dict[str, int]


class Tally(msgspec.Struct, frozen=True):
    """One pass, counted.

    Attributes:
        hosts: how many there were.
        providers: where their existing rows came from.
        durations: ``InterfaceCallDurationMs``.
        of_rows: whether the durations are those of rows; otherwise telemetry had to help out.
    """

    hosts: int
    providers: ProviderMeasure
    durations: Sequence[float]
    of_rows: bool = True

    @property
    def metrics(self) -> CallMetrics:
        """The durations in a few numbers."""
        average, p95, longest = mean(self.durations), percentile(self.durations, 95), max(self.durations, default=None)
        cached = provider_measure(
            ("Cache" if is_hit(provider) else provider, count) for provider, count in self.providers.counts.items()
        )
        return CallMetrics(
            count=len(self.durations),
            average=_rounded(average),
            average_raw=average,
            p95=_rounded(p95),
            p95_raw=p95,
            maximum=_rounded(longest),
            maximum_raw=longest,
            provider_counts=cached.counts,
        )


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round_even(milliseconds, 3)


def tally_of_hosts(hosts: Sequence[PassHost]) -> Tally:
    """Every host counted once."""
    durations = [host.interface_call_duration_ms for host in hosts]
    return Tally(
        len(hosts),
        provider_measure((host.provider, 1) for host in hosts),
        [duration for duration in durations if duration is not None],
    )


def tally_of_rows(rows: Sequence[WarmRunRow], telemetry: PassTelemetry | None, limit: int) -> Tally:
    """Every row counted once, and every text that names hosts, as the original does.

    Args:
        rows: of the pass.
        telemetry: for what they do not tell.
        limit: number of hosts that the comparison is limited to; it stands for a number that cannot be had.
    """
    durations: Sequence[float] = [
        row.interface_call_duration_ms for row in rows if row.interface_call_duration_ms is not None
    ]
    of_rows = bool(durations)
    if not of_rows and telemetry is not None:
        durations = telemetry.durations
    named = {host for row in rows if (host := fold(row.hostname or ""))}
    written = () if telemetry is None else telemetry.hosts
    return Tally(
        len(named) or len(written) or len(durations) or limit,
        provider_measure((row.provider, 1) for row in rows),
        durations,
        of_rows,
    )

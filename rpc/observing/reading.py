"""What happened between two readings of a server's metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gramdex.errors import ServiceError

Labels = dict[str, str]


@dataclass(frozen=True)
class Reading:
    """The numbers at one time.

    Attributes:
        moment: seconds of a clock that does not jump.
        time: the same since 1970.
        samples: by name, labels and value of each.
    """

    moment: float
    time: float
    samples: dict[str, list[tuple[Labels, float]]]

    def sum(self, name: str, **labels: str) -> float:
        """Of all samples of a name with these labels, 0 where there is none."""
        return sum(
            value
            for found, value in self.samples.get(name, ())
            if all(found.get(label) == wanted for label, wanted in labels.items())
        )

    def most(self, name: str) -> float:
        """Of all samples of a name, 0 where there is none."""
        return max((value for _, value in self.samples.get(name, ())), default=0.0)

    def values(self, name: str, label: str) -> list[str]:
        """What a label of a name can be."""
        return sorted({labels[label] for labels, _ in self.samples.get(name, ())})


@dataclass(frozen=True)
class MethodTraffic:
    """One method between two readings; rates are per second.

    Attributes:
        p50, p99: seconds, None where no call ended; infinite beyond the last bucket.
        minor_faults, major_faults: per call.
    """

    name: str
    calls: float
    failed: float
    p50: float | None
    p99: float | None
    request_bytes: float
    response_bytes: float
    minor_faults: float
    major_faults: float


@dataclass(frozen=True)
class Traffic:
    """A server between two readings; rates are per second.

    Attributes:
        seconds: between them.
        restarted: it began anew meanwhile; rates are of what it counted since.
        methods: that were ever called, busiest first.
        failures: calls by status.
        served_seconds: since the index began to be served; None where there is none.
        cpu: cores in use.
    """

    version: str
    seconds: float
    restarted: bool
    calls: float
    refused: float
    in_flight: int
    queued: int
    threads: int
    ready: int
    tokens: int
    documents: int
    shards: int
    generation: int
    damaged: bool
    served_seconds: float | None
    reloads: int
    failed_reloads: int
    memory: int
    cpu: float
    failures: dict[str, float] = field(default_factory=dict)
    methods: tuple[MethodTraffic, ...] = ()


def read_metrics(content: str) -> Reading:
    """Numbers in the text format of Prometheus.

    Raises:
        ServiceError: it is no such text, or not of a server of gramdex.
    """
    samples: dict[str, list[tuple[Labels, float]]] = {}
    try:
        for family in text_string_to_metric_families(content):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    except (ValueError, IndexError, KeyError) as error:
        raise _no_metrics() from error
    if "gramdex_calls_total" not in samples:
        raise _no_metrics()
    return Reading(time.monotonic(), time.time(), samples)


def _no_metrics() -> ServiceError:
    return ServiceError(
        "metrics",
        "none of gramdex",
        "what a server of gramdex tells Prometheus",
        "check the address: http://host:port, of its metrics",
    )


_CALLS, _SECONDS = "gramdex_calls_total", "gramdex_call_duration_seconds"


def compare(before: Reading, after: Reading) -> Traffic:
    """What happened between two readings of one server."""
    restarted = any(
        before.sum(_CALLS, method=name) > after.sum(_CALLS, method=name)
        for name in before.values(_CALLS, "method")
    )
    if restarted:
        before = Reading(before.moment, before.time, {})
    seconds = max(after.moment - before.moment, 1e-9)
    rate = _Rates(before, after, seconds)
    since = after.most("gramdex_index_served_since_timestamp_seconds")
    return Traffic(
        version=next(iter(after.values("gramdex_build_info", "version")), ""),
        seconds=seconds,
        restarted=restarted,
        calls=rate(_CALLS),
        refused=rate("gramdex_refused_calls_total"),
        **_held(after),
        served_seconds=max(after.time - since, 0.0) if since else None,
        cpu=rate("process_cpu_seconds_total"),
        failures={
            code: failed
            for code in after.values(_CALLS, "code")
            if code != "OK" and (failed := rate(_CALLS, code=code))
        },
        methods=tuple(_methods(rate, after)),
    )


def _held(after: Reading) -> dict[str, Any]:
    """What is not a rate."""
    return {
        "in_flight": int(after.sum("gramdex_calls_in_flight")),
        "queued": int(after.sum("gramdex_queued_calls")),
        "threads": int(after.sum("gramdex_pool_threads")),
        "ready": int(after.sum("gramdex_ready")),
        "tokens": int(after.most("gramdex_index_tokens")),
        "documents": int(after.most("gramdex_index_documents")),
        "shards": int(after.most("gramdex_index_shards")),
        "generation": int(after.most("gramdex_index_generation")),
        "damaged": bool(after.most("gramdex_index_damaged")),
        "reloads": int(after.sum("gramdex_reloads_total", result="ok")),
        "failed_reloads": int(after.sum("gramdex_reloads_total", result="failed")),
        "memory": int(after.sum("process_resident_memory_bytes")),
    }


@dataclass(frozen=True)
class _Rates:
    """Counters per second."""

    before: Reading
    after: Reading
    seconds: float

    def more(self, name: str, **labels: str) -> float:
        """How much a counter grew; a process that is gone may take some with it."""
        return max(self.after.sum(name, **labels) - self.before.sum(name, **labels), 0.0)

    def __call__(self, name: str, **labels: str) -> float:
        return self.more(name, **labels) / self.seconds

    def buckets(self, method: str) -> list[tuple[float, float]]:
        """Upper bounds, ascending, and calls that took no longer."""
        bounds = {
            labels["le"]
            for labels, _ in self.after.samples.get(f"{_SECONDS}_bucket", ())
            if labels["method"] == method
        }
        return [
            (bound, self.more(f"{_SECONDS}_bucket", method=method, le=name))
            for bound, name in sorted((float(name), name) for name in bounds)
        ]


def _methods(rate: _Rates, after: Reading) -> list[MethodTraffic]:
    found = []
    for name in after.values(_CALLS, "method"):
        if not after.sum(_CALLS, method=name):
            continue
        calls, buckets = rate.more(_CALLS, method=name), rate.buckets(name)
        faults = [
            rate.more("gramdex_page_faults_total", method=name, kind=kind) / max(calls, 1)
            for kind in ("minor", "major")
        ]
        found.append(
            MethodTraffic(
                name,
                calls / rate.seconds,
                rate(_CALLS, method=name) - rate(_CALLS, method=name, code="OK"),
                quantile(buckets, 0.5),
                quantile(buckets, 0.99),
                rate("gramdex_request_bytes_total", method=name),
                rate("gramdex_response_bytes_total", method=name),
                *faults,
            )
        )
    return sorted(found, key=lambda each: (-each.calls, each.name))


def quantile(buckets: Iterable[tuple[float, float]], share: float) -> float | None:
    """The value below which a share of what was observed lies, as Prometheus estimates it.

    Args:
        buckets: upper bounds, ascending, the last infinite; and how many are no larger.
        share: from 0 to 1.

    Returns:
        None where nothing was observed; infinity where it lies above the last finite bound.
    """
    held = list(buckets)
    total = held[-1][1] if held else 0
    if not total:
        return None
    low, below = 0.0, 0.0
    for high, count in held:
        if count >= share * total and count > below:
            if high == float("inf"):
                return high
            return low + (high - low) * (share * total - below) / (count - below)
        low, below = high, count
    return None

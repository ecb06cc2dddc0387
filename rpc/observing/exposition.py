"""What is written around the numbers of ``metrics.py`` when they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.registry import Collector


class _WithoutCreationTimes(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not _is_creation(metric, each)]
            yield metric


def _is_creation(metric: Metric, sample: Any) -> bool:
    return metric.type in ("counter", "histogram") and sample.name.endswith("_created")


def without_creation_times(registry: CollectorRegistry) -> Collector:
    """A registry without the time each number began, which would double their count."""
    return _WithoutCreationTimes(registry)


class Processes(Collector):
    """CPU time, memory and files of every process that shares a folder, with its ``pid``.

    Without their sums: those would fall when a process ends, and be taken for restarts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Every number once, with a sample for each process."""
        found: dict[str, Metric] = {}
        for pid in sorted(living(self._folder)):
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                whole = found.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    whole.add_sample(sample.name, sample.labels | {"pid": str(pid)}, sample.value)
        return found.values()


def living(folder: Path) -> set[int]:
    """The processes that share a folder and were not said to have ended."""
    names = (path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db"))
    return {int(name) for name in names if name.isdecimal()}
